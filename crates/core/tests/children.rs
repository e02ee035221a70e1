//! Segments of messages that were too large for their queue, when the queue loses its name while they are made.
#![cfg(target_os = "linux")]

mod common;

use common::{files, spec, unique};
use crossmem_core::{Agent, Kind, Segment, Spec, unlink_name};

fn queue(agent: &Agent, name: &str) -> Segment {
    let params = Some([4, 64, 2, 0, 0]);
    Segment::create(agent, &Spec { kind: Kind::Queue, params, ..spec(name, 0) }).unwrap()
}

fn message(agent: &Agent, queue: &Segment, name: &str) -> Segment {
    Segment::create(agent, &Spec { kind: Kind::Spill, parent: Some(queue), ..spec(name, 1000) }).unwrap()
}

#[test]
fn a_message_outlives_its_queues_name_with_whoever_has_the_queue_open() {
    let (domain, queues, messages) = (unique("d"), unique("q"), unique("m"));
    let (a, b) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let queue = queue(&a, &queues);
    let message = message(&a, &queue, &messages);
    assert!(unlink_name(&b, &queues).unwrap());
    message.close(&a);
    assert_eq!(
        files(&messages),
        std::slice::from_ref(&messages),
        "its queue can still be read by its writer"
    );
    queue.close(&a);
    assert!(files(&messages).is_empty());
    a.leave();
    b.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn a_message_outlives_whoever_put_it() {
    let (domain, queues, messages) = (unique("d"), unique("q"), unique("m"));
    let a = Agent::register(&domain, 0).unwrap();
    let queue = queue(&a, &queues);
    {
        let writer = Agent::register(&domain, 0).unwrap();
        let theirs = Segment::open(&writer, &queues, None).unwrap();
        message(&writer, &theirs, &messages);
        // Dropped without having left: dead to everybody.
    }
    a.collect_garbage().unwrap();
    assert_eq!(files(&messages), std::slice::from_ref(&messages), "its queue is there");
    queue.close(&a);
    assert!(files(&messages).is_empty());
    a.leave();
    assert!(files(&domain).is_empty());
}

#[cfg(feature = "failpoints")]
#[test]
fn an_unlink_that_died_half_way_keeps_no_message() {
    let (domain, queues, messages) = (unique("d"), unique("q"), unique("m"));
    let a = Agent::register(&domain, 0).unwrap();
    let queue = queue(&a, &queues);
    message(&a, &queue, &messages).close(&a);
    let life = common::live_until("unlink", &domain, &queues, "erase.children");
    assert_eq!(life.at.as_deref(), Some("erase.children"));
    queue.close(&a);
    assert!(files(&messages).is_empty(), "nobody has the queue");
    a.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn child_program() {
    if std::env::var("CROSSMEM_TEST_DEED").is_ok() {
        let agent = Agent::register(&std::env::var("DOMAIN").unwrap(), 0).unwrap();
        unlink_name(&agent, &std::env::var("NAMES").unwrap()).unwrap();
    }
}
