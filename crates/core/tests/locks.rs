//! What locks promise to agents: a waiter is rung when it can go on, and no agent can release what
//! it doesn't hold. All agents are in this process; dropping one without leaving stands for its
//! death.
#![cfg(target_os = "linux")]

mod common;

use std::time::Duration;

use common::{code, make, rung, spec, unique};
use crossmem_core::{
    Agent, ArrayGuard, Arrived, Code, Kind, Locked, Looked, Object, PAGE, Segment, Spec, Wait, Wanted,
    open_lock_manager,
};

const ARMED: Wait = Wait::Arm { again: false };
const GOT: Looked<()> = Looked::Got(());
const CLEAN: Looked<Locked> = Looked::Got(Locked { owner_died: false });

/// A domain with three agents, in ascending slots.
struct Domain {
    name: String,
    agents: [Agent; 3],
}

impl Domain {
    fn new() -> Domain {
        let name = unique("d");
        let agents = [0, 1, 2].map(|_| Agent::register(&name, 0).unwrap());
        Domain { name, agents }
    }

    fn make(&self, kind: Kind, params: [u64; 5]) -> Segment {
        make(&self.agents[0], &unique("n"), kind, params)
    }

    fn array(&self) -> Segment {
        let name = unique("n");
        let array = Spec { kind: Kind::NDArray, guard: Some(PAGE), ..spec(&name, 2 * PAGE) };
        Segment::create(&self.agents[0], &array).unwrap()
    }

    fn on<'a>(&'a self, segment: &'a Segment) -> [Object<'a>; 3] {
        [0, 1, 2].map(|agent| Object::new(&self.agents[agent], segment))
    }

    fn end(self) {
        self.agents.into_iter().for_each(Agent::leave);
        assert_eq!(common::files(&self.name), Vec::<String>::new());
    }
}

#[test]
fn a_release_rings_a_sleeper() {
    let domain = Domain::new();

    let mutex = domain.make(Kind::Mutex, [0; 5]);
    let [a, b, _] = domain.on(&mutex);
    for abandon in [false, true] {
        assert!(matches!(a.lock(Wait::Try).unwrap(), Looked::Got(_)));
        rung(b, b.lock(ARMED), || a.unlock(abandon).unwrap());
        assert!(matches!(b.lock(Wait::Arm { again: true }).unwrap(), Looked::Got(_)));
        b.mark_consistent().unwrap();
        b.unlock(false).unwrap();
    }

    let rwlock = domain.make(Kind::RwLock, [0; 5]);
    let [a, b, _] = domain.on(&rwlock);
    assert_eq!(a.write(Wait::Try).unwrap(), CLEAN);
    rung(b, b.read(ARMED), || a.end_write(false).unwrap());
    assert_eq!(b.read(Wait::Arm { again: true }).unwrap(), CLEAN);
    rung(a, a.write(ARMED), || b.end_read().unwrap());
    assert_eq!(a.write(Wait::Arm { again: true }).unwrap(), CLEAN);
    a.end_write(false).unwrap();

    let semaphore = domain.make(Kind::Semaphore, [0, 10, 0, 0, 0]);
    let [a, b, c] = domain.on(&semaphore);
    rung(b, b.acquire(ARMED), || a.release(1, false).unwrap());
    assert_eq!(b.acquire(Wait::Arm { again: true }).unwrap(), GOT);
    let other = c.acquire(ARMED);
    rung(c, other, || b.release(1, true).unwrap());
    c.give_up_acquiring().unwrap();

    for resets in [0, 1] {
        let event = domain.make(Kind::Event, [resets, 0, 0, 0, 0]);
        let [a, b, _] = domain.on(&event);
        rung(b, b.wait_event(0, ARMED), || a.set_event().unwrap());
        assert_eq!(b.wait_event(0, Wait::Arm { again: true }).unwrap(), GOT);
    }

    let condition = domain.make(Kind::Condition, [0; 5]);
    let [a, b, _] = domain.on(&condition);
    b.enter_condition().unwrap();
    rung(b, b.wait_condition(0, ARMED), || assert_eq!(a.notify_condition(5).unwrap(), 1));
    assert_eq!(b.wait_condition(0, Wait::Arm { again: true }).unwrap(), GOT);
    b.settle_condition().unwrap();
    b.enter_condition().unwrap();
    let next = b.wait_condition(0, Wait::Try).unwrap();
    assert!(matches!(next, Looked::NotYet { .. }), "one notification ends two waits");
    b.leave_condition(0).unwrap();

    let barrier = domain.make(Kind::Barrier, [2, 0, 0, 0, 0]);
    let [a, b, c] = domain.on(&barrier);
    let first = b.arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Waiting { generation, index: 0 }) = first else { panic!("{first:?}") };
    let second = a.arrive(Wait::Try).unwrap();
    assert_eq!(second, Looked::Got(Arrived::Leading { generation, index: 1 }));
    let early = c.arrive(ARMED);
    rung(c, early, || {
        rung(b, b.wait_meeting(generation, ARMED), || assert!(a.complete_meeting(generation).unwrap()));
    });
    assert_eq!(b.wait_meeting(generation, Wait::Try).unwrap(), Looked::Got(true));
    let first = b.arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Waiting { generation, .. }) = first else { panic!("{first:?}") };
    rung(b, b.wait_meeting(generation, ARMED), || assert!(!a.abort_meeting(None).unwrap()));
    assert_eq!(b.wait_meeting(generation, Wait::Try).unwrap(), Looked::Got(false));
    for party in [a, b, c] {
        assert_eq!(
            party.arrive(Wait::Try).unwrap(),
            Looked::Got(Arrived::Broken),
            "it stays broken until it is reset"
        );
    }
    a.reset_barrier().unwrap();
    assert!(matches!(b.arrive(Wait::Try).unwrap(), Looked::Got(Arrived::Waiting { index: 0, .. })));

    let array = domain.array();
    let [_, b, _] = domain.on(&array);
    let guard = ArrayGuard::find(&domain.agents[0], array.region(), PAGE).unwrap().unwrap();
    for agent in [0, 1] {
        assert_eq!(guard.enter(&domain.agents[0], Wait::Try), CLEAN);
        let armed = Ok(guard.enter(&domain.agents[1], Wait::Arm { again: agent == 1 }));
        rung(b, armed, || guard.leave(&domain.agents[0]).unwrap());
        guard.give_up_entering(&domain.agents[1]);
    }
    domain.end();
}

