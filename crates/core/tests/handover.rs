//! Objects on their way to another process have a living agent, whichever process dies; and a
//! process notices that another agent is gone.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::os::fd::{BorrowedFd, OwnedFd};

use common::child::{Life, Orders, assert_visited, every_step, live_until, say};
use common::{code, files, make, unique};
use crossmem_core::{
    Agent, AgentId, Code, End, Got, Handover, Kind, Looked, Object, Put, Segment, Wait, Watch, inspect,
};

const PIPE: [u64; 5] = [256, 256, 0, 0, 0];

/// The descriptor as another process inherits it: the same description.
fn inherited(handover: &Handover) -> OwnedFd {
    // SAFETY: the handover is open during the call.
    unsafe { BorrowedFd::borrow_raw(handover.descriptor().unwrap()) }.try_clone_to_owned().unwrap()
}

fn hand_over(domain: &str, objects: &[(&str, Option<usize>)]) -> crossmem_core::Result<Handover> {
    let mut handover = Handover::begin(domain, 0)?;
    for (name, end) in objects {
        handover.add(name, None, *end)?;
    }
    Ok(handover)
}

/// An agent that has the first end of a pipe.
struct World {
    domain: String,
    name: String,
    agent: Agent,
    pipe: Segment,
}

impl World {
    fn new() -> World {
        let (domain, name) = (unique("d"), unique("n"));
        let agent = Agent::register(&domain, 0).unwrap();
        let pipe = make(&agent, &name, Kind::Pipe, PIPE);
        World { domain, name, agent, pipe }
    }

    fn object(&self) -> Object<'_> {
        Object::new(&self.agent, &self.pipe)
    }

    fn end(self, at: &str) {
        self.pipe.close(&self.agent);
        self.agent.leave();
        assert_eq!((files(&self.name), files(&self.domain)), (vec![], vec![]), "after {at}");
    }
}

fn received(object: Object<'_>, end: &mut End) -> Result<Looked<Got<()>>, Code> {
    let found = object.peek_record(end, Wait::Try).map_err(|refused| refused.code)?;
    let Looked::Got(Got::Message(_)) = found else {
        return Ok(match found {
            Looked::Got(_) => Looked::Got(Got::Ended),
            Looked::NotYet { sleepers } => Looked::NotYet { sleepers },
            Looked::Mine => Looked::Mine,
        });
    };
    object.release_record(end).unwrap();
    Ok(Looked::Got(Got::Message(())))
}

#[test]
fn an_object_on_its_way_lives_without_its_sender() {
    let (domain, name) = (unique("d"), unique("n"));
    let sender = Agent::register(&domain, 0).unwrap();
    let event = make(&sender, &name, Kind::Event, [0; 5]);
    let handover = hand_over(&domain, &[(&name, None)]).unwrap();
    let inherited = inherited(&handover);
    event.close(&sender);
    sender.leave();
    drop(handover);
    let receiver = Agent::register(&domain, 0).unwrap();
    let opened = Segment::open(&receiver, &name, Some(Kind::Event)).unwrap();
    drop(inherited);
    assert_eq!(receiver.collect_garbage().unwrap().agents, 1);
    assert_eq!(files(&name), std::slice::from_ref(&name), "the receiver has it open");
    opened.close(&receiver);
    receiver.leave();
    assert_eq!((files(&name), files(&domain)), (vec![], vec![]));
}

#[test]
fn an_object_that_no_process_receives_goes_with_the_descriptor() {
    let (domain, name) = (unique("d"), unique("n"));
    let sender = Agent::register(&domain, 0).unwrap();
    let event = make(&sender, &name, Kind::Event, [0; 5]);
    let handover = hand_over(&domain, &[(&name, None)]).unwrap();
    event.close(&sender);
    assert_eq!(files(&name), std::slice::from_ref(&name));
    drop(handover);
    let swept = sender.collect_garbage().unwrap();
    assert_eq!((swept.agents, swept.objects), (1, 1));
    sender.leave();
    assert_eq!((files(&name), files(&domain)), (vec![], vec![]));
}

#[test]
fn only_the_receiver_takes_an_end_that_is_on_its_way() {
    let world = World::new();
    let mut near = world.object().take_end(0).unwrap();
    let handover = hand_over(&world.domain, &[(&world.name, Some(1))]).unwrap();
    let instance = handover.instance();
    let inherited = inherited(&handover);
    drop(handover);
    let receiver = Agent::register(&world.domain, 0).unwrap();
    let pipe = Segment::open(&receiver, &world.name, None).unwrap();
    let far = Object::new(&receiver, &pipe);
    assert_eq!(code(far.take_end(1).map(drop)), Code::Busy);
    assert_eq!(code(far.take_end_from(1, Some(instance + 1)).map(drop)), Code::Busy);
    let mut end = far.take_end_from(1, Some(instance)).unwrap();
    drop(inherited);
    world.agent.collect_garbage().unwrap();
    assert_eq!(far.push_record(&mut end, b"here", false, Wait::Try).unwrap(), Looked::Got(Put::Done(())));
    assert_eq!(received(world.object(), &mut near), Ok(Looked::Got(Got::Message(()))));
    far.release_end(end, true).unwrap();
    assert_eq!(received(world.object(), &mut near), Ok(Looked::Got(Got::Ended)));
    pipe.close(&receiver);
    receiver.leave();
    world.end("the end");
}

