//! What wakes many agents at once wakes the first ones, and these wake the rest, whichever of them
//! die. All agents but one are in this process; dropping one without leaving stands for its death.
#![cfg(target_os = "linux")]

mod common;

use std::time::Duration;

use common::child::{Orders, live_until};
use common::{Swept, make, unique};
use crossmem_core::{Agent, Arrived, Kind, Looked, Object, Result, Segment, Wait};

const MANY: usize = 60;
/// Of so many that wait, the caller wakes 16.
const FIRST: usize = 16;
const ARMED: Wait = Wait::Arm { again: false };
const AGAIN: Wait = Wait::Arm { again: true };

/// Agents that wait at one object, armed.
struct Crowd {
    agents: Vec<Agent>,
    segment: Segment,
    sleepers: u64,
    /// Dropped last.
    domain: Swept,
}

impl Crowd {
    /// Each agent enters by `arm`.
    fn new<T>(kind: Kind, params: [u64; 5], arm: impl Fn(Object<'_>) -> Result<Looked<T>>) -> Crowd {
        let domain = Swept(unique("d"));
        let agents: Vec<Agent> = (0..MANY).map(|_| Agent::register(&domain.0, 0).unwrap()).collect();
        let segment = make(&agents[0], &unique("n"), kind, params);
        let mut crowd = Crowd { agents, segment, sleepers: 0, domain };
        for agent in &crowd.agents {
            let Looked::NotYet { sleepers } = arm(Object::new(agent, &crowd.segment)).unwrap() else {
                panic!("there is nothing to get yet")
            };
            crowd.sleepers = sleepers;
        }
        crowd
    }

    fn on(&self, agent: usize) -> Object<'_> {
        Object::new(&self.agents[agent], &self.segment)
    }

    /// The agents that were rung.
    fn rung(&self) -> Vec<usize> {
        (0..self.agents.len()).filter(|agent| !self.on(*agent).sleeps(self.sleepers).unwrap()).collect()
    }

    /// Each agent tries again once it is rung, until all have got on.
    fn goes_on<T>(&self, retry: impl Fn(Object<'_>) -> Result<Looked<T>>) {
        let mut done = vec![false; self.agents.len()];
        while let Some(next) = self.rung().into_iter().find(|agent| !done[*agent]) {
            assert!(matches!(retry(self.on(next)).unwrap(), Looked::Got(_)));
            done[next] = true;
        }
        assert!(
            done.iter().all(|done| *done),
            "{} of {MANY} go on",
            done.iter().filter(|done| **done).count()
        );
    }
}

#[test]
fn an_event_wakes_all_that_wait() {
    let crowd = Crowd::new(Kind::Event, [0; 5], |event| event.wait_event(0, ARMED));
    crowd.on(0).set_event().unwrap();
    assert_eq!(crowd.rung().len(), FIRST);
    crowd.goes_on(|event| event.wait_event(0, AGAIN));
}

#[test]
fn the_end_of_a_meeting_wakes_all_that_wait() {
    let crowd = Crowd::new(Kind::Barrier, [MANY as u64 + 1, 0, 0, 0, 0], |barrier| {
        let Looked::Got(Arrived::Waiting { generation, .. }) = barrier.arrive(Wait::Try)? else {
            panic!("one party is missing")
        };
        barrier.wait_meeting(generation, ARMED)
    });
    let barrier = crowd.on(0);
    let Looked::Got(Arrived::Leading { generation, .. }) = barrier.arrive(Wait::Try).unwrap() else {
        panic!("all parties are there")
    };
    barrier.complete_meeting(generation).unwrap();
    assert_eq!(crowd.rung().len(), FIRST);
    crowd.goes_on(|barrier| barrier.wait_meeting(generation, AGAIN));
}

#[test]
fn a_notification_of_all_wakes_all_that_wait() {
    let crowd = Crowd::new(Kind::Condition, [0; 5], |condition| {
        condition.enter_condition()?;
        condition.wait_condition(0, ARMED)
    });
    assert_eq!(crowd.on(0).notify_condition(MANY as u32 - 1).unwrap(), MANY as u32 - 1);
    assert_eq!(crowd.rung().len(), FIRST);
    let mut done = [false; MANY];
    while let Some(next) = crowd.rung().into_iter().find(|agent| !done[*agent]) {
        assert!(matches!(crowd.on(next).wait_condition(0, AGAIN).unwrap(), Looked::Got(())));
        done[next] = true;
    }
    assert_eq!(done.iter().filter(|done| **done).count(), MANY - 1, "and not the one that wasn't notified");
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    assert_eq!(deed, "set");
    let agent = Agent::register(&domain, 0).unwrap();
    let event = Segment::open(&agent, &names, Some(Kind::Event)).unwrap();
    let event = Object::new(&agent, &event);
    assert!(matches!(event.wait_event(0, ARMED).unwrap(), Looked::NotYet { .. }));
    event.set_event().unwrap();
    let _ = event.wait_event(0, Wait::Again(Duration::from_secs(5)));
}

/// A process sets an event, is woken by it like others, and is killed before it wakes others. Nor
/// do the others, but for `living` of them.
fn after_deaths(living: usize) -> Crowd {
    let mut crowd = Crowd::new(Kind::Event, [0; 5], |event| event.wait_event(0, ARMED));
    let life = live_until("set", &crowd.domain.0, &crowd.segment.name, "tree.woken");
    assert_eq!(life.at.as_deref(), Some("tree.woken"));
    let woken = crowd.rung();
    assert_eq!(woken.len(), FIRST);
    for dies in woken[living..].iter().rev() {
        drop(crowd.agents.remove(*dies));
    }
    crowd
}

#[test]
fn one_of_those_that_were_woken_is_enough() {
    after_deaths(1).goes_on(|event| event.wait_event(0, AGAIN));
}

#[test]
fn if_all_that_were_woken_die_the_rest_goes_on_after_a_slice() {
    let crowd = after_deaths(0);
    assert_eq!(crowd.rung(), []);
    for agent in 0..crowd.agents.len() {
        let got = crowd.on(agent).wait_event(0, Wait::For(Duration::from_secs(5))).unwrap();
        assert!(matches!(got, Looked::Got(())));
    }
}