/// A ring goes to as many sleepers as can go on, and no more.
#[test]
fn as_many_are_rung_as_can_go_on() {
    let domain = Domain::new();
    let asleep = |objects: [Object<'_>; 3], sleepers: u64| {
        objects[1..].iter().filter(|object| object.sleeps(sleepers).unwrap()).count()
    };
    for (resets, left) in [(0, 0), (1, 1)] {
        let event = domain.make(Kind::Event, [resets, 0, 0, 0, 0]);
        let objects = domain.on(&event);
        let armed = objects.map(|object| object.wait_event(0, ARMED).unwrap());
        let Looked::NotYet { sleepers } = armed[1] else { panic!("{armed:?}") };
        objects[0].give_up_event().unwrap();
        assert_eq!(asleep(objects, sleepers), 2);
        objects[0].set_event().unwrap();
        assert_eq!(asleep(objects, sleepers), left, "resets itself: {resets}");
    }
    for (permits, left) in [(1, 1), (2, 0)] {
        let semaphore = domain.make(Kind::Semaphore, [0, 10, 0, 0, 0]);
        let objects = domain.on(&semaphore);
        let armed = objects.map(|object| object.acquire(ARMED).unwrap());
        let Looked::NotYet { sleepers } = armed[1] else { panic!("{armed:?}") };
        objects[0].give_up_acquiring().unwrap();
        assert!(!objects[0].sleeps(sleepers).unwrap(), "a waiter that gave up is among the sleepers");
        objects[0].release(permits, false).unwrap();
        assert_eq!(asleep(objects, sleepers), left, "{permits} permits");
        // A waiter that gives up passes its ring on.
        objects[1].give_up_acquiring().unwrap();
        assert_eq!(asleep(objects, sleepers), 0);
    }
    domain.end();
}

/// A newcomer lets a hungry sleeper go first. When that one has its permit, it rings the newcomer.
#[test]
fn who_went_first_rings_the_next() {
    let domain = Domain::new();
    let semaphore = domain.make(Kind::Semaphore, [0, 10, 0, 0, 0]);
    let [a, b, c] = domain.on(&semaphore);
    for again in [false, true] {
        assert!(matches!(b.acquire(Wait::Arm { again }).unwrap(), Looked::NotYet { .. }));
    }
    a.release(2, false).unwrap();
    rung(c, c.acquire(ARMED), || assert_eq!(b.acquire(Wait::Arm { again: true }).unwrap(), GOT));
    assert_eq!(c.acquire(Wait::Arm { again: true }).unwrap(), GOT);
    domain.end();
}

