//! The FIFO of an agent whose event loop sleeps: when it becomes readable, and what is left of it.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

use common::{files, make, unique};
use crossmem_core::{Agent, Kind, Looked, LoopBell, Object, Segment, Wait};

/// An agent that waits for an event with its event loop, and one that sets the event.
struct Pair {
    domain: String,
    waiting: Agent,
    setting: Agent,
    event: Segment,
}

impl Pair {
    fn new() -> Pair {
        let domain = unique("d");
        let [waiting, setting] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
        let event = make(&waiting, &unique("n"), Kind::Event, [0; 5]);
        Pair { domain, waiting, setting, event }
    }

    /// Arms the waiting agent, which says that it sleeps if `asleep`; then the other agent sets the
    /// event. Returns whether the agent fell asleep.
    fn ring(&self, bell: &LoopBell, asleep: bool) -> bool {
        let waiter = Object::new(&self.waiting, &self.event);
        let times = waiter.event_times().unwrap();
        waiter.clear_event().unwrap();
        let armed = waiter.wait_event(times, Wait::Arm { again: false }).unwrap();
        assert!(matches!(armed, Looked::NotYet { .. }));
        let sleeps = asleep && bell.fall_asleep(bell.heard());
        Object::new(&self.setting, &self.event).set_event().unwrap();
        sleeps
    }

    fn end(self) {
        self.event.close(&self.waiting);
        self.waiting.leave();
        self.setting.leave();
        assert_eq!(files(&self.domain), Vec::<String>::new());
    }
}

fn is_readable(bell: &LoopBell) -> bool {
    let mut poll = libc::pollfd { fd: bell.descriptor(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, and no waiting.
    unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
}

#[test]
fn a_ring_makes_it_readable_only_while_the_loop_sleeps() {
    let pair = Pair::new();
    let bell = pair.waiting.loop_bell().unwrap();
    let heard = bell.heard();
    pair.ring(&bell, false);
    assert_ne!(bell.heard(), heard, "the ring is counted");
    assert!(!is_readable(&bell), "the loop is awake");
    assert!(!bell.fall_asleep(heard), "a ring came before");
    assert!(pair.ring(&bell, true));
    assert!(is_readable(&bell));
    bell.wake_up();
    bell.drain();
    assert!(!is_readable(&bell));
    pair.ring(&bell, false);
    assert!(!is_readable(&bell), "it has woken up");
    drop(bell);
    pair.end();
}

#[test]
fn a_full_fifo_stops_no_agent_that_rings() {
    let pair = Pair::new();
    let bell = pair.waiting.loop_bell().unwrap();
    // SAFETY: an open descriptor, which the bell closes.
    let mut fifo = ManuallyDrop::new(unsafe { File::from_raw_fd(bell.descriptor()) });
    while fifo.write(&[0; 4096]).is_ok() {}
    for _ in 0..3 {
        pair.ring(&bell, true);
        assert!(is_readable(&bell));
    }
    drop(bell);
    pair.end();
}

#[test]
fn a_fifo_that_is_gone_stops_no_agent_that_rings() {
    let pair = Pair::new();
    let bell = pair.waiting.loop_bell().unwrap();
    for name in files(&format!("{}~f", pair.domain)) {
        std::fs::remove_file(format!("/dev/shm/{name}")).unwrap();
    }
    let heard = bell.heard();
    assert!(pair.ring(&bell, true));
    assert_ne!(bell.heard(), heard, "the next tick sees it");
    drop(bell);
    pair.end();
}

/// What another program put there isn't written to.
#[test]
fn a_plain_file_of_that_name_is_not_written_to() {
    let pair = Pair::new();
    let bell = pair.waiting.loop_bell().unwrap();
    let path = format!("/dev/shm/{}", files(&format!("{}~f", pair.domain))[0]);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    assert!(pair.ring(&bell, true));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    drop(bell);
    pair.end();
}

#[test]
fn each_agent_of_a_slot_has_a_fifo_of_its_own() {
    let mut pair = Pair::new();
    let first = pair.waiting.loop_bell().unwrap();
    assert!(pair.ring(&first, true));
    let domain = pair.domain.clone();
    let successor = |earlier: Agent| {
        earlier.leave();
        Agent::register(&domain, 0).unwrap()
    };
    let event = Segment::open(&pair.setting, &pair.event.name, None).unwrap();
    drop(first);
    pair.waiting = successor(pair.waiting);
    pair.event = event;
    let second = pair.waiting.loop_bell().unwrap();
    assert!(pair.ring(&second, true));
    assert!(is_readable(&second));
    drop(second);
    let Pair { domain, waiting, setting, event } = pair;
    event.close(&setting);
    waiting.leave();
    setting.leave();
    assert_eq!(files(&domain), Vec::<String>::new());
}

/// The descriptor of the agent that died is closed, as the kernel closes it; its file stays until
/// another agent sweeps.
#[test]
fn the_fifo_of_a_dead_agent_goes_with_the_next_sweep() {
    let domain = unique("d");
    let [survivor, dying] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
    let bell = dying.loop_bell().unwrap();
    let name = files(&format!("{domain}~f"))[0].clone();
    drop(bell);
    // It is made anew, since dropping the bell removed it: what a killed process leaves.
    std::fs::write(format!("/dev/shm/{name}"), "").unwrap();
    drop(dying);
    survivor.collect_garbage().unwrap();
    assert_eq!(files(&format!("{domain}~f")), Vec::<String>::new());
    survivor.leave();
    assert_eq!(files(&domain), Vec::<String>::new());
}
