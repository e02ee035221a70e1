//! What queues and channels promise to agents: a waiter is rung when it can go on, and the end
//! comes after the last message.
#![cfg(target_os = "linux")]

mod common;

use common::{code, make, rung, unique};
use crossmem_core::{Agent, CONSUMER, Code, Got, Kind, Looked, Object, PRODUCER, Put, Result, Segment, Wait};

const ARMED: Wait = Wait::Arm { again: false };
const PUT: Looked<Put<()>> = Looked::Got(Put::Done(()));

/// Two agents of a domain, and an object.
struct World {
    agents: [Agent; 2],
    segment: Segment,
}

impl World {
    fn new(kind: Kind, params: [u64; 5]) -> World {
        let (domain, name) = (unique("d"), unique("n"));
        let agents = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
        let segment = make(&agents[0], &name, kind, params);
        World { agents, segment }
    }

    fn objects(&self) -> [Object<'_>; 2] {
        [0, 1].map(|agent| Object::new(&self.agents[agent], &self.segment))
    }

    fn end(self) {
        self.agents.into_iter().for_each(Agent::leave);
    }
}

fn message<T: std::fmt::Debug + Copy>(taken: Result<Looked<Got<T>>>) -> T {
    let taken = taken.unwrap();
    let Looked::Got(Got::Message(message)) = taken else { panic!("{taken:?}") };
    message
}

