//! A process is stopped between reading something and changing it. Another process changes it
//! meanwhile, and the first one goes on. Nothing belongs to both.
#![cfg(target_os = "linux")]

mod common;

use std::time::Duration;

use common::child::{Orders, Stopped};
use common::{code, make, spec, unique};
use crossmem_core::{
    Agent, ArrayGuard, CONSUMER, Code, Got, Kind, Looked, Member, Object, PAGE, PRODUCER, Put, Segment, Spec,
    Wait, inspect,
};

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names: name }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    match deed.as_str() {
        "register" => {
            let agents = inspect(&domain).unwrap().agents;
            let slots: Vec<usize> =
                agents.iter().filter(|agent| agent.alive).map(|agent| agent.slot).collect();
            assert_eq!(slots, [0, 1, 2], "each agent has a slot");
        }
        "sweep" => {}
        "retired" => assert_eq!(inspect(&domain).unwrap().agents.len(), 1, "the domain lists the newcomer"),
        "join" => {
            let queue = Segment::open(&agent, &name, None).unwrap();
            let member = Object::new(&agent, &queue).join_queue().unwrap();
            let refused = Object::new(&agent, &queue).cancel_message(&member, 0);
            assert_eq!(code(refused), Code::LostOwnership, "another agent reserved the chunk");
        }
        "read" => {
            let channel = Segment::open(&agent, &name, None).unwrap();
            let object = Object::new(&agent, &channel);
            let mut end = object.take_end(CONSUMER).unwrap();
            let found = object.peek_record(&mut end, Wait::Try).unwrap();
            assert!(matches!(found, Looked::Got(Got::Message(_))), "{found:?}");
            object.release_record(&mut end).unwrap();
            assert_eq!(object.peek_record(&mut end, Wait::Try).unwrap(), Looked::Got(Got::Ended));
        }
        "put" => {
            let queue = Segment::open(&agent, &name, None).unwrap();
            let object = Object::new(&agent, &queue);
            let mut member = object.join_queue().unwrap();
            let put = object.push_message(&mut member, b"the last", Wait::Try).unwrap();
            assert_eq!(put, Looked::Got(Put::Done(())));
        }
        "get-large" => {
            let queue = Segment::open(&agent, &name, None).unwrap();
            let object = Object::new(&agent, &queue);
            let mut member = object.join_queue().unwrap();
            assert_eq!(get(object, &mut member, 5000), [1; 5000]);
            queue.close(&agent);
        }
        "put-large" => {
            let queue = Segment::open(&agent, &name, None).unwrap();
            let object = Object::new(&agent, &queue);
            put(object, &mut object.join_queue().unwrap(), &[1; 5000]);
            queue.close(&agent);
        }
        "snapshot" => {
            let array = Segment::open(&agent, &name, None).unwrap();
            let guard = ArrayGuard::find(&agent, array.region(), PAGE).unwrap().unwrap();
            let copied = guard.copy_to(&agent, 0, &mut [0; 16], Duration::from_millis(10));
            assert!(!copied.unwrap(), "a writer is inside");
            array.close(&agent);
        }
        "take-end" => {
            let channel = Segment::open(&agent, &name, None).unwrap();
            let taken = Object::new(&agent, &channel).take_end(PRODUCER);
            assert_eq!(code(taken), Code::Busy);
            channel.close(&agent);
        }
        other => panic!("no deed {other}"),
    }
    agent.leave();
}

#[test]
fn a_snapshot_is_not_of_what_a_writer_began_meanwhile() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let array = Spec { kind: Kind::NDArray, guard: Some(PAGE), ..spec(&name, 2 * PAGE) };
    let array = Segment::create(&agent, &array).unwrap();
    let guard = ArrayGuard::find(&agent, array.region(), PAGE).unwrap().unwrap();
    let reader = Stopped::at("snapshot.looked", "snapshot", &domain, &name);
    assert!(matches!(guard.enter(&agent, Wait::Try), Looked::Got(_)));
    reader.go_on();
    guard.leave(&agent).unwrap();
    array.close(&agent);
    agent.leave();
}

#[test]
fn a_newcomer_finds_its_slot_taken() {
    let domain = unique("d");
    let first = Agent::register(&domain, 0).unwrap();
    let newcomer = Stopped::at("register.choosing", "register", &domain, "");
    let second = Agent::register(&domain, 0).unwrap();
    newcomer.go_on();
    assert_eq!(inspect(&domain).unwrap().agents.len(), 2);
    second.leave();
    first.leave();
}

#[test]
fn a_newcomer_keeps_the_slot_that_is_being_swept() {
    let domain = unique("d");
    let keeper = Agent::register(&domain, 0).unwrap();
    let dead = [(); 2].map(|()| Agent::register(&domain, 0).unwrap());
    drop(dead);
    // The sweeper has the slot of the first dead agent, and sweeps the second.
    let sweeper = Stopped::at("sweep.freeing", "sweep", &domain, "");
    let living = || inspect(&domain).unwrap().agents.iter().filter(|agent| agent.alive).count();
    std::thread::scope(|scope| {
        let newcomer = scope.spawn(|| {
            let agent = Agent::register(&domain, 0).unwrap();
            let seen = inspect(&domain).unwrap().agents.iter().any(|agent| agent.slot == 2 && agent.alive);
            agent.leave();
            seen
        });
        while living() < 3 {
            std::thread::yield_now();
        }
        sweeper.go_on();
        assert!(newcomer.join().unwrap(), "the newcomer is not in the table of agents");
    });
    keeper.leave();
}

