//! Memory of large messages that stays while they follow each other: how much, and who gives it
//! back.
#![cfg(target_os = "linux")]

mod common;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use common::child::{Orders, assert_visited, every_step, live_until, say};
use common::{make, spilled_bytes, unique};
use crossmem_core::{Agent, Got, Kind, Looked, Member, Object, Put, Segment, Wait};

const SPILL: u64 = 2;
const CAPACITY: u32 = 256;
/// The bytes of a message.
const LARGE: usize = 64 << 10;

/// A queue whose chunks have 24 bytes.
fn queue(agent: &Agent, name: &str) -> Segment {
    make(agent, name, Kind::MpmcQueue, [CAPACITY.into(), 24, SPILL, 0, 0])
}

fn put(object: Object<'_>, member: &mut Member, filler: u8) {
    let put = object.push_message(member, &vec![filler; LARGE], Wait::Try).unwrap();
    assert_eq!(put, Looked::Got(Put::Done(())));
}

/// Takes a message and frees it. Returns its first byte, or `None` if there is no message.
fn get(object: Object<'_>, member: &mut Member) -> Option<u8> {
    let Looked::Got(Got::Message(chunk)) = object.take_message(member, Wait::Try).unwrap() else {
        return None;
    };
    let mut bytes = vec![0; chunk.len as usize];
    object.read_message(chunk, &mut bytes).unwrap();
    // At once: a loop over bytes is slow where tests are compiled without optimisation.
    assert!(bytes == vec![bytes[0]; LARGE]);
    object.free_message(member, chunk.index).unwrap();
    Some(bytes[0])
}

/// Makes a queue in a domain of its own, uses it and closes it.
fn with_queue(act: impl FnOnce(Object<'_>, &str)) {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let made = queue(&agent, &name);
    act(Object::new(&agent, &made), &domain);
    made.close(&agent);
    agent.leave();
}

/// Puts and gets messages of an empty queue until the memory of one stays. Some of the first ones
/// may come too slowly on a busy machine. So there are more than a stream needs, and a child that
/// is killed at a step takes as many steps before as the one that was killed at the step before.
fn flow(object: Object<'_>, member: &mut Member, domain: &str) {
    while spilled_bytes(domain) == 0 {
        for _ in 0..24 {
            put(object, member, 7);
            assert_eq!(get(object, member), Some(7));
        }
    }
}

/// Waits for messages, of which none comes, until no memory is left.
fn idle(object: Object<'_>, member: &mut Member, domain: &str) {
    let most = 1000;
    let waits = (0..most).take_while(|_| spilled_bytes(domain) > 0).map(|_| {
        let taken = object.take_message(member, Wait::For(Duration::from_millis(10))).unwrap();
        assert!(matches!(taken, Looked::NotYet { .. }), "{taken:?}");
    });
    assert!(waits.count() < most, "{} bytes stay", spilled_bytes(domain));
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    let opened = Segment::open(&agent, &names, None).unwrap();
    let object = Object::new(&agent, &opened);
    let mut member = object.join_queue().unwrap();
    flow(object, &mut member, &domain);
    say("flows");
    match deed.as_str() {
        "leave" => object.leave_queue(member).unwrap(),
        "idle" => idle(object, &mut member, &domain),
        other => panic!("no deed {other}"),
    }
    say("gave back");
    agent.leave();
}

#[test]
fn the_next_large_message_uses_what_the_last_one_left() {
    with_queue(|object, domain| {
        let mut member = object.join_queue().unwrap();
        put(object, &mut member, 1);
        assert_eq!(get(object, &mut member), Some(1));
        assert_eq!(spilled_bytes(domain), 0, "one message is no stream");
        flow(object, &mut member, domain);
        assert_eq!(spilled_bytes(domain), LARGE as u64);
        put(object, &mut member, 2);
        assert_eq!(spilled_bytes(domain), LARGE as u64);
        assert_eq!(get(object, &mut member), Some(2));
    });
}

#[test]
fn a_stream_keeps_the_memory_of_few_messages() {
    with_queue(|object, domain| {
        let mut member = object.join_queue().unwrap();
        for _ in 0..2 {
            flow(object, &mut member, domain);
            for _ in 0..CAPACITY {
                put(object, &mut member, 1);
            }
            while get(object, &mut member).is_some() {}
            let kept = spilled_bytes(domain);
            assert!(kept <= 32 * LARGE as u64, "{kept} bytes");
        }
    });
}

#[test]
fn a_reader_gives_memory_back_when_it_leaves() {
    with_queue(|object, domain| {
        let mut member = object.join_queue().unwrap();
        flow(object, &mut member, domain);
        object.leave_queue(member).unwrap();
        assert_eq!(spilled_bytes(domain), 0);
    });
}

#[test]
fn a_reader_gives_memory_back_when_no_message_comes() {
    with_queue(|object, domain| {
        let mut member = object.join_queue().unwrap();
        flow(object, &mut member, domain);
        idle(object, &mut member, domain);
    });
}

#[test]
fn messages_stay_when_memory_is_given_back() {
    with_queue(|object, domain| {
        let [mut one, mut other] = [0; 2].map(|_| object.join_queue().unwrap());
        flow(object, &mut one, domain);
        for filler in 1..=100 {
            put(object, &mut other, filler);
        }
        let Looked::Got(Got::Message(held)) = object.take_message(&mut other, Wait::Try).unwrap() else {
            panic!()
        };
        object.leave_queue(one).unwrap();
        assert_eq!(spilled_bytes(domain), 100 * LARGE as u64);
        let mut bytes = vec![0; LARGE];
        object.read_message(held, &mut bytes).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 1));
        let got: Vec<u8> = std::iter::from_fn(|| get(object, &mut other)).collect();
        assert_eq!(got, (2..=100).collect::<Vec<_>>());
    });
}

/// A reader dies at every step of a stream, and of giving its memory back. Another participant
/// gives back what it left, and finds all room.
#[test]
fn killed_at_every_step() {
    let visited = RefCell::new(BTreeSet::new());
    for (deed, label) in [("leave", "*"), ("idle", "spill.giving-back")] {
        every_step(|step| {
            let (domain, name) = (unique("d"), unique("n"));
            let agent = Agent::register(&domain, 0).unwrap();
            let made = queue(&agent, &name);
            let object = Object::new(&agent, &made);
            let mut member = object.join_queue().unwrap();
            let life = live_until(deed, &domain, &name, &format!("{label}:{step}"));
            if life.said == ["flows"] {
                visited.borrow_mut().extend(life.at.clone());
            }
            while get(object, &mut member).is_some() {}
            idle(object, &mut member, &domain);
            for filler in 0..=u8::MAX {
                put(object, &mut member, filler);
            }
            let got: Vec<u8> = std::iter::from_fn(|| get(object, &mut member)).collect();
            assert_eq!(got, (0..=u8::MAX).collect::<Vec<_>>(), "after {label}:{step}");
            made.close(&agent);
            agent.leave();
            life.at
        });
    }
    assert_visited(
        &["queue.claimed", "spill.giving-back", "spill.punched", "queue.freed"],
        &visited.borrow(),
    );
}
