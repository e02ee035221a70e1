//! What wakes an event loop that ticks seldom: an agent may have ended, or an object that it waits
//! for lost its name, or got or lost a user.
#![cfg(target_os = "linux")]

mod common;

use common::child::{Orders, live_until};
use common::{Swept, make, unique};
use crossmem_core::{Agent, Kind, LoopBell, Segment};

/// Checks that a calm reactor is rung by `act`.
fn told<T>(bell: &LoopBell, act: impl FnOnce() -> T) -> T {
    bell.calm_down();
    let heard = bell.heard();
    assert!(bell.is_calm());
    let done = act();
    assert!(!bell.is_calm() && bell.heard() != heard, "the reactor isn't told");
    done
}

fn is_readable(descriptor: i32) -> bool {
    let mut poll = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd, and no waiting.
    unsafe { libc::poll(&raw mut poll, 1, 0) == 1 }
}

#[test]
fn a_calm_reactor_is_told_of_users_and_names() {
    let domain = Swept(unique("d"));
    let [waiting, other] = [0, 1].map(|_| Agent::register(&domain.0, 0).unwrap());
    let bell = waiting.loop_bell().unwrap();
    let event = make(&waiting, &unique("n"), Kind::Event, [0; 5]);
    let open = || Segment::open(&other, &event.name, None).unwrap();
    let theirs = told(&bell, open);
    told(&bell, || theirs.close(&other));
    let theirs = told(&bell, open);
    told(&bell, || theirs.unlink(&other).unwrap());
    let heard = bell.heard();
    theirs.close(&other);
    make(&other, &unique("n"), Kind::Event, [0; 5]).close(&other);
    assert_eq!(bell.heard(), heard, "what it has not open is none of its concern");
}

#[test]
fn a_reactor_that_is_not_calm_is_not_rung_by_news() {
    let domain = Swept(unique("d"));
    let [waiting, other] = [0, 1].map(|_| Agent::register(&domain.0, 0).unwrap());
    let bell = waiting.loop_bell().unwrap();
    let event = make(&waiting, &unique("n"), Kind::Event, [0; 5]);
    let heard = bell.heard();
    for _ in 0..10 {
        Segment::open(&other, &event.name, None).unwrap().close(&other);
    }
    assert_eq!(bell.heard(), heard);
}

#[test]
fn child_program() {
    let Some(Orders { domain, names, .. }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    Segment::open(&agent, &names, None).unwrap().close(&agent);
}

#[test]
fn an_agent_that_hears_of_a_death_tells_the_calm_ones() {
    let domain = Swept(unique("d"));
    let [hearing, calm] = [0, 1].map(|_| Agent::register(&domain.0, 0).unwrap());
    let event = make(&hearing, &unique("n"), Kind::Event, [0; 5]);
    let [hears, rung] = [&hearing, &calm].map(|agent| agent.loop_bell().unwrap());
    let endings = hears.endings().expect("a user has enough of them");
    hears.drain_endings();
    assert!(!is_readable(endings));
    let life = live_until("be killed", &domain.0, &event.name, "close.detached");
    assert_eq!(life.at.as_deref(), Some("close.detached"));
    assert!(is_readable(endings), "the system tells of the death");
    hears.drain_endings();
    assert!(!is_readable(endings));
    told(&rung, || hearing.tell_of_endings());
}

/// A worker's end, and that of an agent on its way to another process.
#[test]
fn the_end_of_an_agent_is_heard_though_its_process_lives() {
    let domain = Swept(unique("d"));
    let [hearing, ending] = [0, 1].map(|_| Agent::register(&domain.0, 0).unwrap());
    let bell = hearing.loop_bell().unwrap();
    bell.drain_endings();
    drop(ending);
    assert!(is_readable(bell.endings().unwrap()));
}

#[test]
fn only_a_few_agents_of_a_domain_hear_and_the_others_rely_on_them_while_they_live() {
    let domain = Swept(unique("d"));
    let agents: Vec<_> = (0..10).map(|_| Agent::register(&domain.0, 0).unwrap()).collect();
    let mut bells: Vec<_> = agents
        .iter()
        .map(|agent| {
            let bell = agent.loop_bell().unwrap();
            bell.set_polling_endings(bell.endings().is_some());
            bell
        })
        .collect();
    assert_eq!(bells.iter().filter(|bell| bell.endings().is_some()).count(), 8);
    let relies = &agents[9];
    assert!(bells[9].endings().is_none() && relies.is_told_of_endings());
    for bell in bells.drain(..7) {
        bell.set_polling_endings(false);
        assert!(relies.is_told_of_endings(), "one is enough");
    }
    let mut agents = agents;
    drop(agents.remove(7));
    assert!(bells.iter().any(|bell| bell.endings().is_some()), "it still says that it hears");
    assert!(!agents[8].is_told_of_endings(), "but it is dead");
}
