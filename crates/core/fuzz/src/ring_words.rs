//! Channels whose ends, positions, sleepers and records are overwritten.

use arbitrary::Unstructured;
use crossmem_core::{CONSUMER, Kind, Object, PRODUCER, Wait};

use super::STEPS;
use super::scribble::Scribbler;
use super::user::User;
use super::world::{World, create};

pub fn run(input: &[u8]) {
    let mut input = Unstructured::new(input);
    let world = World::new();
    let agent = world.join().expect("a new domain");
    let kind = if input.arbitrary().unwrap_or(false) { Kind::Pipe } else { Kind::SpscQueue };
    let name = world.name(0);
    let channel = create(&agent, &name, kind, false).expect("a new name");
    let object = Object::new(&agent, &channel);
    let mut ends = [CONSUMER, PRODUCER].map(|end| object.take_end(end).expect("a new channel"));
    for n in 0..input.int_in_range(0..=20).unwrap_or(0) {
        let _ = object.push_record(&mut ends[PRODUCER], &[5; 20][..n], n % 2 == 0, Wait::Try);
        let _ = object.pop_records(&mut ends[CONSUMER], n % 3, |_, _| true);
    }
    for end in ends {
        object.release_end(end, false).expect("it is ours");
    }

    let scribbler = Scribbler::on(&name).expect("just made");
    // The header; the ends; positions and sleepers of the first ring, and of the second; the
    // records.
    let spans = [
        0..=63,
        64..=191,
        192..=199,
        320..=323,
        448..=455,
        576..=583,
        704..=707,
        832..=839,
        960..=scribbler.len() - 1,
    ];
    let mut user = User::new(&agent, &channel);
    user.act_on(&mut input, STEPS, &scribbler, &spans);
    user.leave();
    channel.close(&agent);
    agent.leave();
    world.assert_empty();
}
