//! Queues of messages.

use crossmem_core::{Added, Agent, Chunk, Got, Kind, Looked, Object, Segment, Wait};

use super::operation::{Operation, operation};
use crate::ledger::Stream;
use crate::scene::{CAPACITY, SPILL, VICTIMS_STRUCTURE};
use crate::setting::Setting::Ending;
use crate::stage::{NAP, Stage, mark};
use crate::user::{MESSAGE_BYTES, QueueUser};

pub const OPERATIONS: &[Operation] = &[
    operation("queue: join", join).recovered_by("queue: reap"),
    operation("queue: leave", leave).recovered_by("queue: reap"),
    operation("queue: push", push).recovered_by("queue: reap"),
    operation("queue: push a batch", push_many).recovered_by("queue: reap"),
    operation("queue: push a large message", push_large).recovered_by("queue: reap"),
    operation("queue: reserve", reserve).recovered_by("queue: reap"),
    operation("queue: commit", commit).recovered_by("queue: reap"),
    operation("queue: cancel", cancel).recovered_by("queue: reap"),
    operation("queue: take", take).recovered_by("queue: reap"),
    operation("queue: free", free).recovered_by("queue: reap"),
    operation("queue: take and free a large message", get_large).recovered_by("queue: reap"),
    operation("queue: give memory back", give_back).recovered_by("queue: reap"),
    operation("queue: pop a batch", pop_many).recovered_by("queue: reap"),
    operation("queue: put back", put_back).recovered_by("queue: reap"),
    operation("queue: sleep for a message", sleep_for_message).in_setting(Ending).recovered_by("queue: reap"),
    operation("queue: sleep for room", sleep_for_room).in_setting(Ending).recovered_by("queue: reap"),
    operation("queue: end", end).in_setting(Ending).recovered_by("queue: reap"),
    operation("queue: add a structure", add_structure),
    operation("queue: create with an arena", create).recovered_by("register"),
    operation("queue: unlink with a large message", unlink).recovered_by("register"),
    operation("queue: close as the last user", close_as_last).recovered_by("register"),
    operation("queue: reap", reap).after_death_of(die_with_messages).recovered_by("queue: reap"),
    operation("tasks: take (redelivered)", take_task).recovered_by("tasks: reap"),
    operation("tasks: finish", finish_task).recovered_by("tasks: reap"),
    operation("tasks: put back", put_task_back).recovered_by("tasks: reap"),
    operation("tasks: fail", fail_task).recovered_by("tasks: reap"),
    operation("tasks: reap", reap_tasks).after_death_of(die_with_tasks).recovered_by("tasks: reap"),
];

/// A user of a queue that doesn't leave until its process ends.
fn user(stage: &Stage, of: &str, stream: &'static Stream) -> (QueueUser<'static>, &'static Segment) {
    let agent: &'static Agent = Box::leak(Box::new(stage.join()));
    let queue: &'static Segment = Box::leak(Box::new(stage.open(agent, of)));
    (QueueUser::join(agent, queue, stream).unwrap(), queue)
}

fn main(stage: &Stage) -> (QueueUser<'static>, &'static Segment) {
    user(stage, "main", &stage.ledger.main)
}

fn tasks(stage: &Stage) -> QueueUser<'static> {
    user(stage, "tasks", &stage.ledger.tasks).0
}

fn join(stage: &Stage) {
    let agent = stage.join();
    let queue = stage.open(&agent, "main");
    mark();
    let user = QueueUser::join(&agent, &queue, &stage.ledger.main).unwrap();
    mark();
    user.leave().unwrap();
}

fn leave(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.reserve().unwrap();
    mark();
    user.leave().unwrap();
    mark();
}

fn push(stage: &Stage) {
    let (mut user, _) = main(stage);
    mark();
    let pushed = user.push(false, Wait::Try).unwrap();
    mark();
    assert!(pushed);
}

fn push_many(stage: &Stage) {
    let (mut user, _) = main(stage);
    mark();
    user.push_many(2).unwrap();
    mark();
}

/// The second such message of the process: the first one also asks the system for free memory, as
/// `create an object` does, and that takes most of its instructions.
fn push_large(stage: &Stage) {
    let (mut user, _) = main(stage);
    assert!(user.push(true, Wait::Try).unwrap());
    mark();
    let pushed = user.push(true, Wait::Try).unwrap();
    mark();
    assert!(pushed);
}