#[test]
fn who_has_what_it_waited_for_sleeps_no_more() {
    let domain = Domain::new();
    let mutex = domain.make(Kind::Mutex, [0; 5]);
    let [a, b, _] = domain.on(&mutex);
    assert_eq!(a.lock(Wait::Try).unwrap(), CLEAN);
    let armed = b.lock(ARMED).unwrap();
    let Looked::NotYet { sleepers } = armed else { panic!("{armed:?}") };
    a.unlock(false).unwrap();
    for _ in 0..2 {
        assert_eq!(b.lock(Wait::Arm { again: true }).unwrap(), CLEAN);
        assert!(!b.sleeps(sleepers).unwrap());
        b.unlock(false).unwrap();
    }
    domain.end();
}

/// Another party ends no meeting, and an abort that comes after its end breaks nothing.
#[test]
fn a_meeting_is_ended_by_its_leader_alone() {
    let domain = Domain::new();
    let barrier = domain.make(Kind::Barrier, [2, 0, 0, 0, 0]);
    let [a, b, c] = domain.on(&barrier);
    let first = b.arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Waiting { generation, .. }) = first else { panic!("{first:?}") };
    assert!(matches!(a.arrive(Wait::Try).unwrap(), Looked::Got(Arrived::Leading { .. })));
    for other in [b, c] {
        assert!(!other.complete_meeting(generation).unwrap());
        assert!(matches!(other.wait_meeting(generation, Wait::Try).unwrap(), Looked::NotYet { .. }));
    }
    assert!(a.complete_meeting(generation).unwrap());
    assert!(b.abort_meeting(Some(generation)).unwrap(), "they have met");
    assert_eq!((c.waiting_at_barrier().unwrap(), c.barrier_is_broken().unwrap()), (0, false));
    domain.end();
}

#[test]
fn the_dead_are_not_notified() {
    let domain = Domain::new();
    let condition = domain.make(Kind::Condition, [0; 5]);
    let [first, second, third] = domain.agents;
    Object::new(&second, &condition).enter_condition().unwrap();
    drop(second);
    assert_eq!(Object::new(&first, &condition).notify_condition(5).unwrap(), 0);
    Object::new(&third, &condition).enter_condition().unwrap();
    assert_eq!(Object::new(&first, &condition).notify_condition(5).unwrap(), 1);
    assert_eq!(Object::new(&third, &condition).wait_condition(0, Wait::Try).unwrap(), GOT);
    first.leave();
    third.leave();
    assert_eq!(common::files(&domain.name), Vec::<String>::new());
}

#[test]
fn an_agent_that_stops_waiting_blocks_no_other() {
    let domain = Domain::new();
    let rwlock = domain.make(Kind::RwLock, [0; 5]);
    let [a, b, c] = domain.on(&rwlock);
    assert_eq!(a.read(Wait::Try).unwrap(), CLEAN);
    assert!(matches!(b.write(ARMED).unwrap(), Looked::NotYet { .. }));
    assert!(
        matches!(c.read(Wait::Try).unwrap(), Looked::NotYet { .. }),
        "a reader overtakes a waiting writer"
    );
    b.give_up_entering().unwrap();
    assert_eq!(c.read(Wait::Try).unwrap(), CLEAN);

    let semaphore = domain.make(Kind::Semaphore, [0, 10, 0, 0, 0]);
    let [a, b, c] = domain.on(&semaphore);
    for again in [false, true] {
        assert!(matches!(b.acquire(Wait::Arm { again }).unwrap(), Looked::NotYet { .. }));
    }
    a.release(1, false).unwrap();
    assert!(
        matches!(c.acquire(Wait::InTurn).unwrap(), Looked::NotYet { .. }),
        "a newcomer overtakes a hungry sleeper"
    );
    b.give_up_acquiring().unwrap();
    assert_eq!(c.acquire(Wait::InTurn).unwrap(), GOT);
    domain.end();
}

