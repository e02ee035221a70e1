//! Updates and snapshots of an array: a snapshot is never torn, whichever agents write.
#![cfg(target_os = "linux")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::{spec, unique};
use crossmem_core::{Agent, ArrayGuard, Code, Kind, Locked, Looked, Object, Segment, Spec, Wait};

const BYTES: u64 = 4096;
const PATIENT: Duration = Duration::from_secs(60);
const ENTERED: Looked<Locked> = Looked::Got(Locked { owner_died: false });
const AFTER_DEATH: Looked<Locked> = Looked::Got(Locked { owner_died: true });

fn array(agent: &Agent, name: &str) -> Segment {
    Segment::create(agent, &Spec { kind: Kind::NDArray, guard: Some(BYTES), ..spec(name, 2 * BYTES) })
        .unwrap()
}

fn guard<'a>(agent: &Agent, array: &'a Segment) -> ArrayGuard<'a> {
    ArrayGuard::find(agent, array.region(), BYTES).unwrap().unwrap()
}

/// The array's numbers, as a writer inside an update sees them.
fn words(array: &Segment) -> &[AtomicU64] {
    // SAFETY: mapped while `array` lives, aligned to a page, and atomics may be shared.
    unsafe { std::slice::from_raw_parts(array.region().as_ptr().cast(), BYTES as usize / 8) }
}

#[test]
fn a_snapshot_is_of_one_instant_however_busy_the_writers() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let mine = array(&agent, &name);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let agent = Agent::register(&domain, 0).unwrap();
                    let theirs = Segment::open(&agent, &name, None).unwrap();
                    for _ in 0..3_000 {
                        assert_eq!(guard(&agent, &theirs).enter(&agent, Wait::For(PATIENT)), ENTERED);
                        for word in words(&theirs) {
                            word.store(word.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                        }
                        guard(&agent, &theirs).leave(&agent).unwrap();
                    }
                    theirs.close(&agent);
                    agent.leave();
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let agent = Agent::register(&domain, 0).unwrap();
            let theirs = Segment::open(&agent, &name, None).unwrap();
            let mut copy = vec![0; BYTES as usize];
            loop {
                let last = done.load(Ordering::Acquire);
                assert!(guard(&agent, &theirs).copy_to(&agent, 0, &mut copy, PATIENT).unwrap());
                let (first, rest) = copy.split_at(8);
                assert!(rest.chunks(8).all(|word| word == first), "a torn snapshot");
                if last {
                    return u64::from_le_bytes(first.try_into().unwrap());
                }
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Release);
        assert_eq!(reader.join().unwrap(), 6_000, "no update was lost");
    });
    mine.close(&agent);
    agent.leave();
}

#[test]
fn a_writer_that_dies_inside_is_reported_until_an_update_repairs() {
    let (domain, name) = (unique("d"), unique("n"));
    let survivor = Agent::register(&domain, 0).unwrap();
    let mine = array(&survivor, &name);
    let victim = Agent::register(&domain, 0).unwrap();
    let theirs = Segment::open(&victim, &name, None).unwrap();
    assert_eq!(guard(&victim, &theirs).enter(&victim, Wait::Try), ENTERED);

    let mut copy = [0; 16];
    let wait = Duration::ZERO;
    assert!(!guard(&survivor, &mine).copy_to(&survivor, 0, &mut copy, wait).unwrap());
    assert!(matches!(guard(&survivor, &mine).enter(&survivor, Wait::Try), Looked::NotYet { .. }));
    let armed = guard(&survivor, &mine).enter(&survivor, Wait::Arm { again: false });
    let Looked::NotYet { sleepers } = armed else { panic!("{armed:?}") };
    assert!(Object::new(&survivor, &mine).sleeps(sleepers).unwrap());
    guard(&survivor, &mine).give_up_entering(&survivor);
    assert!(!Object::new(&survivor, &mine).sleeps(sleepers).unwrap());
    assert_eq!(guard(&survivor, &mine).leave(&survivor).unwrap_err().code, Code::LostOwnership);
    drop(victim);
    for _ in 0..3 {
        let told = guard(&survivor, &mine).copy_to(&survivor, 0, &mut copy, PATIENT).unwrap_err();
        assert_eq!(told.code, Code::PeerDied);
    }
    assert_eq!(guard(&survivor, &mine).enter(&survivor, Wait::For(PATIENT)), AFTER_DEATH);
    assert_eq!(guard(&survivor, &mine).enter(&survivor, Wait::Try), Looked::Mine);
    assert_eq!(
        guard(&survivor, &mine).copy_to(&survivor, 0, &mut copy, wait).unwrap_err().code,
        Code::Deadlock
    );
    guard(&survivor, &mine).give_up(&survivor).unwrap();
    assert_eq!(guard(&survivor, &mine).give_up(&survivor).unwrap_err().code, Code::LostOwnership);
    let told = guard(&survivor, &mine).copy_to(&survivor, 0, &mut copy, PATIENT).unwrap_err();
    assert_eq!(told.code, Code::PeerDied, "an update that was given up repairs nothing");
    assert_eq!(guard(&survivor, &mine).enter(&survivor, Wait::For(PATIENT)), AFTER_DEATH);
    guard(&survivor, &mine).leave(&survivor).unwrap();
    assert!(guard(&survivor, &mine).copy_to(&survivor, 0, &mut copy, PATIENT).unwrap());
    mine.close(&survivor);
    survivor.leave();
}

