//! Agents of a domain whose control segment is overwritten.

use arbitrary::{Result, Unstructured};
use crossmem_core::{Agent, Object, Segment, Wait, inspect, open_lock_manager, unlink_name};

use super::STEPS;
use super::scribble::Scribbler;
use super::user::User;
use super::world::{KINDS, World, create, heard};

/// The offset of the registry's mutex.
const REGISTRY: u64 = 48;
/// The offset of the number that names the table of named locks.
const DOMAIN_ID: u64 = 24;
/// More agents than a program has.
const MANY: u64 = 1000;

/// Runs the program of an input, with one agent at a time: an agent would rightly wait for seconds
/// if a live one held the registry's mutex.
pub fn live(input: &[u8], scribble: impl Fn(&World, &Scribbler, &mut Unstructured<'_>) -> Result<()>) {
    let mut world = Inhabited::new();
    let mut input = Unstructured::new(input);
    for _ in 0..STEPS {
        if input.is_empty() || world.step(&mut input, &scribble).is_err() {
            break;
        }
    }
    world.end();
}

struct Inhabited {
    world: World,
    agent: Option<Agent>,
    segments: Vec<Segment>,
    /// The names of objects whose names the core chose.
    others: Vec<String>,
}

impl Inhabited {
    /// A domain with objects of several kinds that a dead agent had, and a large message.
    fn new() -> Inhabited {
        let world = World::new();
        let founder = world.join().expect("a new domain");
        let mut segments = Vec::new();
        for number in 0..5 {
            let made = create(
                &founder,
                &world.name(number),
                KINDS[[0, 1, 2, 13, 15][usize::from(number)]],
                number == 2,
            );
            segments.push(made.expect("a new name"));
        }
        let queue = Object::new(&founder, &segments[3]);
        let mut member = queue.join_queue().expect("a new queue");
        queue.push_message(&mut member, &[7; 100], Wait::Try).expect("room");
        drop((segments, founder));
        Inhabited { world, agent: None, segments: Vec::new(), others: Vec::new() }
    }

    fn step(
        &mut self,
        input: &mut Unstructured<'_>,
        scribble: impl Fn(&World, &Scribbler, &mut Unstructured<'_>) -> Result<()>,
    ) -> Result<()> {
        let call = input.int_in_range(0..=15)?;
        if call < 6 {
            let control = self.world.control().and_then(|name| Scribbler::on(&name));
            let Some(control) = control else { return Ok(()) };
            scribble(&self.world, &control, input)?;
            control.take_back(REGISTRY, |instance| (1..=MANY).contains(&instance));
            return Ok(());
        }
        if call == 6 {
            heard(inspect(&self.world.domain));
            return Ok(());
        }
        if self.agent.is_none() {
            self.agent = heard(self.world.join());
        }
        let Some(agent) = &self.agent else { return Ok(()) };
        let name = self.world.name(input.arbitrary()?);
        match call {
            7 => {
                self.segments.extend(heard(create(agent, &name, *input.choose(&KINDS)?, input.arbitrary()?)));
            }
            8 => self.segments.extend(heard(Segment::open(agent, &name, None))),
            9 => self.segments.extend(heard(Segment::open(agent, &name, Some(*input.choose(&KINDS)?)))),
            10 => drop(heard(agent.collect_garbage())),
            11 => {
                if let Some(segment) = self.segments.pop() {
                    segment.close(agent);
                }
            }
            12 => {
                heard(unlink_name(agent, &name));
                if let Some(segment) = self.segments.last() {
                    heard(segment.unlink(agent));
                    let _ = segment.company(agent);
                }
            }
            13 => {
                let control = self.world.control().and_then(|name| Scribbler::on(&name));
                let id = control.map_or(0, |control| control.word(DOMAIN_ID));
                self.others.push(format!("crossmem-locks-{id:016x}"));
                self.segments.extend(heard(open_lock_manager(agent)));
            }
            14 => {
                if let Some(segment) = self.segments.last() {
                    let mut user = User::new(agent, segment);
                    for _ in 0..3 {
                        user.act(input)?;
                    }
                    user.leave();
                }
            }
            _ => {
                self.segments.clear();
                let leaves = input.arbitrary()?;
                // Otherwise it is dropped, which stands for its death.
                if let Some(agent) = self.agent.take().filter(|_| leaves) {
                    agent.leave();
                }
            }
        }
        Ok(())
    }

    fn end(mut self) {
        self.segments.clear();
        if let Some(agent) = self.agent.take() {
            agent.leave();
        }
        // The registry may have lost these files.
        for name in self.others {
            let _ = std::fs::remove_file(format!("/dev/shm/{name}"));
        }
    }
}
