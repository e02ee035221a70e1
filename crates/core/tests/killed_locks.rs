//! A process is killed at every step of everything that it can do with locks. The survivor goes on,
//! and loses nothing.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::child::{Orders, assert_visited, every_step, live_until, run_until};
use common::{make, unique};
use crossmem_core::{
    Agent, Arrived, Code, Kind, Locked, Looked, Object, Segment, Wait, Wanted, open_lock_manager,
};

/// Longer than any slice of a wait: no call waits that long unless something is lost.
const PATIENT: Wait = Wait::For(Duration::from_secs(5));
const GOT: Looked<()> = Looked::Got(());

/// Every fail point of the locks. A process that comes after a death visits those of the repair.
const STEPS: &[&str] = &[
    "mutex.unlocked",
    "rwlock.read.gate",
    "rwlock.read.counted",
    "rwlock.read.left",
    "rwlock.write.gate",
    "rwlock.write.entered",
    "rwlock.write.left",
    "rwlock.torn",
    "rwlock.repaired",
    "semaphore.locked",
    "semaphore.held",
    "semaphore.added",
    "semaphore.released",
    "semaphore.consumed",
    "semaphore.reclaimed",
    "semaphore.repaired",
    "event.set",
    "condition.entered",
    "condition.notified",
    "condition.settled",
    "condition.given",
    "condition.passed-on",
    "barrier.locked",
    "barrier.arrived",
    "barrier.leading",
    "barrier.outcome",
    "barrier.ended",
    "barrier.cleared",
    "barrier.broken",
    "locks.locked",
    "locks.written",
    "locks.entered",
    "locks.granted",
    "locks.stolen",
    "locks.freed",
    "locks.left",
    "locks.split",
    "locks.joined",
];

struct Locks {
    mutex: Segment,
    rwlock: Segment,
    semaphore: Segment,
    counter: Segment,
    event: Segment,
    condition: Segment,
    barrier: Segment,
    named: Segment,
}

impl Locks {
    /// Opens all locks, or makes them.
    fn new(agent: &Agent, names: &str) -> Locks {
        let object = |kind: Kind, of: &str, params: [u64; 5]| {
            let name = format!("{names}.{of}");
            match Segment::open(agent, &name, Some(kind)) {
                Err(e) if e.code == Code::NotFound => make(agent, &name, kind, params),
                opened => opened.unwrap(),
            }
        };
        Locks {
            mutex: object(Kind::Mutex, "mutex", [0; 5]),
            rwlock: object(Kind::RwLock, "rwlock", [0; 5]),
            semaphore: object(Kind::Semaphore, "semaphore", [2, 100, 0, 0, 0]),
            counter: object(Kind::Semaphore, "counter", [3, 100, 0, 0, 0]),
            event: object(Kind::Event, "event", [1, 0, 0, 0, 0]),
            condition: object(Kind::Condition, "condition", [0; 5]),
            barrier: object(Kind::Barrier, "barrier", [2, 0, 0, 0, 0]),
            named: open_lock_manager(agent).unwrap(),
        }
    }
}

fn exclusive(name: &[u8]) -> Wanted<'_> {
    Wanted { name, shared: false, if_available: false, steal: false }
}

/// Whether the last holder died.
fn died(looked: Looked<Locked>) -> bool {
    let Looked::Got(Locked { owner_died }) = looked else { panic!("the lock was not taken: {looked:?}") };
    owner_died
}

/// Everything that an agent can do, beside another one that waits at the barrier and for a
/// notification.
fn use_locks(agent: &Agent, names: &str) {
    let locks = Locks::new(agent, names);
    let on = |segment| Object::new(agent, segment);

    let mutex = on(&locks.mutex);
    assert!(matches!(mutex.lock(PATIENT).unwrap(), Looked::Got(_)));
    mutex.mark_consistent().unwrap();
    mutex.unlock(false).unwrap();

    let rwlock = on(&locks.rwlock);
    for _ in 0..2 {
        assert!(matches!(rwlock.read(PATIENT).unwrap(), Looked::Got(_)));
        rwlock.end_read().unwrap();
        assert!(matches!(rwlock.write(PATIENT).unwrap(), Looked::Got(_)));
        rwlock.mark_written_consistent().unwrap();
        rwlock.end_write(false).unwrap();
    }

    let semaphore = on(&locks.semaphore);
    semaphore.release(1, false).unwrap();
    for _ in 0..3 {
        assert_eq!(semaphore.acquire(PATIENT).unwrap(), GOT);
    }
    semaphore.consume().unwrap();
    semaphore.release(2, true).unwrap();
    let counter = on(&locks.counter);
    assert_eq!(counter.acquire(PATIENT).unwrap(), GOT);
    counter.consume().unwrap();

    let event = on(&locks.event);
    event.set_event().unwrap();
    event.clear_event().unwrap();
    event.set_event().unwrap();

    let condition = on(&locks.condition);
    condition.enter_condition().unwrap();
    condition.enter_condition().unwrap();
    condition.notify_condition(3).unwrap();
    assert_eq!(condition.wait_condition(0, PATIENT).unwrap(), GOT);
    condition.settle_condition().unwrap();
    // The agent has one notification more than waiters, so it passes the notification on.
    condition.leave_condition(0).unwrap();

    let barrier = on(&locks.barrier);
    let lead = barrier.arrive(PATIENT).unwrap();
    let Looked::Got(Arrived::Leading { generation, .. }) = lead else { panic!("{lead:?}") };
    assert!(barrier.complete_meeting(generation).unwrap());
    let alone = barrier.arrive(PATIENT).unwrap();
    let Looked::Got(Arrived::Waiting { generation, .. }) = alone else { panic!("{alone:?}") };
    assert!(!barrier.abort_meeting(Some(generation)).unwrap());
    barrier.reset_barrier().unwrap();

    let table = on(&locks.named);
    let enter = |wanted: &Wanted<'_>| table.request(wanted).unwrap().unwrap().request;
    let held = enter(&exclusive(b"x"));
    let pending = enter(&exclusive(b"x"));
    let long = enter(&exclusive(&[b'y'; 1000]));
    table.end_request(held, true).unwrap();
    table.end_request(long, false).unwrap();
    let thief = Wanted { steal: true, ..exclusive(b"x") };
    let stolen = enter(&thief);
    assert!(table.end_request(pending, false).unwrap().stolen);
    table.end_request(stolen, false).unwrap();
    let again = enter(&exclusive(&[b'z'; 3000]));
    table.end_request(again, false).unwrap();
}

