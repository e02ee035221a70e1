//! Objects of every kind, whose header and fields are overwritten.

use std::fs;

use arbitrary::{Result, Unstructured};
use crossmem_core::{Agent, Kind, Segment};

use super::STEPS;
use super::scribble::Scribbler;
use super::user::User;
use super::world::{KINDS, World, create, heard};

/// The offset of an object's fields, behind the header. In many kinds they begin with a mutex.
const WORDS: u64 = 64;

pub fn run(input: &[u8]) {
    let world = World::new();
    let agent = world.join().expect("a new domain");
    let _ = use_any(&world, &agent, &mut Unstructured::new(input));
    agent.leave();
    world.assert_empty();
}

fn use_any(world: &World, agent: &Agent, input: &mut Unstructured<'_>) -> Result<()> {
    let kind = *input.choose(&KINDS)?;
    let name = world.name(0);
    let made = create(agent, &name, kind, false).expect("a new name");
    let scribbler = Scribbler::on(&name).expect("just made");
    for _ in 0..input.int_in_range(0..=3)? {
        scribbler.scribble(input, &[0..=63, WORDS..=511])?;
    }
    if input.ratio(1, 8)? {
        return use_foreign(world, agent, kind, input);
    }
    let asked = [None, Some(kind)][usize::from(input.arbitrary::<bool>()?)];
    if let Some(opened) = heard(Segment::open(agent, &name, asked)) {
        use_opened(agent, &opened, &scribbler, input)?;
        opened.close(agent);
    }
    use_opened(agent, &made, &scribbler, input)?;
    made.close(agent);
    Ok(())
}

/// Uses a file of another program, which has the first bytes of the object.
fn use_foreign(world: &World, agent: &Agent, kind: Kind, input: &mut Unstructured<'_>) -> Result<()> {
    let (from, path) = (format!("/dev/shm/{}", world.name(0)), format!("/dev/shm/{}", world.name(1)));
    let mut bytes = fs::read(from).expect("just made");
    bytes.truncate(input.int_in_range(0..=bytes.len())?);
    fs::write(&path, bytes).expect("room");
    let opened = heard(Segment::open(agent, &world.name(1), Some(kind)));
    let scribbler = Scribbler::on(&world.name(1)).expect("just made");
    let used = opened.map_or(Ok(()), |opened| {
        let used = use_opened(agent, &opened, &scribbler, input);
        opened.close(agent);
        used
    });
    fs::remove_file(path).expect("the file of another program is still there");
    used
}

fn use_opened(
    agent: &Agent,
    segment: &Segment,
    scribbler: &Scribbler,
    input: &mut Unstructured<'_>,
) -> Result<()> {
    let mut user = User::new(agent, segment);
    let mut done = Ok(());
    for _ in 0..STEPS {
        if input.is_empty() || done.is_err() {
            break;
        }
        done = match input.int_in_range(0..=4)? {
            0 => scribbler.scribble(input, &[0..=63, WORDS..=511]),
            _ => user.act(input),
        };
        scribbler.take_back(WORDS, |instance| instance == agent.owner_word() >> 32);
    }
    user.leave();
    done
}
