//! A queue that is never empty and never full: even then, the message of a dead reader comes back.
#![cfg(target_os = "linux")]

mod common;

use std::time::{Duration, Instant};

use common::{make, unique};
use crossmem_core::{Agent, Got, Kind, Looked, Object, Put, Segment, Wait};

#[test]
fn a_dead_readers_messages_come_back_although_no_get_fails() {
    const REDELIVER: u64 = 1;
    const PATIENT: Duration = Duration::from_secs(30);
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = make(&agent, &name, Kind::Queue, [8, 24, REDELIVER, 0, 0]);
    let object = Object::new(&agent, &queue);
    let mut member = object.join_queue().unwrap();
    let mut push = |bytes: &[u8]| {
        let pushed = object.push_message(&mut member, bytes, Wait::Try).unwrap();
        assert_eq!(pushed, Looked::Got(Put::Done(())));
    };

    push(b"the dead one's");
    {
        let reader = Agent::register(&domain, 0).unwrap();
        let theirs = Segment::open(&reader, &name, None).unwrap();
        let object = Object::new(&reader, &theirs);
        let mut member = object.join_queue().unwrap();
        assert!(matches!(object.take_message(&mut member, Wait::Try), Ok(Looked::Got(Got::Message(_)))));
        // Dropped without leaving: other agents see it as dead.
    }
    push(b"one that is always there");

    let started = Instant::now();
    loop {
        let pushed = object.push_message(&mut member, b"one that is always there", Wait::Try).unwrap();
        assert_eq!(pushed, Looked::Got(Put::Done(())));
        let taken = object.take_message(&mut member, Wait::Try).unwrap();
        let Looked::Got(Got::Message(chunk)) = taken else { panic!("{taken:?}") };
        object.free_message(&member, chunk.index).unwrap();
        if chunk.redelivered {
            break;
        }
        assert!(started.elapsed() < PATIENT, "the message didn't come back");
    }
    agent.leave();
}