#[test]
fn an_agent_cannot_release_a_lock_that_it_does_not_hold() {
    let domain = Domain::new();
    let mutex = domain.make(Kind::Mutex, [0; 5]);
    let [a, b, _] = domain.on(&mutex);
    assert_eq!(a.lock(Wait::Try).unwrap(), CLEAN);
    assert_eq!((code(b.unlock(false)), code(b.unlock(true))), (Code::LostOwnership, Code::LostOwnership));
    assert_eq!(code(b.mark_consistent()), Code::LostOwnership);
    a.unlock(true).unwrap();
    assert_eq!(
        b.lock(Wait::Try).unwrap(),
        Looked::Got(Locked { owner_died: true }),
        "the lock was abandoned"
    );

    let rwlock = domain.make(Kind::RwLock, [0; 5]);
    let [a, b, _] = domain.on(&rwlock);
    assert_eq!(a.read(Wait::Try).unwrap(), CLEAN);
    assert_eq!((code(b.end_read()), code(a.end_write(false))), (Code::LostOwnership, Code::LostOwnership));
    a.end_read().unwrap();
    assert_eq!(code(a.end_read()), Code::LostOwnership);
    assert_eq!(a.write(Wait::Try).unwrap(), CLEAN);
    assert_eq!((code(b.end_write(false)), code(b.mark_written_consistent())), {
        (Code::LostOwnership, Code::LostOwnership)
    });
    a.end_write(true).unwrap();
    assert_eq!(
        b.read(Wait::Try).unwrap(),
        Looked::Got(Locked { owner_died: true }),
        "the lock was abandoned"
    );
    b.end_read().unwrap();
    assert_eq!(b.write(Wait::Try).unwrap(), Looked::Got(Locked { owner_died: true }));
    b.mark_written_consistent().unwrap();
    b.end_write(false).unwrap();
    assert_eq!(a.read(Wait::Try).unwrap(), CLEAN, "it was repaired");

    let semaphore = domain.make(Kind::Semaphore, [1, 2, 0, 0, 0]);
    let [a, b, _] = domain.on(&semaphore);
    assert_eq!((code(a.release(1, true)), code(a.consume())), (Code::LostOwnership, Code::LostOwnership));
    assert_eq!(a.acquire(Wait::Try).unwrap(), GOT);
    assert_eq!((code(b.release(1, true)), code(a.release(2, true))), {
        (Code::LostOwnership, Code::LostOwnership)
    });
    assert_eq!(code(a.release(3, false)), Code::OutOfRange);
    assert_eq!(
        (a.permits().unwrap(), a.permits_held().unwrap()),
        (0, 1),
        "a refused release has changed something"
    );
    a.release(2, false).unwrap();
    assert_eq!(b.permits().unwrap(), 2);
    assert_eq!(b.acquire(Wait::Try).unwrap(), GOT);
    b.consume().unwrap();
    assert_eq!((a.permits().unwrap(), code(b.release(1, true))), (1, Code::LostOwnership), "it is used up");
    domain.end();
}

/// A notification goes to the next waiter if its first receiver has died or given up.
#[test]
fn a_notification_is_never_lost() {
    for dies in [false, true] {
        let domain = Domain::new();
        let condition = domain.make(Kind::Condition, [0; 5]);
        let [first, second, third] = domain.agents;
        let on = [&first, &second, &third].map(|agent| Object::new(agent, &condition));
        for waiter in [1, 2] {
            on[waiter].enter_condition().unwrap();
        }
        assert_eq!(on[0].notify_condition(1).unwrap(), 1);
        assert!(matches!(on[2].wait_condition(0, Wait::Try).unwrap(), Looked::NotYet { .. }));
        let still_there = if dies {
            drop(second);
            None
        } else {
            on[1].leave_condition(0).unwrap();
            Some(second)
        };
        assert_eq!(
            Object::new(&third, &condition).wait_condition(0, Wait::Try).unwrap(),
            GOT,
            "dies: {dies}"
        );
        [first, third].into_iter().chain(still_there).for_each(Agent::leave);
        assert_eq!(common::files(&domain.name), Vec::<String>::new());
    }
}

#[test]
fn a_dead_party_does_not_count() {
    let domain = Domain::new();
    let barrier = domain.make(Kind::Barrier, [2, 0, 0, 0, 0]);
    let [first, second, third] = domain.agents;
    let met = Object::new(&second, &barrier).arrive(Wait::Try).unwrap();
    assert!(matches!(met, Looked::Got(Arrived::Waiting { .. })));
    let seen_by = |agent: &Agent| {
        let onlooker = Object::new(agent, &barrier);
        (onlooker.waiting_at_barrier().unwrap(), onlooker.barrier_is_broken().unwrap())
    };
    assert_eq!(seen_by(&first), (1, false));
    drop(second);
    assert_eq!(seen_by(&first), (0, true), "an agent that only looks sees the death");
    let successor = Agent::register(&domain.name, 0).unwrap();
    assert_eq!(seen_by(&successor), (0, true), "it has the slot of the dead party");
    successor.leave();
    for party in [&first, &third] {
        let met = Object::new(party, &barrier).arrive(Wait::Try).unwrap();
        assert_eq!(met, Looked::Got(Arrived::Broken), "it stays broken until it is reset");
    }
    Object::new(&first, &barrier).reset_barrier().unwrap();
    assert_eq!(seen_by(&third), (0, false));
    first.leave();
    third.leave();
    assert_eq!(common::files(&domain.name), Vec::<String>::new());
}