/// Survivors read the list at each turn, and add to it after the victim's death.
fn add_structure(stage: &Stage) {
    let (user, _) = main(stage);
    mark();
    let added = user.object.add_structure(&user.member, VICTIMS_STRUCTURE).unwrap();
    mark();
    assert!(matches!(added, Added::At(1 | 2)), "{added:?}");
}

fn reserve(stage: &Stage) {
    let (mut user, queue) = main(stage);
    mark();
    let chunk = user.reserve().unwrap();
    mark();
    commit_written(&user, queue, chunk);
}

fn commit_written(user: &QueueUser<'_>, queue: &Segment, chunk: Chunk) {
    let (number, len) = user.write(queue, chunk).unwrap();
    user.object.commit_message(&user.member, chunk.index, len).unwrap();
    user.stream.done(number);
}

fn commit(stage: &Stage) {
    let (mut user, queue) = main(stage);
    let chunk = user.reserve().unwrap();
    mark();
    commit_written(&user, queue, chunk);
    mark();
}

fn cancel(stage: &Stage) {
    let (mut user, _) = main(stage);
    let chunk = user.reserve().unwrap();
    mark();
    user.object.cancel_message(&user.member, chunk.index).unwrap();
    mark();
}

/// Without redelivery, a message that the victim has taken is lost if it dies before it has counted
/// it.
fn take(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.stream.may_lose(1);
    mark();
    let taken = user.take(Wait::Try).unwrap();
    mark();
    let (chunk, number) = taken.expect("there are messages");
    user.object.free_message(&user.member, chunk.index).unwrap();
    counted(&user, number);
}

fn counted(user: &QueueUser<'_>, number: u32) {
    user.stream.got(number);
    user.stream.is_safe(1);
}

fn free(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.stream.may_lose(1);
    let (chunk, number) = user.take(Wait::Try).unwrap().expect("there are messages");
    counted(&user, number);
    mark();
    user.object.free_message(&user.member, chunk.index).unwrap();
    mark();
}

fn get_large(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.stream.may_lose(1);
    user.pop_many(2).unwrap();
    mark();
    let got = user.get(Wait::Try).unwrap();
    mark();
    assert!(got);
    user.stream.is_safe(1);
}

fn pop_many(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.stream.may_lose(2);
    mark();
    user.pop_many(2).unwrap();
    user.stream.is_safe(2);
    mark();
}

/// Puts a taken message back. Once that is done, it can't be lost any more.
fn put_back(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.stream.may_lose(1);
    let (chunk, _) = user.take(Wait::Try).unwrap().expect("there are messages");
    mark();
    user.object.put_message_back(&user.member, chunk.index).unwrap();
    user.stream.is_safe(1);
    mark();
}

/// After a stream of large messages, of which the last one left memory.
fn give_back(stage: &Stage) {
    let (mut user, _) = main(stage);
    while !user.member.keeps_memory() {
        assert!(user.get(Wait::Try).unwrap());
        assert!(user.push(true, Wait::Try).unwrap());
    }
    assert!(user.get(Wait::Try).unwrap());
    mark();
    // If it is frozen in here, a survivor may give back all of it.
    user.object.give_back_memory(&user.member).unwrap();
    mark();
}

fn sleep_for_message(stage: &Stage) {
    let (mut user, _) = user(stage, "ending", &stage.ledger.main);
    mark();
    let taken = user.take(NAP).unwrap();
    mark();
    assert!(taken.is_none(), "the queue is empty: {taken:?}");
}

fn sleep_for_room(stage: &Stage) {
    let (mut user, _) = user(stage, "ending", &stage.ledger.main);
    while user.push(false, Wait::Try).unwrap() {}
    mark();
    let pushed = user.push(false, NAP).unwrap();
    mark();
    assert!(!pushed, "the queue was full");
}

fn end(stage: &Stage) {
    let (mut user, _) = user(stage, "ending", &stage.ledger.main);
    assert!(user.push(false, Wait::Try).unwrap());
    mark();
    user.object.end_queue().unwrap();
    mark();
    assert!(!user.push(false, Wait::Try).unwrap(), "the queue has ended");
}

/// Makes a queue that only the victim has, with a large message in it.
fn own_queue(stage: &Stage) -> (Agent, Segment) {
    let agent = stage.join();
    let queue =
        stage.create(&agent, "victim", Kind::MpmcQueue, [CAPACITY, MESSAGE_BYTES, SPILL, 0, 0]).unwrap();
    let object = Object::new(&agent, &queue);
    let mut member = object.join_queue().unwrap();
    object.push_message(&mut member, &[7; 100], Wait::Try).unwrap();
    (agent, queue)
}

