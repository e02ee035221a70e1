//! Queues of records. A victim may be killed or frozen while it has one of their ends.

use crossmem_core::{Agent, Object, Segment, Side, Wait};

use super::operation::{Operation, operation};
use crate::scene::Thing;
use crate::stage::{NAP, Stage, mark};
use crate::user::RecordUser;

pub const OPERATIONS: &[Operation] = &[
    operation("records: put", put).blocking(Thing::Records).recovered_by("records: take over"),
    operation("records: put several", put_many).blocking(Thing::Records).recovered_by("records: take over"),
    operation("records: get", get).blocking(Thing::Records).recovered_by("records: take over"),
    operation("records: hold and release", hold).blocking(Thing::Records).recovered_by("records: take over"),
    operation("records: sleep for a record", sleep)
        .blocking(Thing::Records)
        .recovered_by("records: take over"),
    operation("records: take over", take_over)
        .blocking(Thing::Records)
        .after_death_of(die_with_both_ends)
        .recovered_by("records: take over"),
];

fn user(stage: &Stage) -> RecordUser<'static> {
    let agent: &'static Agent = Box::leak(Box::new(stage.join()));
    let queue: &'static Segment = Box::leak(Box::new(stage.open(agent, "records")));
    RecordUser { object: Object::new(agent, queue), queue, stream: &stage.ledger.records }
}

fn put(stage: &Stage) {
    let user = user(stage);
    mark();
    let put = user.put(1, Wait::Try).unwrap();
    mark();
    assert!(put);
}

/// Three records in a ring of eight, of which some are around its end.
fn put_many(stage: &Stage) {
    let user = user(stage);
    mark();
    let put = user.put(3, Wait::Try).unwrap();
    mark();
    assert!(put);
}

fn get(stage: &Stage) {
    let user = user(stage);
    user.stream.may_lose(1);
    mark();
    let got = user.get(Wait::Try).unwrap();
    user.stream.is_safe(1);
    mark();
    assert!(got);
}

/// As a batch: the records stay in the queue until they are released.
fn hold(stage: &Stage) {
    let user = user(stage);
    mark();
    let number = user.hold().unwrap().expect("there are records");
    user.stream.disposing(number);
    user.object.advance_records(Side::Consumers, 1).unwrap();
    user.stream.got(number);
    mark();
}

/// Takes what is there, and waits in vain for more, or until a survivor puts it.
fn sleep(stage: &Stage) {
    let user = user(stage);
    while user.get(Wait::Try).unwrap() {}
    user.stream.may_lose(1);
    mark();
    user.get(NAP).unwrap();
    user.stream.is_safe(1);
    mark();
}

fn die_with_both_ends(stage: &Stage) {
    let user = user(stage);
    user.hold().unwrap().expect("there are records");
    user.enter_to_put().unwrap();
}

fn take_over(stage: &Stage) {
    let user = user(stage);
    user.stream.may_lose(1);
    mark();
    user.put(1, Wait::Try).unwrap();
    user.get(Wait::Try).unwrap();
    user.stream.is_safe(1);
    mark();
}