#[test]
fn the_other_end_is_told_if_no_process_receives_one() {
    let world = World::new();
    let mut near = world.object().take_end(0).unwrap();
    let handover = hand_over(&world.domain, &[(&world.name, Some(1))]).unwrap();
    assert!(matches!(received(world.object(), &mut near), Ok(Looked::NotYet { .. })));
    drop(handover);
    assert_eq!(received(world.object(), &mut near), Err(Code::PeerDied));
    world.end("the end");
}

#[test]
fn a_cancelled_handover_changes_nothing() {
    let world = World::new();
    let handover = hand_over(&world.domain, &[(&world.name, Some(1))]).unwrap();
    assert_eq!(code(world.object().take_end(1).map(drop)), Code::Busy);
    handover.cancel();
    assert_eq!(world.agent.collect_garbage().unwrap().agents, 0, "it has left");
    world.object().take_end(1).unwrap();
    world.end("the end");
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let (deed, instance) = deed.split_once(' ').unwrap_or((&deed, ""));
    if deed == "send" {
        let handover = hand_over(&domain, &[(&names, Some(1))]).unwrap();
        say("handed over");
        handover.cancel();
        say("cancelled");
        return;
    }
    let agent = Agent::register(&domain, 0).unwrap();
    let pipe = Segment::open(&agent, &names, None).unwrap();
    let object = Object::new(&agent, &pipe);
    let mut end = object.take_end_from(1, Some(instance.parse().unwrap())).unwrap();
    object.push_record(&mut end, b"here", false, Wait::Try).unwrap();
    say("pushed");
    object.release_end(end, true).unwrap();
    pipe.close(&agent);
    agent.leave();
}

/// A sender dies at a step. The other end is told, unless nothing was on its way.
fn senders() -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new();
        let mut near = world.object().take_end(0).unwrap();
        let Life { at, said } = live_until("send", &world.domain, &world.name, &format!("*:{step}"));
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        let was_taken = shown == "channel.taken" || said.iter().any(|said| said == "handed over");
        // Cancelling begins with the release.
        let is_released = said.iter().any(|said| said == "handed over");
        match received(world.object(), &mut near) {
            Err(Code::PeerDied) => assert!(was_taken && !is_released, "after {shown}"),
            seen => {
                assert!(matches!(seen, Ok(Looked::NotYet { .. })), "{seen:?} after {shown}");
                assert!(!was_taken || is_released, "after {shown}");
                world.object().take_end(1).unwrap();
            }
        }
        world.end(&shown);
        at
    })
}

/// A receiver dies at a step. The other end gets what it sent, and is told.
fn receivers() -> BTreeSet<String> {
    every_step(|step| {
        let world = World::new();
        let mut near = world.object().take_end(0).unwrap();
        let handover = hand_over(&world.domain, &[(&world.name, Some(1))]).unwrap();
        let deed = format!("receive {}", handover.instance());
        let Life { at, said } = live_until(&deed, &world.domain, &world.name, &format!("*:{step}"));
        let shown = at.clone().unwrap_or_else(|| "the end".to_owned());
        drop(handover);
        let closed = world.object().end_is_closed(1).unwrap();
        let mut seen = received(world.object(), &mut near);
        if seen == Ok(Looked::Got(Got::Message(()))) {
            seen = received(world.object(), &mut near);
        } else {
            assert!(!said.iter().any(|said| said == "pushed"), "after {shown}");
        }
        let told = if closed { Ok(Looked::Got(Got::Ended)) } else { Err(Code::PeerDied) };
        assert_eq!(seen, told, "after {shown}");
        world.end(&shown);
        at
    })
}

#[test]
fn killed_at_every_step() {
    let mut visited = senders();
    visited.extend(receivers());
    assert_visited(&["handover.opened", "channel.taking", "channel.taken", "channel.released"], &visited);
}

fn watch(domain: &str, agent: AgentId) -> Option<Watch> {
    Watch::of(domain, agent).unwrap()
}

#[test]
fn a_watch_ends_when_the_agent_is_gone() {
    let domain = unique("d");
    let (watched, other) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let watch = watch(&domain, watched.id()).unwrap();
    assert!(watch.is_alive());
    let waits = std::thread::spawn(move || {
        watch.wait();
        watch
    });
    watched.leave();
    let watch = waits.join().unwrap();
    assert!(!watch.is_alive());
    other.leave();
}

#[test]
fn a_watch_is_not_taken_for_the_agent_that_it_outlived() {
    let domain = unique("d");
    let (watched, other) = (Agent::register(&domain, 0).unwrap(), Agent::register(&domain, 0).unwrap());
    let watch = watch(&domain, watched.id()).unwrap();
    // As a kill: the agent doesn't leave its slot.
    drop(watched);
    watch.wait();
    let alive = inspect(&*domain).unwrap().agents.iter().filter(|agent| agent.alive).count();
    assert_eq!(alive, 1);
    assert_eq!(other.collect_garbage().unwrap().agents, 1);
    other.leave();
}

#[test]
fn a_watch_tells_agents_of_two_domains_of_one_name_apart() {
    let domain = unique("d");
    let first = Agent::register(&domain, 0).unwrap();
    let gone = first.id();
    first.leave();
    assert!(watch(&domain, gone).is_none(), "there is no domain");
    let second = Agent::register(&domain, 0).unwrap();
    assert_eq!(second.id().instance, gone.instance);
    assert!(watch(&domain, gone).is_none());
    assert!(watch(&domain, second.id()).is_some_and(|watch| watch.is_alive()));
    second.leave();
}