/// The second queue of the process: the first one also asks the system for free memory.
fn create(stage: &Stage) {
    let (agent, queue) = own_queue(stage);
    mark();
    let another =
        stage.create(&agent, "another", Kind::Queue, [CAPACITY, MESSAGE_BYTES, SPILL, 0, 0]).unwrap();
    mark();
    another.close(&agent);
    queue.close(&agent);
    agent.leave();
}

fn unlink(stage: &Stage) {
    let (agent, queue) = own_queue(stage);
    mark();
    queue.unlink(&agent).unwrap();
    mark();
    let object = Object::new(&agent, &queue);
    let mut member = object.join_queue().unwrap();
    let taken = object.take_message(&mut member, Wait::Try).unwrap();
    let Looked::Got(Got::Message(chunk)) = taken else { panic!("{taken:?}") };
    let mut bytes = [0; 100];
    object.read_message(chunk, &mut bytes).unwrap();
    assert_eq!(bytes, [7; 100]);
    queue.close(&agent);
    agent.leave();
}

fn close_as_last(stage: &Stage) {
    let (agent, queue) = own_queue(stage);
    mark();
    queue.close(&agent);
    mark();
    agent.leave();
}

/// Leaves one message in each state: being written, queued in the arena, and being read.
fn die_holding(user: &mut QueueUser<'_>, queue: &Segment) {
    let chunk = user.reserve().unwrap();
    user.write(queue, chunk).unwrap();
    assert!(user.push(true, Wait::Try).unwrap());
    user.stream.may_lose(1);
    user.take(Wait::Try).unwrap().expect("there are messages");
}

fn die_with_messages(stage: &Stage) {
    let (mut user, queue) = main(stage);
    die_holding(&mut user, queue);
}

/// As `die_with_messages`, for an agent that leaves more behind.
pub fn leave_messages_behind(stage: &Stage, agent: &'static Agent) {
    let queue: &'static Segment = Box::leak(Box::new(stage.open(agent, "main")));
    die_holding(&mut QueueUser::join(agent, queue, &stage.ledger.main).unwrap(), queue);
}

fn die_with_tasks(stage: &Stage) {
    let (mut user, queue) = user(stage, "tasks", &stage.ledger.tasks);
    die_holding(&mut user, queue);
    // Redelivered: nothing is lost.
    user.stream.is_safe(1);
}

/// Takes all messages. The last attempt finds none, so it reaps dead participants.
fn reap(stage: &Stage) {
    let (mut user, _) = main(stage);
    user.stream.may_lose(1);
    mark();
    drain(&mut user);
    mark();
    user.stream.is_safe(1);
}

fn drain(user: &mut QueueUser<'_>) {
    while let Some((chunk, number)) = user.take(Wait::Try).unwrap() {
        user.stream.disposing(number);
        user.object.free_message(&user.member, chunk.index).unwrap();
        user.stream.got(number);
    }
}

fn reap_tasks(stage: &Stage) {
    let mut user = tasks(stage);
    mark();
    drain(&mut user);
    mark();
}

/// With redelivery, a message that a dead victim had taken goes to another reader.
fn take_task(stage: &Stage) {
    let mut user = tasks(stage);
    mark();
    let taken = user.take(Wait::Try).unwrap();
    mark();
    let (chunk, number) = taken.expect("there are tasks");
    user.object.free_message(&user.member, chunk.index).unwrap();
    user.stream.got(number);
}

fn finish_task(stage: &Stage) {
    let mut user = tasks(stage);
    let (chunk, number) = user.take(Wait::Try).unwrap().expect("there are tasks");
    mark();
    user.stream.disposing(number);
    user.object.free_message(&user.member, chunk.index).unwrap();
    user.stream.got(number);
    mark();
}

fn put_task_back(stage: &Stage) {
    let mut user = tasks(stage);
    let (chunk, _) = user.take(Wait::Try).unwrap().expect("there are tasks");
    mark();
    user.object.put_message_back(&user.member, chunk.index).unwrap();
    mark();
}

fn fail_task(stage: &Stage) {
    let mut user = tasks(stage);
    let (chunk, _) = user.take(Wait::Try).unwrap().expect("there are tasks");
    mark();
    user.object.abandon_message(&user.member, chunk.index).unwrap();
    mark();
}
