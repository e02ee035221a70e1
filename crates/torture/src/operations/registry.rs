//! Joining, leaving, and the lives of objects.

use crossmem_core::{Agent, Handover, Kind, Segment, unlink_name};

use super::operation::{Operation, operation};
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("register", register),
    operation("leave", leave),
    operation("create a domain", create_domain),
    operation("leave as the last agent", leave_as_last),
    operation("create a domain of a group", create_group),
    operation("leave a group as the last agent", leave_group),
    operation("create", create),
    operation("create an object", create_object),
    operation("create, but the name is taken", create_taken),
    operation("create a name whose list is not empty", create_in_list),
    operation("create where no entry is reserved", create_in_new_block),
    operation("open", open),
    operation("close", close),
    operation("close as the last user", close_as_last),
    operation("unlink", unlink),
    operation("unlink by name", unlink_by_name),
    operation("unlink from the middle of a list", unlink_in_list),
    operation("sleep in the event loop", sleep_in_loop),
    operation("hand over", hand_over),
    operation("cancel a handover", cancel_handover),
    operation("sweep", register).after_death_of(leave_all_behind),
];

fn register(stage: &Stage) {
    mark();
    let agent = stage.join();
    mark();
    agent.leave();
}

fn leave(stage: &Stage) {
    let agent = stage.join();
    stage.open(&agent, "data");
    mark();
    agent.leave();
    mark();
}

/// An agent whose event loop sleeps, and wakes.
fn sleep_in_loop(stage: &Stage) {
    let agent = stage.join();
    mark();
    let bell = agent.loop_bell().unwrap();
    let _ = bell.fall_asleep(bell.heard());
    bell.wake_up();
    bell.drain();
    drop(bell);
    mark();
    agent.leave();
}

fn begin_handover(stage: &Stage) -> Handover {
    let mut handover = Handover::begin(&*stage.domain, 0).unwrap();
    handover.add(&stage.name("data"), None, None).unwrap();
    handover
}

fn hand_over(stage: &Stage) {
    mark();
    let handover = begin_handover(stage);
    drop(handover);
    mark();
}

fn cancel_handover(stage: &Stage) {
    let handover = begin_handover(stage);
    mark();
    handover.cancel();
    mark();
}

/// The victim's own domain, which the first survivor checks afterwards.
fn other(stage: &Stage) -> Stage {
    Stage { domain: stage.other_domain(), ..stage.clone() }
}

/// Creates have the system's limits read now and then, which takes another number of instructions
/// each time. After this, the next small one doesn't.
fn ask_for_memory(stage: &Stage) {
    assert!(crossmem_core::obstacle(&stage.domain).is_none());
}

fn create_domain(stage: &Stage) {
    ask_for_memory(stage);
    mark();
    let agent = other(stage).join();
    mark();
    agent.leave();
}

fn leave_as_last(stage: &Stage) {
    let other = other(stage);
    let agent = other.join();
    let made = other.create_bytes(&agent, "bytes", 100).unwrap();
    mark();
    made.close(&agent);
    agent.leave();
    mark();
}

fn create_group(stage: &Stage) {
    ask_for_memory(stage);
    mark();
    let agent = stage.join_group();
    mark();
    agent.leave();
}

fn leave_group(stage: &Stage) {
    let agent = stage.join_group();
    let made = stage.create_bytes(&agent, "bytes", 100).unwrap();
    mark();
    made.close(&agent);
    agent.leave();
    mark();
}

fn create(stage: &Stage) {
    let agent = stage.join();
    mark();
    let made = stage.create_bytes(&agent, "victim", 5000).unwrap();
    mark();
    made.close(&agent);
    agent.leave();
}

fn create_object(stage: &Stage) {
    let agent = stage.join();
    ask_for_memory(stage);
    mark();
    let made = stage.create(&agent, "victim", Kind::Semaphore, [3, 5, 0, 0, 0]).unwrap();
    mark();
    made.close(&agent);
    agent.leave();
}

fn create_taken(stage: &Stage) {
    let agent = stage.join();
    mark();
    assert!(stage.create_bytes(&agent, "data", 100).is_err());
    mark();
    agent.leave();
}

fn create_in_list(stage: &Stage) {
    let agent = stage.join();
    let [of, _] = stage.beside("data");
    mark();
    let made = stage.create_bytes(&agent, &of, 100).unwrap();
    mark();
    made.close(&agent);
    agent.leave();
}

/// Has used all entries that a new domain reserves.
fn create_in_new_block(stage: &Stage) {
    const RESERVED: usize = 128;
    let agent = other(stage).join();
    let create = |number| stage.create_bytes(&agent, &format!("block.{number}"), 1).unwrap();
    let before: Vec<Segment> = (0..RESERVED).map(create).collect();
    mark();
    let last = create(RESERVED);
    mark();
    for segment in before.into_iter().chain([last]) {
        segment.close(&agent);
    }
    agent.leave();
}

fn open(stage: &Stage) {
    let agent = stage.join();
    mark();
    let opened = stage.open(&agent, "semaphore");
    mark();
    opened.close(&agent);
    agent.leave();
}

fn close(stage: &Stage) {
    let agent = stage.join();
    let opened = stage.open(&agent, "data");
    mark();
    opened.close(&agent);
    mark();
    agent.leave();
}

fn close_as_last(stage: &Stage) {
    let agent = stage.join();
    let made = stage.create_bytes(&agent, "victim", 100).unwrap();
    mark();
    made.close(&agent);
    mark();
    agent.leave();
}

fn unlink(stage: &Stage) {
    let agent = stage.join();
    let made = stage.create_bytes(&agent, "victim", 100).unwrap();
    mark();
    made.unlink(&agent).unwrap();
    mark();
    assert!(Segment::open(&agent, &stage.name("victim"), None).is_err());
    made.close(&agent);
    agent.leave();
}

fn unlink_by_name(stage: &Stage) {
    let agent = stage.join();
    let made = stage.create_bytes(&agent, "victim", 100).unwrap();
    mark();
    assert!(unlink_name(&agent, &stage.name("victim")).unwrap());
    mark();
    made.close(&agent);
    agent.leave();
}

fn unlink_in_list(stage: &Stage) {
    let agent = stage.join();
    let made = stage.beside("data").map(|of| stage.create_bytes(&agent, &of, 100).unwrap());
    mark();
    made[0].unlink(&agent).unwrap();
    mark();
    for segment in made {
        segment.close(&agent);
    }
    agent.leave();
}

/// Dies with objects of its own, and with objects of other processes open.
pub fn leave_all_behind(stage: &Stage) {
    let agent: &'static Agent = Box::leak(Box::new(stage.join()));
    for of in ["victim", "victim.second"] {
        std::mem::forget(stage.create_bytes(agent, of, 100).unwrap());
    }
    std::mem::forget(stage.open(agent, "data"));
    std::mem::forget(agent.loop_bell().unwrap());
    super::queues::leave_messages_behind(stage, agent);
}