#[test]
fn child_program() {
    let Some(Orders { deed, domain, names }) = Orders::given() else { return };
    let agent = Agent::register(&domain, 0).unwrap();
    match deed.as_str() {
        "use-locks" => use_locks(&agent, &names),
        "break" => {
            let locks = Locks::new(&agent, &names);
            Object::new(&agent, &locks.barrier).abort_meeting(None).unwrap();
        }
        other => panic!("no deed {other}"),
    }
    agent.leave();
}

/// Checks that nothing is lost for the survivor.
fn go_on(survivor: &Agent, locks: &Locks, meeting: u64, last: &str, at: &str) {
    let on = |segment| Object::new(survivor, segment);

    let mutex = on(&locks.mutex);
    assert!(matches!(mutex.lock(PATIENT).unwrap(), Looked::Got(_)), "mutex after {at}");
    mutex.mark_consistent().unwrap();
    mutex.unlock(false).unwrap();

    let rwlock = on(&locks.rwlock);
    let writer_died = died(rwlock.write(PATIENT).unwrap());
    // If a second process died before it could report the first writer's death, that may still be
    // unreported.
    assert!(writer_died || last != "rwlock.write.entered", "after {at}");
    assert!(!writer_died || at.contains("rwlock.write.entered"), "after {at}");
    rwlock.mark_written_consistent().unwrap();
    rwlock.end_write(false).unwrap();
    assert!(!died(rwlock.read(PATIENT).unwrap()), "after {at}");
    rwlock.end_read().unwrap();

    let semaphore = on(&locks.semaphore);
    let permits = semaphore.permits().unwrap();
    // Between adding a permit and consuming one there is one more, which a death in between leaves.
    assert!((2..=4).contains(&permits), "{permits} permits after {at}");
    for _ in 0..permits {
        assert_eq!(semaphore.acquire(PATIENT).unwrap(), GOT, "permit after {at}");
    }
    assert_ne!(semaphore.acquire(Wait::Try).unwrap(), GOT, "there is a permit too many after {at}");
    semaphore.release(permits as u32, true).unwrap();
    let left = on(&locks.counter).permits().unwrap();
    assert!((1..=3).contains(&left), "{left} things after {at}");

    let event = on(&locks.event);
    event.set_event().unwrap();
    assert_eq!(event.wait_event(event.event_times().unwrap(), PATIENT).unwrap(), GOT, "event after {at}");
    assert!(!event.event_is_set().unwrap(), "the event didn't reset itself after {at}");

    let condition = on(&locks.condition);
    condition.notify_condition(1).unwrap();
    assert_eq!(condition.wait_condition(0, PATIENT).unwrap(), GOT, "the survivor's waiter after {at}");

    let barrier = on(&locks.barrier);
    if matches!(barrier.wait_meeting(meeting, Wait::Try).unwrap(), Looked::NotYet { .. }) {
        assert_eq!(barrier.waiting_at_barrier().unwrap(), 1, "dead parties are counted after {at}");
    }
    barrier.reset_barrier().unwrap();
    assert!(matches!(barrier.wait_meeting(meeting, PATIENT).unwrap(), Looked::Got(_)));
    assert_eq!((barrier.waiting_at_barrier().unwrap(), barrier.barrier_is_broken().unwrap()), (0, false));
    let Looked::Got(Arrived::Waiting { generation, index: 0 }) = barrier.arrive(PATIENT).unwrap() else {
        panic!("the barrier after {at}")
    };
    let Looked::Got(Arrived::Leading { index: 1, .. }) = barrier.arrive(PATIENT).unwrap() else {
        panic!("the second party after {at}")
    };
    assert!(barrier.complete_meeting(generation).unwrap());

    let table = on(&locks.named);
    let mine = table.request(&exclusive(b"x")).unwrap().unwrap();
    assert!(mine.granted.is_some(), "a named lock after {at}");
    table.end_request(mine.request, false).unwrap();
    assert_eq!(table.query_requests().unwrap(), [], "requests after {at}");
    // Almost all cells are free again, in long runs.
    let requests: Vec<_> = (0..31_u8)
        .map(|i| table.request(&exclusive(&vec![i; 65_536])).unwrap_or_else(|e| panic!("{e} after {at}")))
        .collect();
    for request in requests {
        table.end_request(request.unwrap().request, false).unwrap();
    }
}

