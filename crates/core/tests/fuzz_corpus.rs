//! Replays the inputs that fuzzers kept, and variations of them. `npm run fuzz` goes on from there.
#![cfg(target_os = "linux")]

mod common;
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::code;
use common::random::Random;
use crossmem_core::{Agent, Code, Kind, Object, Wait};
use fuzz::scribble::Scribbler;
use fuzz::world::{World, create};

/// How many variations each target gets.
const VARIATIONS: usize = 300;

/// The inputs that a fuzzer kept, in the same order on every machine.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// An input in which some bytes are changed, inserted, left out, or taken from another input.
fn vary(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut below = |end: usize| random.below(end as u64) as usize;
    let mut input = corpus[below(corpus.len())].clone();
    for _ in 0..=below(4) {
        let at = below(input.len() + 1);
        let end = (at + below(16)).min(input.len());
        let other = &corpus[below(corpus.len())];
        let piece = &other[below(other.len() + 1)..];
        let piece = &piece[..piece.len().min(below(32))];
        match below(5) {
            0 => drop(input.splice(at..end, piece.iter().copied())),
            1 => drop(input.splice(at..at, piece.iter().copied())),
            2 => drop(input.drain(at..end)),
            3 => input.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << below(8)),
            _ => input.iter_mut().skip(at).take(4).for_each(|byte| *byte = below(256) as u8),
        }
    }
    input
}

fn replay(name: &str) {
    let (_, run) = fuzz::TARGETS.into_iter().find(|target| target.0 == name).expect("a target");
    let corpus = corpus(name);
    assert!(!corpus.is_empty(), "nothing to replay");
    for input in &corpus {
        run(input);
    }
    let mut random = Random(1);
    for number in 0..VARIATIONS {
        let input = vary(&corpus, &mut random);
        let survived = std::panic::catch_unwind(|| run(&input));
        assert!(survived.is_ok(), "variation {number} of {name}: {input:?}");
    }
}

#[test]
fn control_segment() {
    replay("control_segment");
}

#[test]
fn registry_entries() {
    replay("registry_entries");
}

#[test]
fn object_headers() {
    replay("object_headers");
}

#[test]
fn ring_words() {
    replay("ring_words");
}

#[test]
fn queue_records() {
    replay("queue_records");
}

/// Gives `act` an object of which another program has overwritten a number.
fn overwritten(kind: Kind, at: u64, word: impl Fn(u64) -> u64, act: impl FnOnce(Object<'_>)) {
    let domain = World::new();
    let agent: Agent = domain.join().unwrap();
    let name = domain.name(0);
    let segment = create(&agent, &name, kind, false).unwrap();
    let mine = agent.owner_word() >> 32 << 32;
    Scribbler::on(&name).unwrap().write(at, &word(mine).to_le_bytes());
    act(Object::new(&agent, &segment));
    segment.close(&agent);
    agent.leave();
}

/// The offsets of slot 0's entry in the tables of readers, permits, parties and waiters, and of a
/// queue's parameter.
const READERS: u64 = 336;
const HELD: u64 = 352;
const ARRIVED: u64 = 376;
const WAITERS: u64 = 328;
const MESSAGE_BYTES: u64 = 32;

#[test]
fn counts_stop_at_the_largest_number() {
    let largest = |mine: u64| mine | u64::from(u32::MAX);
    overwritten(Kind::RwLock, READERS, largest, |lock| {
        lock.read(Wait::Try).unwrap();
    });
    overwritten(Kind::Semaphore, HELD, largest, |semaphore| {
        semaphore.acquire(Wait::Try).unwrap();
    });
    overwritten(
        Kind::Semaphore,
        HELD - 24,
        |_| u64::MAX,
        |semaphore| {
            assert_eq!(code(semaphore.release(1, false)), Code::OutOfRange);
        },
    );
    overwritten(Kind::Barrier, ARRIVED, largest, |barrier| {
        barrier.arrive(Wait::For(Duration::ZERO)).unwrap();
        assert_eq!(barrier.waiting_at_barrier().unwrap(), u32::MAX);
    });
}

#[test]
fn leaving_a_condition_always_ends() {
    let told = |mine: u64| mine | 1 << 16 | 1;
    overwritten(Kind::Condition, WAITERS, told, |condition| condition.leave_condition(1).unwrap());
}

#[test]
fn a_queue_larger_than_its_segment_cannot_be_joined() {
    overwritten(
        Kind::MpmcQueue,
        MESSAGE_BYTES,
        |_| 1 << 30,
        |queue| {
            assert_eq!(code(queue.join_queue()), Code::Corrupt);
            assert_eq!(code(queue.holders()), Code::Corrupt);
        },
    );
}
