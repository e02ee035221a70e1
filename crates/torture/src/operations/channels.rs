//! Rings with one producer and one consumer, and pipes.

use crossmem_core::{Agent, CONSUMER, End, Got, Handover, Looked, Object, PRODUCER, Segment, Wait};

use super::operation::{Operation, operation};
use crate::scene::Thing;
use crate::setting::Setting::Pipe;
use crate::stage::{NAP, Stage, mark};
use crate::user::ChannelUser;

pub const OPERATIONS: &[Operation] = &[
    operation("ring: take an end", take_end).blocking(Thing::Ring).recovered_by("ring: take over"),
    operation("ring: release an end", release_end).blocking(Thing::Ring).recovered_by("ring: take over"),
    operation("ring: take over", take_over)
        .blocking(Thing::Ring)
        .after_death_of(die_with_both_ends)
        .recovered_by("ring: take over"),
    operation("ring: push", push).blocking(Thing::Ring).recovered_by("ring: take over"),
    operation("ring: push a batch", push_many).blocking(Thing::Ring).recovered_by("ring: take over"),
    operation("ring: reserve and commit", reserve_and_commit)
        .blocking(Thing::Ring)
        .recovered_by("ring: take over"),
    operation("ring: peek and release", peek_and_release)
        .blocking(Thing::Ring)
        .recovered_by("ring: take over"),
    operation("ring: pop a batch", pop_many).blocking(Thing::Ring).recovered_by("ring: take over"),
    operation("pipe: sleep for a record", sleep_for_record).in_setting(Pipe),
    operation("pipe: send", send).in_setting(Pipe),
    operation("pipe: receive", receive).in_setting(Pipe),
    operation("pipe: close", close).in_setting(Pipe),
    operation("pipe: take an end that is handed over", take_handed_over).in_setting(Pipe),
];

/// An owner of an end that keeps it until its process ends.
fn user(stage: &Stage, end: usize) -> (ChannelUser<'static>, &'static Segment) {
    let agent: &'static Agent = Box::leak(Box::new(stage.join()));
    let ring: &'static Segment = Box::leak(Box::new(stage.open(agent, "ring")));
    (ChannelUser::take(agent, ring, end, &stage.ledger.ring).unwrap(), ring)
}

fn take_end(stage: &Stage) {
    let agent = stage.join();
    let ring = stage.open(&agent, "ring");
    mark();
    let user = ChannelUser::take(&agent, &ring, PRODUCER, &stage.ledger.ring).unwrap();
    mark();
    user.release(false).unwrap();
}

fn release_end(stage: &Stage) {
    let (user, _) = user(stage, CONSUMER);
    mark();
    user.release(false).unwrap();
    mark();
}

fn die_with_both_ends(stage: &Stage) {
    for end in [PRODUCER, CONSUMER] {
        user(stage, end);
    }
}

fn take_over(stage: &Stage) {
    let agent = stage.join();
    let ring = stage.open(&agent, "ring");
    mark();
    for end in [PRODUCER, CONSUMER] {
        ChannelUser::take(&agent, &ring, end, &stage.ledger.ring).unwrap().release(false).unwrap();
    }
    mark();
}

fn push(stage: &Stage) {
    let (mut user, _) = user(stage, PRODUCER);
    mark();
    let pushed = user.push().unwrap();
    mark();
    assert!(pushed);
}

fn push_many(stage: &Stage) {
    let (mut user, _) = user(stage, PRODUCER);
    mark();
    user.push_many(3).unwrap();
    mark();
}

fn reserve_and_commit(stage: &Stage) {
    let (mut user, ring) = user(stage, PRODUCER);
    mark();
    let (number, len) = user.reserve_and_write(ring).unwrap();
    user.object.commit_record(&mut user.end, len, false).unwrap();
    user.stream.done(number);
    mark();
}

/// Peeks at a record, which stays in the ring until it is released.
fn peek_and_release(stage: &Stage) {
    let (mut user, _) = user(stage, CONSUMER);
    mark();
    let number = user.peek().unwrap().expect("there are records");
    user.stream.disposing(number);
    user.object.release_record(&mut user.end).unwrap();
    user.stream.got(number);
    mark();
}

fn pop_many(stage: &Stage) {
    let (mut user, _) = user(stage, CONSUMER);
    user.stream.may_lose(2);
    mark();
    user.pop_many(2).unwrap();
    user.stream.is_safe(2);
    mark();
}

/// The far end of the survivor's pipe.
struct Far {
    object: Object<'static>,
    end: End,
    stage: Stage,
}

impl Far {
    fn new(stage: &Stage) -> Far {
        let agent: &'static Agent = Box::leak(Box::new(stage.join()));
        let pipe: &'static Segment = Box::leak(Box::new(stage.open(agent, "pipe")));
        let object = Object::new(agent, pipe);
        Far { object, end: object.take_end(1).unwrap(), stage: stage.clone() }
    }

    fn into_user(self) -> ChannelUser<'static> {
        ChannelUser { object: self.object, end: self.end, stream: &self.stage.ledger.pipe }
    }
}

fn send(stage: &Stage) {
    let mut user = Far::new(stage).into_user();
    mark();
    user.push_many(2).unwrap();
    mark();
}

fn receive(stage: &Stage) {
    let mut far = Far::new(stage);
    mark();
    for _ in 0..3 {
        let record = far.object.peek_record(&mut far.end, Wait::Try).unwrap();
        let Looked::Got(Got::Message(record)) = record else { panic!("{record:?}") };
        let mut bytes = vec![0; record.len as usize];
        far.object.read_record(record, &mut bytes).unwrap();
        assert_eq!(bytes, b"from the survivor");
        far.object.release_record(&mut far.end).unwrap();
    }
    mark();
}

fn sleep_for_record(stage: &Stage) {
    let mut far = Far::new(stage);
    for _ in 0..3 {
        far.object.peek_record(&mut far.end, Wait::Try).unwrap();
        far.object.release_record(&mut far.end).unwrap();
    }
    mark();
    let record = far.object.peek_record(&mut far.end, NAP).unwrap();
    mark();
    assert!(matches!(record, Looked::NotYet { .. }), "the pipe is empty: {record:?}");
}

fn close(stage: &Stage) {
    let user = Far::new(stage).into_user();
    mark();
    user.release(true).unwrap();
    mark();
}

/// The receiver is in the process of the sender: it dies with the agent that hands over.
fn take_handed_over(stage: &Stage) {
    let agent: &'static Agent = Box::leak(Box::new(stage.join()));
    let pipe: &'static Segment = Box::leak(Box::new(stage.open(agent, "pipe")));
    let mut handover = Handover::begin(&*stage.domain, 0).unwrap();
    handover.add(&stage.name("pipe"), None, Some(1)).unwrap();
    mark();
    let object = Object::new(agent, pipe);
    let end = object.take_end_from(1, Some(handover.instance())).unwrap();
    mark();
    drop(handover);
    let mut user = ChannelUser { object, end, stream: &stage.ledger.pipe };
    user.push_many(2).unwrap();
}