#[test]
fn offsets_outside_the_segment_are_refused() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let mine = array(&agent, &name);
    for offset in [2 * BYTES, u64::MAX, u64::MAX - 7] {
        assert!(ArrayGuard::find(&agent, mine.region(), offset).unwrap().is_none());
    }
    assert_eq!(ArrayGuard::find(&agent, mine.region(), 4).map(|_| ()).unwrap_err().code, Code::Corrupt);
    assert!(ArrayGuard::find(&agent, mine.region(), 0).unwrap().is_none(), "there is no trailer");
    for (offset, len) in [(0, 2 * BYTES + 1), (2 * BYTES, 1), (u64::MAX, 1)] {
        let mut copy = vec![0; len as usize];
        assert_eq!(mine.region().copy_to(offset, &mut copy).unwrap_err().code, Code::Corrupt);
    }
    for (offset, len) in [(0, 7), (1, 8), (3, 30), (8, 16), (7, 1), (5, 3), (0, 0)] {
        let all: Vec<u8> = (0..=255).cycle().take(64).collect();
        for (word, bytes) in words(&mine).iter().zip(all.chunks(8)) {
            word.store(u64::from_le_bytes(bytes.try_into().unwrap()), Ordering::Relaxed);
        }
        let mut copy = vec![0; len];
        mine.region().copy_to(offset, &mut copy).unwrap();
        assert_eq!(copy, all[offset as usize..offset as usize + len]);
        copy.reverse();
        mine.region().copy_from(offset, &copy).unwrap();
        let mut changed = all.clone();
        changed[offset as usize..offset as usize + len].reverse();
        let mut whole = vec![0; 64];
        mine.region().copy_to(0, &mut whole).unwrap();
        assert_eq!(whole, changed, "{len} bytes at {offset}");
    }
    mine.close(&agent);
    agent.leave();
}

#[test]
fn copies_never_tear_an_element() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let mine = array(&agent, &name);
    // Elements of 4 bytes, of which the first and the last are no whole word of 8.
    let (offset, len) = (4, 16);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for byte in [0, 0xFF] {
                    mine.region().copy_from(offset, &vec![byte; len]).unwrap();
                }
            }
        });
        for _ in 0..200_000 {
            let mut copy = vec![0; len];
            mine.region().copy_to(offset, &mut copy).unwrap();
            assert!(copy.chunks(4).all(|element| element == [element[0]; 4]), "{copy:?}");
        }
        done.store(true, Ordering::Relaxed);
    });
    mine.close(&agent);
    agent.leave();
}

#[test]
fn one_step_changes_what_is_as_expected() {
    let (domain, name) = (unique("d"), unique("n"));
    let agent = Agent::register(&domain, 0).unwrap();
    let mine = array(&agent, &name);
    for len in [1, 2, 4, 8] {
        let (old, new) = (vec![0; len], vec![7; len]);
        let mut expected = old.clone();
        mine.region().compare_exchange(64 + len as u64, &mut expected, &new).unwrap();
        assert_eq!(expected, old);
        mine.region().compare_exchange(64 + len as u64, &mut expected, &[9; 8][..len]).unwrap();
        assert_eq!(expected, new, "what was found");
        let mut copy = old;
        mine.region().copy_to(64 + len as u64, &mut copy).unwrap();
        assert_eq!(copy, new, "the second one stored nothing");
    }
    for (offset, len, other, code) in [
        (2, 4, 4, Code::Corrupt),
        (2 * BYTES, 8, 8, Code::Corrupt),
        (8, 4, 8, Code::InvalidArg),
        (8, 3, 3, Code::InvalidArg),
        (8, 0, 0, Code::InvalidArg),
    ] {
        let refused = mine.region().compare_exchange(offset, &mut vec![0; len], &vec![0; other]).unwrap_err();
        assert_eq!(refused.code, code);
    }
    mine.close(&agent);
    agent.leave();
}
