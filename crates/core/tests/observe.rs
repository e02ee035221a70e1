//! What an onlooker sees who joins no domain and opens no object. All agents are in this process;
//! dropping one without leaving stands for its death.
#![cfg(target_os = "linux")]

mod common;

use std::os::unix::fs::FileExt;

use common::{make, unique};
use crossmem_core::{
    Agent, Aim, Code, Fact, Hold, Kind, Object, Observed, Subject, Wait, Worth, inspect, observe,
};

const ARMED: Wait = Wait::Arm { again: false };
const KINDS: [(Kind, [u64; 5]); 14] = [
    (Kind::Mutex, [0; 5]),
    (Kind::RLock, [0; 5]),
    (Kind::RwLock, [0; 5]),
    (Kind::Semaphore, [2, 3, 0, 0, 0]),
    (Kind::Condition, [0; 5]),
    (Kind::Event, [0; 5]),
    (Kind::Barrier, [2, 0, 0, 0, 0]),
    (Kind::LockManager, [0; 5]),
    (Kind::SpscQueue, [64, 0, 0, 0, 0]),
    (Kind::Pipe, [64, 128, 0, 0, 0]),
    (Kind::MpmcQueue, [4, 16, 0, 0, 0]),
    (Kind::Queue, [4, 16, 1, 0, 0]),
    (Kind::JoinableQueue, [4, 16, 0, 0, 0]),
    (Kind::Value, [6, 1, 1, 0, 0]),
];

fn look(domain: &str, name: &str, kind: Kind) -> crossmem_core::Result<Observed> {
    observe(domain, &[Subject { name, kind }]).unwrap().remove(0)
}

fn fact(seen: &Observed, name: &str) -> Option<Worth> {
    seen.facts.iter().find(|(known, _): &&Fact| *known == name).map(|(_, worth)| *worth)
}

#[test]
fn holders_and_waiters_are_seen_and_nothing_is_attached() {
    let domain = unique("d");
    let [a, b] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
    let mutex = make(&a, &unique("n"), Kind::Mutex, [0; 5]);
    let (ours, theirs) = (Object::new(&a, &mutex), Object::new(&b, &mutex));
    ours.lock(Wait::Try).unwrap();
    theirs.lock(ARMED).unwrap();
    let before = inspect(&domain).unwrap();
    let seen = look(&domain, &mutex.name, Kind::Mutex).unwrap();
    assert_eq!(
        seen.holders.iter().map(|one| (one.slot, one.alive, one.hold)).collect::<Vec<_>>(),
        [(Some(0), true, Hold::Lock)]
    );
    assert_eq!(seen.waiters.iter().map(|one| (one.slot, one.aim)).collect::<Vec<_>>(), [(1, Aim::Lock)]);
    let after = inspect(&domain).unwrap();
    assert_eq!(after.agents.len(), before.agents.len());
    assert_eq!(after.objects[0].attached, before.objects[0].attached);
    drop(a);
    let seen = look(&domain, &mutex.name, Kind::Mutex).unwrap();
    assert_eq!((seen.holders[0].slot, seen.holders[0].alive), (Some(0), false));
    b.collect_garbage().unwrap();
    b.leave();
}

/// Shared memory may hold anything: no look crashes, loops for ever or reads outside.
#[test]
fn any_bytes_can_be_looked_at() {
    let domain = unique("d");
    let agent = Agent::register(&domain, 0).unwrap();
    for (kind, params) in KINDS {
        let object = make(&agent, &unique("n"), kind, params);
        assert!(look(&domain, &object.name, kind).is_ok(), "{kind:?}");
        let file = std::fs::OpenOptions::new().write(true).open(format!("/dev/shm/{}", object.name)).unwrap();
        let size = file.metadata().unwrap().len();
        for byte in [0xff, 0x01, 0x80, 0x7f] {
            // Behind the header.
            file.write_all_at(&vec![byte; size as usize - 64], 64).unwrap();
            let _ = look(&domain, &object.name, kind);
            let mut state = u64::from(byte);
            let noise: Vec<u8> = std::iter::repeat_with(|| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .take(size as usize - 64)
            .collect();
            file.write_all_at(&noise, 64).unwrap();
            let _ = look(&domain, &object.name, kind);
        }
        // The parameters, and then all of the header.
        file.write_all_at(&[0xff; 40], 24).unwrap();
        let _ = look(&domain, &object.name, kind);
        file.write_all_at(&[0xff; 64], 0).unwrap();
        assert_eq!(look(&domain, &object.name, kind).unwrap_err().code, Code::Corrupt, "{kind:?}");
        // Another program may put a smaller file under the name.
        std::fs::remove_file(format!("/dev/shm/{}", object.name)).unwrap();
        assert_eq!(look(&domain, &object.name, kind).unwrap_err().code, Code::NotFound, "{kind:?}");
        std::fs::write(format!("/dev/shm/{}", object.name), [0; 16]).unwrap();
        assert_eq!(look(&domain, &object.name, kind).unwrap_err().code, Code::Corrupt, "{kind:?}");
        std::fs::remove_file(format!("/dev/shm/{}", object.name)).unwrap();
        object.unlink(&agent).unwrap();
    }
    agent.leave();
}

#[test]
fn permits_of_the_dead_count_as_free_and_a_dead_party_breaks_its_barrier() {
    let domain = unique("d");
    let [a, b] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
    let semaphore = make(&a, &unique("n"), Kind::Semaphore, [2, 3, 0, 0, 0]);
    let barrier = make(&a, &unique("n"), Kind::Barrier, [2, 0, 0, 0, 0]);
    Object::new(&b, &semaphore).acquire(Wait::Try).unwrap();
    Object::new(&b, &barrier).arrive(ARMED).unwrap();
    let permits = || fact(&look(&domain, &semaphore.name, Kind::Semaphore).unwrap(), "permits");
    let met = || {
        let seen = look(&domain, &barrier.name, Kind::Barrier).unwrap();
        (fact(&seen, "waiting"), fact(&seen, "isBroken"))
    };
    assert_eq!(permits(), Some(Worth::Count(1)));
    assert_eq!(met(), (Some(Worth::Count(1)), Some(Worth::Flag(false))));
    drop(b);
    assert_eq!(permits(), Some(Worth::Count(2)));
    assert_eq!(met(), (Some(Worth::Count(0)), Some(Worth::Flag(true))));
    a.leave();
}

#[test]
fn the_table_of_named_locks_is_not_doomed_while_an_agent_is_left() {
    let domain = unique("d");
    let [a, b] = [0, 1].map(|_| Agent::register(&domain, 0).unwrap());
    let table = crossmem_core::open_lock_manager(&b).unwrap();
    drop(table);
    drop(b);
    let doomed = || inspect(&domain).unwrap().objects.iter().any(|object| object.doomed);
    // A sweep leaves it, so it isn't announced as left over.
    assert!(!doomed());
    a.collect_garbage().unwrap();
    assert_eq!(inspect(&domain).unwrap().objects.len(), 1);
    drop(a);
    assert!(doomed());
    Agent::register(&domain, 0).unwrap().leave();
}
