//! Segments of large messages, when their queue loses its name or their writer dies.
#![cfg(target_os = "linux")]

mod common;

use common::child::Orders;
#[cfg(feature = "failpoints")]
use common::child::live_until;
use common::{files, make, spec, unique};
use crossmem_core::{Agent, Kind, Segment, Spec, unlink_name};

fn queue(agent: &Agent, name: &str) -> Segment {
    make(agent, name, Kind::Queue, [4, 64, 2, 0, 0])
}

fn message(agent: &Agent, queue: &Segment, name: &str) -> Segment {
    Segment::create(agent, &Spec { kind: Kind::Spill, parent: queue.object(), ..spec(name, 1000) }).unwrap()
}

#[test]
fn a_message_outlives_its_queues_name_while_an_agent_has_the_queue_open() {
    let (domain, queues, messages) = (unique("d"), unique("q"), unique("m"));
    let (a, b) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let queue = queue(&a, &queues);
    let message = message(&a, &queue, &messages);
    assert!(unlink_name(&b, &queues).unwrap());
    message.close(&a);
    assert_eq!(
        files(&messages),
        std::slice::from_ref(&messages),
        "the writer of the message still has the queue open"
    );
    queue.close(&a);
    assert!(files(&messages).is_empty());
    a.leave();
    b.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn a_message_outlives_its_producer() {
    let (domain, queues, messages) = (unique("d"), unique("q"), unique("m"));
    let a = Agent::register(&domain, 0).unwrap();
    let queue = queue(&a, &queues);
    {
        let writer = Agent::register(&domain, 0).unwrap();
        let theirs = Segment::open(&writer, &queues, None).unwrap();
        message(&writer, &theirs, &messages);
        // Dropped without leaving: other agents see it as dead.
    }
    a.collect_garbage().unwrap();
    assert_eq!(files(&messages), std::slice::from_ref(&messages), "the queue is there");
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
    let life = live_until("unlink", &domain, &queues, "erase.children");
    assert_eq!(life.at.as_deref(), Some("erase.children"));
    queue.close(&a);
    assert!(files(&messages).is_empty(), "no agent has the queue open");
    a.leave();
    assert!(files(&domain).is_empty());
}

#[test]
fn child_program() {
    if let Some(Orders { domain, names, .. }) = Orders::given() {
        let agent = Agent::register(&domain, 0).unwrap();
        unlink_name(&agent, &names).unwrap();
    }
}