/// Leaves two agents that died while reading, with a permit, and with a notification that they had
/// not seen. There are two, since a newcomer takes the slot of the first.
fn leave_orphans(domain: &str, names: &str) {
    let orphans = [Agent::register(domain, 0).unwrap(), Agent::register(domain, 0).unwrap()];
    for orphan in &orphans {
        die_holding(orphan, names);
    }
}

fn die_holding(orphan: &Agent, names: &str) {
    let locks = Locks::new(orphan, names);
    let on = |segment| Object::new(orphan, segment);
    assert!(!died(on(&locks.rwlock).read(Wait::Try).unwrap()));
    assert_eq!(on(&locks.semaphore).acquire(Wait::Try).unwrap(), GOT);
    on(&locks.condition).enter_condition().unwrap();
    on(&locks.condition).notify_condition(1).unwrap();
    on(&locks.named).request(&exclusive(b"x")).unwrap();
}

/// Arrives as the first party at a barrier for two. Returns the number of the meeting.
fn arrive_alone(agent: &Agent, locks: &Locks) -> u64 {
    let barrier = Object::new(agent, &locks.barrier);
    barrier.reset_barrier().unwrap();
    let arrived = barrier.arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Waiting { generation, .. }) = arrived else { panic!("{arrived:?}") };
    generation
}

/// Kills a process at every step. Before it, two agents have died and, with `first`, another
/// process was killed at that fail point. Returns the fail points at which the process was killed.
fn kill_at_every_step(first: Option<&str>) -> BTreeSet<String> {
    every_step(|step| {
        let (domain, names) = (unique("d"), unique("n"));
        let survivor = Agent::register(&domain, 0).unwrap();
        let locks = Locks::new(&survivor, &names);
        Object::new(&survivor, &locks.condition).enter_condition().unwrap();
        leave_orphans(&domain, &names);
        if let Some(label) = first {
            arrive_alone(&survivor, &locks);
            let life = live_until("use-locks", &domain, &names, label);
            assert_eq!(life.at.as_deref(), Some(label));
        }
        let generation = arrive_alone(&survivor, &locks);
        let at = run_until("use-locks", &domain, &names, step);
        let end = at.as_deref().unwrap_or("the end");
        let shown = if first.is_some() { format!("{first:?} and {end}") } else { end.to_owned() };
        go_on(&survivor, &locks, generation, end, &shown);
        survivor.leave();
        at
    })
}

#[test]
fn killed_at_every_step() {
    let mut visited = kill_at_every_step(None);
    for label in ["semaphore.held", "barrier.ended", "rwlock.write.entered", "locks.stolen"] {
        visited.extend(kill_at_every_step(Some(label)));
    }
    assert_visited(STEPS, &visited);
}

/// A writer dies inside, and the next writer dies while it reports this.
#[test]
fn a_second_death_hides_no_first_one() {
    let (domain, names) = (unique("d"), unique("n"));
    let survivor = Agent::register(&domain, 0).unwrap();
    let locks = Locks::new(&survivor, &names);
    for label in ["rwlock.write.entered", "rwlock.torn"] {
        arrive_alone(&survivor, &locks);
        let life = live_until("use-locks", &domain, &names, label);
        assert_eq!(life.at.as_deref(), Some(label));
    }
    assert!(died(Object::new(&survivor, &locks.rwlock).write(PATIENT).unwrap()));
    survivor.leave();
}

/// A process dies at every step of breaking a meeting. For a waiter, the meeting goes on or is
/// broken; it is never met.
#[test]
fn a_meeting_that_a_death_broke_is_never_met() {
    for step in 1.. {
        let (domain, names) = (unique("d"), unique("n"));
        let survivor = Agent::register(&domain, 0).unwrap();
        let locks = Locks::new(&survivor, &names);
        let generation = arrive_alone(&survivor, &locks);
        let at = run_until("break", &domain, &names, step);
        let barrier = Object::new(&survivor, &locks.barrier);
        let met = barrier.wait_meeting(generation, Wait::Try).unwrap();
        assert_ne!(met, Looked::Got(true), "after {at:?}");
        assert_eq!(met == Looked::Got(false), barrier.barrier_is_broken().unwrap(), "after {at:?}");
        survivor.leave();
        if at.is_none() {
            assert_eq!(met, Looked::Got(false));
            break;
        }
    }
}