/// Nobody takes or releases anything after the death: only the getters are called.
#[test]
fn a_getter_shows_a_dead_holders_lock_as_free() {
    let domain = Domain::new();
    let (mutex, condition) = (domain.make(Kind::Mutex, [0; 5]), domain.make(Kind::Condition, [0; 5]));
    let semaphore = domain.make(Kind::Semaphore, [2, 2, 0, 0, 0]);
    let [first, second, third] = domain.agents;
    for lock in [&mutex, &condition] {
        assert_eq!(Object::new(&second, lock).lock(Wait::Try).unwrap(), CLEAN);
        assert!(Object::new(&first, lock).is_locked().unwrap());
    }
    assert_eq!(Object::new(&second, &semaphore).acquire(Wait::Try).unwrap(), GOT);
    assert_eq!(Object::new(&first, &semaphore).permits().unwrap(), 1);
    drop(second);
    for onlooker in [&first, &third] {
        for lock in [&mutex, &condition] {
            assert!(!Object::new(onlooker, lock).is_locked().unwrap());
            let holders = Object::new(onlooker, lock).holders().unwrap();
            assert_eq!(holders.iter().map(|holder| holder.alive).collect::<Vec<_>>(), [false]);
        }
        assert_eq!(Object::new(onlooker, &semaphore).permits().unwrap(), 2);
    }
    first.leave();
    third.leave();
    assert_eq!(common::files(&domain.name), Vec::<String>::new());
}

#[test]
fn an_event_that_is_cleared_at_once_is_not_missed() {
    let domain = Domain::new();
    let event = domain.make(Kind::Event, [0; 5]);
    let [a, b, c] = domain.on(&event);
    let before = b.event_times().unwrap();
    assert!(matches!(b.wait_event(before, Wait::Try).unwrap(), Looked::NotYet { .. }));
    a.set_event().unwrap();
    a.clear_event().unwrap();
    assert!(!c.event_is_set().unwrap());
    assert_eq!(b.wait_event(before, Wait::Try).unwrap(), GOT);
    let after = c.event_times().unwrap();
    assert!(
        matches!(c.wait_event(after, Wait::Try).unwrap(), Looked::NotYet { .. }),
        "a waiter that came later"
    );
    domain.end();
}

/// This holds also if no live agent has had the table of named locks open since the death.
#[test]
fn a_death_is_told_to_the_next_agent_after_all_have_left() {
    let domain = Domain::new();
    let wanted = Wanted { name: b"x", shared: false, if_available: false, steal: false };
    let [first, second, third] = domain.agents;
    let table = open_lock_manager(&second).unwrap();
    let held = Object::new(&second, &table).request(&wanted).unwrap().unwrap();
    assert_eq!(held.granted, Some(false));
    drop(second);
    first.collect_garbage().unwrap();
    let table = open_lock_manager(&third).unwrap();
    let next = Object::new(&third, &table).request(&wanted).unwrap().unwrap();
    assert_eq!(next.granted, Some(true), "the holder's death is not reported");
    first.leave();
    third.leave();
    assert_eq!(common::files(&domain.name), Vec::<String>::new());
}

#[test]
fn an_agent_in_the_slot_of_a_dead_reader_can_write_at_once() {
    let domain = Domain::new();
    let rwlock = domain.make(Kind::RwLock, [0; 5]);
    {
        let reader = Agent::register(&domain.name, 0).unwrap();
        assert_eq!(Object::new(&reader, &rwlock).read(Wait::Try).unwrap(), CLEAN);
        // Dropped without leaving: other agents see it as dead.
    }
    let successor = Agent::register(&domain.name, 0).unwrap();
    // A wait with time: its first attempt doesn't look for dead readers.
    let wrote = Object::new(&successor, &rwlock).write(Wait::For(Duration::from_secs(5))).unwrap();
    assert_eq!(wrote, CLEAN);
    successor.leave();
    rwlock.close(&domain.agents[0]);
    domain.end();
}
