//! Queues whose positions, slots, claims and messages are overwritten. Live and dead participants
//! hold chunks.

use arbitrary::Unstructured;
use crossmem_core::{Kind, Object, Segment, Wait};

use super::STEPS;
use super::scribble::Scribbler;
use super::user::User;
use super::world::{World, create};

const KINDS: [Kind; 3] = [Kind::MpmcQueue, Kind::JoinableQueue, Kind::Queue];

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let world = World::new();
    let agent = world.join().expect("a new domain");
    let kind = *input.choose(&KINDS).unwrap_or(&Kind::MpmcQueue);
    let name = world.name(0);
    let queue = create(&agent, &name, kind, false).expect("a new name");
    fill(&world, Object::new(&agent, &queue), &name);

    let scribbler = Scribbler::on(&name).expect("just made");
    // The header; positions; sleepers, the end and failures; the mutex of reapers; the first
    // participants; slots; chunks.
    let (slots, chunks, end) = (9088, 9600, scribbler.len());
    let spans = [
        0..=63,
        64..=199,
        320..=735,
        736..=871,
        872..=935,
        slots..=chunks - 1,
        chunks..=end - 1,
        chunks..=chunks + 127,
    ];
    let mut user = User::new(&agent, &queue);
    user.act_on(&mut input, STEPS / 4, &scribbler, &spans);
    user.leave();
    queue.close(&agent);
    agent.leave();
    world.assert_empty();
}

fn fill(world: &World, object: Object<'_>, name: &str) {
    let dead = world.join().expect("a sound domain");
    let theirs = Segment::open(&dead, name, None).expect("just made");
    let dying = Object::new(&dead, &theirs);
    let mut member = dying.join_queue().expect("a new queue");
    let mut living = object.join_queue().expect("a new queue");
    for len in [3, 100, 10] {
        // The large message is refused by queues that don't spill.
        let _ = object.push_message(&mut living, &[5; 100][..len], Wait::Try);
    }
    dying.take_message(&mut member, Wait::Try).expect("a message");
    dying.reserve_message(&mut member, Wait::Try).expect("a sound queue");
    object.leave_queue(living).expect("a sound queue");
    drop((theirs, dead));
}