#[test]
fn a_newcomer_notices_that_the_last_one_left() {
    let domain = unique("d");
    let last = Agent::register(&domain, 0).unwrap();
    let newcomer = Stopped::at("register.numbered", "retired", &domain, "");
    last.leave();
    newcomer.go_on();
    assert_eq!(common::files(&domain), Vec::<String>::new());
}

#[test]
fn a_newcomer_finds_its_place_taken() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = make(&agent, &name, Kind::MpmcQueue, [1, 8, 0, 0, 0]);
    let object = Object::new(&agent, &queue);
    let newcomer = Stopped::at("queue.joining", "join", &domain, &name);
    let mut member = object.join_queue().unwrap();
    let reserved = object.reserve_message(&mut member, Wait::Try).unwrap();
    assert!(matches!(reserved, Looked::Got(Put::Done(chunk)) if chunk.index == 0));
    newcomer.go_on();
    object.commit_message(&member, 0, 8).unwrap();
    queue.close(&agent);
    agent.leave();
}

#[test]
fn a_reader_finds_what_was_pushed_before_the_end() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let channel = make(&agent, &name, Kind::SpscQueue, [64, 0, 0, 0, 0]);
    let object = Object::new(&agent, &channel);
    let mut producer = object.take_end(PRODUCER).unwrap();
    let reader = Stopped::at("channel.empty", "read", &domain, &name);
    object.push_record(&mut producer, b"the last one", false, Wait::Try).unwrap();
    object.release_end(producer, true).unwrap();
    reader.go_on();
    channel.close(&agent);
    agent.leave();
}

fn put(object: Object<'_>, member: &mut Member, message: &[u8]) {
    let put = object.push_message(member, message, Wait::Try).unwrap();
    assert_eq!(put, Looked::Got(Put::Done(())));
}

/// Takes, reads and frees a message of that length.
fn get(object: Object<'_>, member: &mut Member, len: usize) -> Vec<u8> {
    let taken = object.take_message(member, Wait::Try).unwrap();
    let Looked::Got(Got::Message(chunk)) = taken else { panic!("{taken:?}") };
    assert_eq!(chunk.len, len as u64);
    let mut bytes = vec![0; len];
    object.read_message(chunk, &mut bytes).unwrap();
    object.free_message(member, chunk.index).unwrap();
    bytes
}

const SPILL: u64 = 2;

/// The next message is put into the same chunk, while the reader is not back from its call.
#[test]
fn a_reader_frees_no_memory_of_the_next_large_message() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = make(&agent, &name, Kind::MpmcQueue, [1, 8, SPILL, 0, 0]);
    let object = Object::new(&agent, &queue);
    let mut member = object.join_queue().unwrap();
    put(object, &mut member, &[1; 5000]);
    let reader = Stopped::at("queue.freed", "get-large", &domain, &name);
    put(object, &mut member, &[2; 6000]);
    reader.go_on();
    assert_eq!(get(object, &mut member, 6000), [2; 6000]);
    queue.close(&agent);
    agent.leave();
}

/// Large messages need neither the registry nor any other lock.
#[test]
fn a_process_stopped_anywhere_holds_up_no_large_message() {
    let labels =
        ["registry.locked", "arena.piece-written", "spill.written", "spill.measured", "queue.queued"];
    for label in labels {
        let (domain, name) = (unique("d"), unique("n"));
        let agent = Agent::register(&domain, 0).unwrap();
        let queue = make(&agent, &name, Kind::MpmcQueue, [2, 8, SPILL, 0, 0]);
        let object = Object::new(&agent, &queue);
        let mut member = object.join_queue().unwrap();
        let stopped = Stopped::at(label, "put-large", &domain, &name);
        for byte in 0..10 {
            let message = vec![byte; 1 << 20];
            put(object, &mut member, &message);
            assert!(get(object, &mut member, message.len()) == message, "beside one stopped at {label}");
        }
        stopped.go_on();
        assert_eq!(get(object, &mut member, 5000), [1; 5000], "the message of the one stopped at {label}");
        queue.close(&agent);
        agent.leave();
    }
}

#[test]
fn the_end_comes_after_a_message_that_is_not_linked_yet() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = make(&agent, &name, Kind::MpmcQueue, [2, 8, 0, 0, 0]);
    let object = Object::new(&agent, &queue);
    let mut reader = object.join_queue().unwrap();
    let writer = Stopped::at("queue.queued", "put", &domain, &name);
    object.end_queue().unwrap();
    let early = object.take_message(&mut reader, Wait::Try).unwrap();
    assert!(matches!(early, Looked::NotYet { .. }), "{early:?}");
    writer.go_on();
    let last = object.take_message(&mut reader, Wait::Try).unwrap();
    assert!(matches!(last, Looked::Got(Got::Message(_))), "{last:?}");
    queue.close(&agent);
    agent.leave();
}

#[test]
fn a_newcomer_finds_its_end_taken() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let channel = make(&agent, &name, Kind::SpscQueue, [64, 0, 0, 0, 0]);
    let object = Object::new(&agent, &channel);
    let newcomer = Stopped::at("channel.taking", "take-end", &domain, &name);
    let (mut end, other) = (object.take_end(PRODUCER).unwrap(), object.take_end(CONSUMER).unwrap());
    newcomer.go_on();
    object.push_record(&mut end, b"still mine", false, Wait::Try).unwrap();
    object.release_end(end, false).unwrap();
    object.release_end(other, false).unwrap();
    channel.close(&agent);
    agent.leave();
}
