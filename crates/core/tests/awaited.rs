//! Agents that wait until a name leads to an object.
#![cfg(target_os = "linux")]

mod common;

use common::{code, create, unique};
use crossmem_core::{Agent, Code, Listener, Segment};

/// A waiting agent, and one that creates objects.
fn pair() -> (Agent, Agent) {
    let domain = unique("d");
    (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap())
}

/// How often the agent was rung while `act` ran.
fn rings(listener: &Listener, act: impl FnOnce()) -> u32 {
    let before = listener.heard();
    act();
    listener.heard().wrapping_sub(before)
}

#[test]
fn the_creator_rings_those_that_wait_for_the_name() {
    let (waiting, creating) = pair();
    let (name, bell) = (unique("n"), waiting.listener());
    assert!(!waiting.await_name(&name).unwrap());
    let made = rings(&bell, || create(&creating, &name, 1).unwrap().close(&creating));
    assert_eq!(made, 1);
    let again = rings(&bell, || create(&creating, &name, 1).unwrap().close(&creating));
    assert_eq!(again, 0, "a ring ends the waiting");
    let object = create(&creating, &name, 1).unwrap();
    assert!(waiting.await_name(&name).unwrap(), "the object is there");
    Segment::open(&waiting, &name, None).unwrap().close(&waiting);
    object.close(&creating);
    waiting.leave();
    creating.leave();
}

#[test]
fn most_other_names_ring_no_agent_for_nothing() {
    const MADE: u32 = 200;
    let (waiting, creating) = pair();
    let (name, bell) = (unique("awaited"), waiting.listener());
    let others = rings(&bell, || {
        for _ in 0..MADE {
            assert!(!waiting.await_name(&name).unwrap());
            create(&creating, &unique("n"), 1).unwrap().close(&creating);
        }
    });
    assert!(others < MADE / 4, "{others} rings");
    waiting.leave();
    creating.leave();
}

#[test]
fn an_agent_that_waits_no_more_is_not_rung() {
    let (waiting, creating) = pair();
    let names = [unique("n"), unique("n"), unique("n")];
    for name in &names {
        assert!(!waiting.await_name(name).unwrap());
    }
    waiting.await_no_name();
    let rung = rings(&waiting.listener(), || {
        for name in &names {
            create(&creating, name, 1).unwrap().close(&creating);
        }
    });
    assert_eq!(rung, 0);
    waiting.leave();
    creating.leave();
}

#[test]
fn a_name_that_cannot_be_is_refused() {
    let (waiting, creating) = pair();
    for name in ["", "a/b", ".crossmem-x"] {
        assert_eq!(code(waiting.await_name(name)), Code::InvalidName, "{name}");
    }
    waiting.leave();
    creating.leave();
}

#[test]
fn memory_that_another_program_has_named_but_not_sized_is_not_there_yet() {
    let (waiting, creating) = pair();
    let name = unique("n");
    let path = format!("/dev/shm/{name}");
    let file = std::fs::File::create(&path).unwrap();
    assert!(!waiting.await_name(&name).unwrap());
    file.set_len(8).unwrap();
    assert!(waiting.await_name(&name).unwrap());
    std::fs::remove_file(path).unwrap();
    waiting.leave();
    creating.leave();
}