#[test]
fn a_waiter_at_a_queue_is_woken() {
    let world = World::new(Kind::JoinableQueue, [1, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    rung(b, b.take_message(&mut theirs, ARMED), || {
        assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
    });
    let taken = message(b.take_message(&mut theirs, Wait::Arm { again: true }));
    let finished = a.join_messages(&mut mine, ARMED);
    rung(a, finished, || {
        let room = a.push_message(&mut mine, b"2", ARMED);
        rung(a, room, || b.free_message(&theirs, taken.index).unwrap());
    });
    // A batch rings a waiter, too, and so does a message or chunk that is returned.
    rung(b, b.take_message(&mut theirs, ARMED), || {
        assert_eq!(a.push_messages(&mut mine, [&b"3"[..]].into_iter()).unwrap(), Put::Done(1));
    });
    let room = a.push_message(&mut mine, b"4", ARMED);
    rung(a, room, || assert_eq!(b.pop_messages(&mut theirs, 5, |_, _| true).unwrap(), Got::Message(1)));
    let Looked::Got(Put::Done(chunk)) = a.reserve_message(&mut mine, Wait::Try).unwrap() else { panic!() };
    rung(b, b.push_message(&mut theirs, b"5", ARMED), || a.cancel_message(&mine, chunk.index).unwrap());
    assert_eq!(a.push_message(&mut mine, b"6", Wait::Try).unwrap(), PUT);
    let taken = message(a.take_message(&mut mine, Wait::Try));
    rung(b, b.take_message(&mut theirs, ARMED), || a.put_message_back(&mine, taken.index).unwrap());
    let again = message(b.take_message(&mut theirs, Wait::Arm { again: true }));
    assert!(again.redelivered);
    b.free_message(&theirs, again.index).unwrap();
    let Looked::Got(Put::Done(chunk)) = a.reserve_message(&mut mine, Wait::Try).unwrap() else { panic!() };
    rung(b, b.take_message(&mut theirs, ARMED), || a.commit_message(&mine, chunk.index, 1).unwrap());
    message(b.take_message(&mut theirs, Wait::Arm { again: true }));
    // A participant that leaves returns what it has.
    let room = a.push_message(&mut mine, b"7", ARMED);
    rung(a, room, || b.leave_queue(theirs).unwrap());
    a.leave_queue(mine).unwrap();
    world.end();
}

#[test]
fn a_waiter_at_a_queue_is_told_its_end() {
    let world = World::new(Kind::JoinableQueue, [1, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    rung(b, b.take_message(&mut theirs, ARMED), || a.end_queue().unwrap());
    assert_eq!(b.take_message(&mut theirs, Wait::Try).unwrap(), Looked::Got(Got::Ended));
    assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), Looked::Got(Put::Ended));
    assert_eq!(b.take_message(&mut theirs, Wait::Try).unwrap(), Looked::Got(Got::Ended), "still");
    world.end();

    let world = World::new(Kind::JoinableQueue, [1, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
    rung(b, b.push_message(&mut theirs, b"2", ARMED), || a.end_queue().unwrap());
    assert_eq!(b.push_message(&mut theirs, b"2", Wait::Try).unwrap(), Looked::Got(Put::Ended));
    world.end();
}

const REDELIVER: u64 = 1;

/// The last message is in the hands of a reader: the others wait whether it comes again.
#[test]
fn a_waiter_for_the_last_message_is_woken() {
    for comes_again in [false, true] {
        let world = World::new(Kind::Queue, [2, 8, REDELIVER, 0, 0]);
        let [a, b] = world.objects();
        let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
        assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
        let taken = message(a.take_message(&mut mine, Wait::Try));
        a.end_queue().unwrap();
        assert_eq!(
            a.take_message(&mut mine, Wait::Try).unwrap(),
            Looked::Got(Got::Ended),
            "it has the last message itself"
        );
        rung(b, b.take_message(&mut theirs, ARMED), || {
            if comes_again {
                // As if it died.
                a.leave_queue(mine).unwrap();
            } else {
                a.free_message(&mine, taken.index).unwrap();
            }
        });
        if comes_again {
            let again = message(b.take_message(&mut theirs, Wait::Arm { again: true }));
            b.free_message(&theirs, again.index).unwrap();
        }
        assert_eq!(b.take_message(&mut theirs, Wait::Try).unwrap(), Looked::Got(Got::Ended));
        world.end();
    }
}

#[test]
fn the_end_comes_after_the_last_message() {
    let world = World::new(Kind::MpmcQueue, [2, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
    let Looked::Got(Put::Done(chunk)) = a.reserve_message(&mut mine, Wait::Try).unwrap() else { panic!() };
    b.end_queue().unwrap();
    let first = message(b.take_message(&mut theirs, Wait::Try));
    b.free_message(&theirs, first.index).unwrap();
    let early = b.take_message(&mut theirs, Wait::Try).unwrap();
    assert!(matches!(early, Looked::NotYet { .. }), "a message is still being written: {early:?}");
    a.commit_message(&mine, chunk.index, 0).unwrap();
    let last = message(b.take_message(&mut theirs, Wait::Try));
    b.free_message(&theirs, last.index).unwrap();
    assert_eq!(b.take_message(&mut theirs, Wait::Try).unwrap(), Looked::Got(Got::Ended));
    world.end();
}

#[test]
fn the_end_comes_after_messages_that_may_come_again() {
    for redeliver in [0, REDELIVER] {
        let world = World::new(Kind::JoinableQueue, [2, 8, redeliver, 0, 0]);
        let [a, b] = world.objects();
        let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
        assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
        let taken = message(a.take_message(&mut mine, Wait::Try));
        a.end_queue().unwrap();
        let end = b.take_message(&mut theirs, Wait::Try).unwrap();
        assert_eq!(end == Looked::Got(Got::Ended), redeliver == 0, "{end:?}");
        a.abandon_message(&mine, taken.index).unwrap();
        let end = b.take_message(&mut theirs, Wait::Try).unwrap();
        if let Looked::Got(Got::Message(again)) = end {
            assert!(again.redelivered && redeliver != 0);
            b.free_message(&theirs, again.index).unwrap();
        } else {
            assert_eq!((end, redeliver), (Looked::Got(Got::Ended), 0));
        }
        assert_eq!(b.take_message(&mut theirs, Wait::Try).unwrap(), Looked::Got(Got::Ended));
        let failures = u64::from(redeliver == 0);
        assert_eq!(b.unfinished_messages(&mut theirs).unwrap(), (0, failures));
        world.end();
    }
}

#[test]
fn a_message_that_is_being_read_is_unfinished() {
    let world = World::new(Kind::JoinableQueue, [2, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    assert_eq!(a.join_messages(&mut mine, Wait::Try).unwrap(), Looked::Got(()), "no message was put");
    assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
    assert!(matches!(a.join_messages(&mut mine, Wait::Try).unwrap(), Looked::NotYet { .. }));
    let taken = message(b.take_message(&mut theirs, Wait::Try));
    assert!(matches!(a.join_messages(&mut mine, Wait::Try).unwrap(), Looked::NotYet { .. }));
    assert_eq!(a.unfinished_messages(&mut mine).unwrap(), (1, 0));
    b.free_message(&theirs, taken.index).unwrap();
    assert_eq!(a.join_messages(&mut mine, Wait::Try).unwrap(), Looked::Got(()));
    world.end();
}

/// Nobody puts or takes a message after the death: only the getters are called.
#[test]
fn a_getter_counts_no_messages_of_dead_participants() {
    for (redeliver, size, counted) in [(0, 0, (0, 1)), (REDELIVER, 1, (1, 0))] {
        for size_first in [false, true] {
            let world = World::new(Kind::JoinableQueue, [2, 8, redeliver, 0, 0]);
            let World { agents: [a, b], segment } = world;
            let mut mine = Object::new(&a, &segment).join_queue().unwrap();
            let mut theirs = Object::new(&b, &segment).join_queue().unwrap();
            assert_eq!(Object::new(&a, &segment).push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
            message(Object::new(&b, &segment).take_message(&mut theirs, Wait::Try));
            drop(b);
            let onlooker = Object::new(&a, &segment);
            if size_first {
                assert_eq!(onlooker.queue_size(&mut mine).unwrap(), size, "redeliver: {redeliver}");
            }
            assert_eq!(onlooker.unfinished_messages(&mut mine).unwrap(), counted);
            assert_eq!(onlooker.queue_size(&mut mine).unwrap(), size);
            assert_eq!(onlooker.holders().unwrap(), []);
            a.leave();
        }
    }
}

#[test]
fn messages_of_live_agents_stay_theirs() {
    let world = World::new(Kind::JoinableQueue, [2, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    assert_eq!(a.push_message(&mut mine, b"1", Wait::Try).unwrap(), PUT);
    let taken = message(a.take_message(&mut mine, Wait::Try));
    let Looked::Got(Put::Done(chunk)) = a.reserve_message(&mut mine, Wait::Try).unwrap() else { panic!() };
    // Both fail, so both check which participants are dead.
    assert!(matches!(b.take_message(&mut theirs, Wait::Try).unwrap(), Looked::NotYet { .. }));
    assert!(matches!(b.push_message(&mut theirs, b"2", Wait::Try).unwrap(), Looked::NotYet { .. }));
    a.free_message(&mine, taken.index).unwrap();
    a.commit_message(&mine, chunk.index, 1).unwrap();
    assert_eq!(b.unfinished_messages(&mut theirs).unwrap(), (1, 0));
    world.end();
}

#[test]
fn an_agent_cannot_give_back_a_message_that_it_does_not_have() {
    let world = World::new(Kind::MpmcQueue, [2, 8, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut mine, mut theirs) = (a.join_queue().unwrap(), b.join_queue().unwrap());
    let Looked::Got(Put::Done(chunk)) = a.reserve_message(&mut mine, Wait::Try).unwrap() else { panic!() };
    assert_eq!(code(b.commit_message(&theirs, chunk.index, 1)), Code::LostOwnership);
    assert_eq!(code(b.cancel_message(&theirs, chunk.index)), Code::LostOwnership);
    assert_eq!(code(a.free_message(&mine, chunk.index)), Code::LostOwnership, "the chunk is being written");
    assert_eq!(code(a.commit_message(&mine, chunk.index, 9)), Code::TooLarge);
    a.commit_message(&mine, chunk.index, 1).unwrap();
    assert_eq!(code(a.commit_message(&mine, chunk.index, 1)), Code::LostOwnership, "twice");
    let taken = message(b.take_message(&mut theirs, Wait::Try));
    assert_eq!(code(a.free_message(&mine, taken.index)), Code::LostOwnership);
    assert_eq!(code(a.put_message_back(&mine, taken.index)), Code::LostOwnership);
    b.free_message(&theirs, taken.index).unwrap();
    assert_eq!(code(b.free_message(&theirs, taken.index)), Code::LostOwnership, "twice");
    let too_large = a.push_message(&mut mine, &[0; 9], Wait::Try);
    assert_eq!(code(too_large), Code::TooLarge, "this queue gives messages no segments of their own");
    world.end();
}

#[test]
fn a_waiter_at_a_channel_is_woken() {
    let world = World::new(Kind::SpscQueue, [64, 0, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut producer, mut consumer) = (a.take_end(PRODUCER).unwrap(), b.take_end(CONSUMER).unwrap());
    rung(b, b.peek_record(&mut consumer, ARMED), || {
        assert_eq!(a.push_record(&mut producer, &[1; 24], false, Wait::Try).unwrap(), PUT);
    });
    assert_eq!(a.push_record(&mut producer, &[2; 24], false, Wait::Try).unwrap(), PUT);
    let room = a.push_record(&mut producer, &[3; 24], false, ARMED);
    rung(a, room, || {
        message(b.peek_record(&mut consumer, Wait::Try));
        b.release_record(&mut consumer).unwrap();
    });
    assert_eq!(a.push_record(&mut producer, &[3; 24], false, Wait::Arm { again: true }).unwrap(), PUT);
    let room = a.push_record(&mut producer, &[4; 24], false, ARMED);
    rung(a, room, || assert_eq!(b.pop_records(&mut consumer, 5, |_, _| true).unwrap(), Got::Message(2)));
    rung(b, b.peek_record(&mut consumer, ARMED), || {
        assert_eq!(a.push_records(&mut producer, [&[5; 24][..]].into_iter()).unwrap(), Put::Done(1));
    });
    message(b.pop_record(&mut consumer, Wait::Try, |_, _| true));
    rung(b, b.peek_record(&mut consumer, ARMED), || {
        let place = a.reserve_record(&mut producer, 8, Wait::Try).unwrap();
        assert!(matches!(place, Looked::Got(Put::Done(_))));
        a.commit_record(&mut producer, 8, false).unwrap();
    });
    message(b.pop_record(&mut consumer, Wait::Arm { again: true }, |_, _| true));
    while a.push_record(&mut producer, &[6; 24], false, Wait::Try).unwrap() == PUT {}
    let room = a.push_record(&mut producer, &[7; 24], false, ARMED);
    rung(a, room, || message(b.pop_record(&mut consumer, Wait::Try, |_, _| true)));
    // JavaScript pushes and pops without a call, and then wakes the other end.
    while a.push_record(&mut producer, &[6; 24], false, Wait::Try).unwrap() == PUT {}
    let room = a.push_record(&mut producer, &[7; 24], false, ARMED);
    rung(a, room, || b.wake_peer(CONSUMER, false).unwrap());
    assert!(matches!(b.pop_records(&mut consumer, 5, |_, _| true).unwrap(), Got::Message(1..)));
    rung(b, b.peek_record(&mut consumer, ARMED), || a.wake_peer(PRODUCER, true).unwrap());
    rung(b, b.peek_record(&mut consumer, ARMED), || a.release_end(producer, true).unwrap());
    assert_eq!(b.peek_record(&mut consumer, Wait::Try).unwrap(), Looked::Got(Got::Ended));
    world.end();

    let world = World::new(Kind::SpscQueue, [64, 0, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut producer, consumer) = (a.take_end(PRODUCER).unwrap(), b.take_end(CONSUMER).unwrap());
    while a.push_record(&mut producer, &[1; 24], false, Wait::Try).unwrap() == PUT {}
    let room = a.push_record(&mut producer, &[1; 24], false, ARMED);
    rung(a, room, || b.release_end(consumer, true).unwrap());
    let refused = a.push_record(&mut producer, &[1; 24], false, Wait::Try).unwrap();
    assert_eq!(refused, Looked::Got(Put::Ended), "no consumer will pop it");
    world.end();
}

#[test]
fn nothing_is_pushed_once_the_consumer_closed_its_end() {
    let world = World::new(Kind::SpscQueue, [64, 0, 0, 0, 0]);
    let [a, b] = world.objects();
    let (mut producer, consumer) = (a.take_end(PRODUCER).unwrap(), b.take_end(CONSUMER).unwrap());
    let place = a.reserve_record(&mut producer, 8, Wait::Try).unwrap();
    assert!(matches!(place, Looked::Got(Put::Done(_))));
    b.release_end(consumer, true).unwrap();
    assert_eq!(code(a.commit_record(&mut producer, 8, false)), Code::Ended);
    assert_eq!(a.push_records(&mut producer, [&b"1"[..]].into_iter()).unwrap(), Put::Ended);
    assert_eq!(a.bytes_towards(CONSUMER).unwrap(), 0);
    world.end();
}

#[test]
fn an_end_is_its_owners_alone() {
    for kind in [Kind::SpscQueue, Kind::Pipe] {
        let world = World::new(kind, [64, 64 * u64::from(kind == Kind::Pipe), 0, 0, 0]);
        let [a, b] = world.objects();
        let mut mine = a.take_end(PRODUCER).unwrap();
        assert_eq!(code(b.take_end(PRODUCER)), Code::Busy);
        assert_eq!(code(a.take_end(PRODUCER)), Code::Busy, "once");
        assert_eq!(code(a.commit_record(&mut mine, 0, false)), Code::LostOwnership, "nothing is reserved");
        let place = a.reserve_record(&mut mine, 8, Wait::Try).unwrap();
        assert!(matches!(place, Looked::Got(Put::Done(_))));
        assert_eq!(a.push_record(&mut mine, b"between", false, Wait::Try).unwrap(), PUT);
        assert_eq!(
            code(a.commit_record(&mut mine, 8, false)),
            Code::LostOwnership,
            "its bytes in the ring are used by another record"
        );
        let mut theirs = b.take_end(CONSUMER).unwrap();
        assert_eq!(code(b.release_record(&mut theirs)), Code::LostOwnership, "no record was peeked at");
        a.release_end(mine, false).unwrap();
        let next = b.take_end(PRODUCER).unwrap();
        b.release_end(next, false).unwrap();
        world.end();
    }
}
