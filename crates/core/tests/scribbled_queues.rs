//! Another program overwrites queues and channels. Whatever it writes, each call returns an answer
//! or an error, and each message that a call tells of lies in the segment.
#![cfg(target_os = "linux")]

mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use common::random::Random;
use common::{code, make, unique};
use crossmem_core::{
    Agent, CONSUMER, Code, End, Got, Kind, Looked, Member, Object, PRODUCER, Put, QueueWait, RecordsAt,
    Region, Result, Segment, Side, Spins, Wait,
};

const ROUNDS: u32 = 30_000;
/// How many calls are made before the sound state is restored.
const CALLS: u32 = 12;
const SPILL_REDELIVER_AND_STRUCTURES: u64 = 7;
/// Numbers of the list of structures, at the end.
const LIST: usize = 1024;

/// A segment as plain numbers, as a program sees it that knows nothing of crossmem.
struct Words<'a>(&'a [AtomicU64]);

impl Words<'_> {
    fn of(region: Region<'_>) -> Words<'_> {
        // SAFETY: all of it lies in the mapping, which begins at a page. Other code accesses it by
        // atomics, or expects it to change.
        Words(unsafe { std::slice::from_raw_parts(region.as_ptr().cast(), region.len() / 8) })
    }

    fn saved(&self) -> Vec<u64> {
        self.0.iter().map(|word| word.load(Relaxed)).collect()
    }

    fn restore(&self, saved: &[u64]) {
        self.0.iter().zip(saved).for_each(|(word, saved)| word.store(*saved, Relaxed));
    }

    /// Overwrites one of these numbers, or half of it, with a value that is likely to do harm.
    fn scribble(&self, random: &mut Random, hot: &[Range<usize>]) {
        let range = match random.below(10) {
            0 => 0..self.0.len(),
            i => hot[i as usize % hot.len()].clone(),
        };
        let at = range.start + random.below(range.len() as u64) as usize;
        let old = self.0[at].load(Relaxed);
        let neighbour =
            self.0[(at + random.below(5) as usize).saturating_sub(2) % self.0.len()].load(Relaxed);
        let harmful = match random.below(14) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => 1 << 63,
            4 => 1 << 31,
            5 => u64::from(u32::MAX),
            6 => old.wrapping_add(1),
            7 => old.wrapping_sub(1),
            8 => neighbour,
            9 => old ^ 1 << random.below(64),
            10 => old.wrapping_add(1 << random.below(64)),
            11 => neighbour.wrapping_add(1),
            12 => random.below(64),
            _ => random.next(),
        };
        let mask = [u64::MAX, u64::MAX, 0xffff_ffff, !0xffff_ffff][random.below(4) as usize];
        self.0[at].store(old & !mask | harmful & mask, Relaxed);
    }
}

/// Counts the outcomes of calls.
#[derive(Default)]
struct Outcomes(BTreeMap<&'static str, u32>);

impl Outcomes {
    /// Counts an outcome, which must be one of the allowed codes. Returns false if the object is
    /// corrupt.
    fn hear(&mut self, outcome: Result<()>) -> bool {
        let code = outcome.err().map(|e| e.code);
        *self.0.entry(code.map_or("fine", Code::as_str)).or_default() += 1;
        let may_be = [
            Code::Corrupt,
            Code::LostOwnership,
            Code::NotFound,
            Code::WrongDomain,
            Code::InvalidArg,
            Code::TooLarge,
            Code::Limit,
            Code::Timeout,
            Code::PeerDied,
            Code::Busy,
            Code::Ended,
            Code::OutOfRange,
        ];
        assert!(code.is_none_or(|code| may_be.contains(&code)), "{code:?}");
        // A call takes a million attempts to find an object corrupt, and further calls would find
        // nothing else.
        code != Some(Code::Corrupt)
    }

    fn were(&self, all: &[&str]) {
        for code in all {
            assert!(self.0.contains_key(code), "no call ended with {code}: {:?}", self.0);
        }
    }
}

fn inside(region: Region<'_>, offset: u64, len: u64) {
    let end = offset.checked_add(len).expect("an offset of a segment");
    assert!(end <= region.len() as u64, "{len} bytes at {offset} of {}", region.len());
}

/// Makes one call to a queue.
fn use_queue(object: Object<'_>, queue: &Segment, member: &mut Member, random: &mut Random) -> Result<()> {
    let bytes = [7; 40];
    let index = random.below(6) as u32;
    match random.below(17) {
        0 => {
            // Now and then a message that is larger than a chunk.
            let len = if random.below(200) == 0 { 40 } else { random.below(25) as usize };
            object.push_message(member, &bytes[..len], Wait::Try).map(drop)
        }
        1 => object.push_messages(member, [&bytes[..3], &bytes[..24]].into_iter()).map(drop),
        2 | 3 => {
            if let Looked::Got(Put::Done(chunk)) = object.reserve_message(member, Wait::Try)? {
                inside(queue.region(), chunk.offset, chunk.len);
                if index == 0 {
                    return object.cancel_message(member, chunk.index);
                }
                return object.commit_message(member, chunk.index, random.below(30) as u32);
            }
            Ok(())
        }
        4..=6 => {
            if let Looked::Got(Got::Message(chunk)) = object.take_message(member, Wait::Try)? {
                if !chunk.spilled {
                    inside(queue.region(), chunk.offset, chunk.len);
                }
                if chunk.spilled && object.check_spilled(chunk.index, chunk.len).is_ok() {
                    assert!(chunk.len <= 4096, "{} bytes are said to be there", chunk.len);
                }
                let mut copy = vec![0; chunk.len.min(100) as usize];
                let read = object.read_message(chunk, &mut copy);
                return match random.below(4) {
                    0 => read,
                    1 => object.put_message_back(member, chunk.index),
                    _ => object.free_message(member, chunk.index),
                };
            }
            Ok(())
        }
        7 => object
            .pop_messages(member, 3, |region, chunk| {
                if !chunk.spilled {
                    inside(region, chunk.offset, chunk.len);
                }
                !chunk.spilled
            })
            .map(drop),
        8 => object.free_message(member, index),
        9 => object.put_message_back(member, index),
        10 => object.commit_message(member, index, 5),
        11 => object.join_messages(member, Wait::Try).map(drop),
        12 => {
            object.unfinished_messages(member).and(object.queue_size(member)).and(object.holders()).map(drop)
        }
        13 => object.add_structure(member, &bytes[..random.below(9) as usize]).map(drop),
        14 => object.structures(member).map(|entries| {
            assert!(entries.iter().map(Vec::len).sum::<usize>() <= 8 * LIST, "more than there is");
        }),
        15 => object.join_queue().and_then(|another| object.leave_queue(another)),
        _ => {
            let wait = [QueueWait::Message, QueueWait::Room, QueueWait::Finish][index as usize % 3];
            object.take_message(member, Wait::Arm { again: false }).and(object.give_up_queue(wait))
        }
    }
}

/// A queue with messages of all sorts, some of whose chunks live and dead participants hold.
fn crowded_queue(agent: &Agent, domain: &str, kind: Kind) -> Segment {
    let name = unique("n");
    let queue = make(agent, &name, kind, [6, 24, SPILL_REDELIVER_AND_STRUCTURES, 0, 0]);
    let object = Object::new(agent, &queue);
    let mut living = object.join_queue().unwrap();
    let dead = Agent::register(domain, 0).unwrap();
    let theirs = Segment::open(&dead, &name, None).unwrap();
    let dying = Object::new(&dead, &theirs);
    let mut member = dying.join_queue().unwrap();
    for len in [3, 24, 40, 10] {
        object.push_message(&mut living, &[5; 40][..len], Wait::Try).unwrap();
    }
    object.take_message(&mut living, Wait::Try).unwrap();
    dying.take_message(&mut member, Wait::Try).unwrap();
    dying.reserve_message(&mut member, Wait::Try).unwrap();
    dying.add_structure(&member, b"one").unwrap();
    object.add_structure(&living, b"another").unwrap();
    drop((theirs, dead));
    queue
}

/// The parts of a queue that are overwritten most: the header, positions, sleepers, failures and
/// the mutex of reapers, the first participants, the slots and chunks behind the participants, and
/// the list of structures.
fn hot_in_queue(len: usize) -> [Range<usize>; 9] {
    let end = len - LIST;
    let chunks = end - 6 * 8;
    [0..8, 8..10, 24..25, 40..72, 88..93, 109..113, chunks - 64..chunks, chunks..end, end..end + 28]
}

fn scribble_at_queue(kind: Kind, seed: u64, rounds: u32, outcomes: &mut Outcomes) {
    let domain = unique("d");
    let agent = Agent::register(&domain, 0).unwrap();
    let queue = crowded_queue(&agent, &domain, kind);
    let object = Object::new(&agent, &queue);
    let words = Words::of(queue.region());
    let sound = words.saved();
    let mut random = Random(seed);
    let hot = hot_in_queue(words.0.len());
    for _ in 0..rounds {
        words.restore(&sound);
        let mut member = object.join_queue().unwrap();
        for _ in 0..=random.below(3) {
            words.scribble(&mut random, &hot);
        }
        if random.below(20) == 0 {
            let opened = Segment::open(&agent, &queue.name, Some(kind)).map(|again| again.close(&agent));
            outcomes.hear(opened);
        }
        for _ in 0..CALLS {
            if !outcomes.hear(use_queue(object, &queue, &mut member, &mut random)) {
                break;
            }
        }
        outcomes.hear(object.leave_queue(member));
    }
    words.restore(&sound);
    queue.close(&agent);
    agent.leave();
}

#[test]
fn over_queues() {
    let mut outcomes = Outcomes::default();
    for (seed, kind) in [(1, Kind::MpmcQueue), (2, Kind::JoinableQueue)] {
        scribble_at_queue(kind, seed, ROUNDS, &mut outcomes);
    }
    outcomes.were(&["fine", "ERR_CORRUPT", "ERR_LOST_OWNERSHIP", "ERR_TOO_LARGE"]);
}

/// Makes one call to a channel.
fn use_channel(object: Object<'_>, channel: &Segment, end: &mut End, random: &mut Random) -> Result<()> {
    let bytes = [7; 64];
    let (len, index) = (random.below(64), random.below(2) as usize);
    match random.below(12) {
        0 | 1 => object.push_record(end, &bytes[..len as usize], index == 0, Wait::Try).map(drop),
        2 | 3 => {
            if let Looked::Got(Put::Done(place)) = object.reserve_record(end, len, Wait::Try)? {
                inside(channel.region(), place.offset, place.len.into());
                return object.commit_record(end, random.below(64) as u32, index == 0);
            }
            Ok(())
        }
        4 => object.push_records(end, [&bytes[..3], &bytes[..24]].into_iter()).map(drop),
        5 | 6 => {
            if let Looked::Got(Got::Message(found)) = object.peek_record(end, Wait::Try)? {
                inside(channel.region(), found.offset, found.len.into());
                object.read_record(found, &mut vec![0; found.len as usize])?;
            }
            Ok(())
        }
        7 | 8 => object.release_record(end),
        9 => object
            .pop_records(end, 3, |region, found| {
                inside(region, found.offset, found.len.into());
                true
            })
            .map(drop),
        10 => {
            object.bytes_towards(index).and(object.end_is_closed(index)).and(object.holders())?;
            object.take_end(index).and_then(|another| object.release_end(another, false))
        }
        _ => {
            object.peek_record(end, Wait::Arm { again: false })?;
            object.give_up_channel(index, true).and(object.most_bytes(end)).map(drop)
        }
    }
}

/// A channel with records in both rings, at positions that wrap around.
fn busy_channel(agent: &Agent, kind: Kind) -> Segment {
    let back = if kind == Kind::Pipe { 64 } else { 0 };
    let channel = make(agent, &unique("n"), kind, [128, back, 0, 0, 0]);
    let object = Object::new(agent, &channel);
    let mut ends = [object.take_end(CONSUMER).unwrap(), object.take_end(PRODUCER).unwrap()];
    for n in 0..50 {
        let pushed = object.push_record(&mut ends[PRODUCER], &[5; 20][..n % 21], false, Wait::Try).unwrap();
        if pushed != Looked::Got(Put::Done(())) || n < 47 {
            let popped = object.pop_records(&mut ends[CONSUMER], 1, |_, _| true).unwrap();
            assert_eq!(popped, Got::Message(1));
        }
    }
    if kind == Kind::Pipe {
        object.push_record(&mut ends[CONSUMER], &[5; 20], true, Wait::Try).unwrap();
    }
    for end in ends {
        object.release_end(end, false).unwrap();
    }
    channel
}

/// The parts of a channel that are overwritten most: the header, the ends, positions and sleepers,
/// and the rings' bytes.
fn hot_in_channel(end: usize) -> [Range<usize>; 9] {
    [0..8, 8..24, 24..25, 40..41, 56..57, 72..73, 88..89, 104..105, 120..end]
}

fn scribble_at_channel(kind: Kind, seed: u64, rounds: u32, outcomes: &mut Outcomes) {
    let agent = Agent::register(&unique("d"), 0).unwrap();
    let channel = busy_channel(&agent, kind);
    let object = Object::new(&agent, &channel);
    let words = Words::of(channel.region());
    let sound = words.saved();
    let mut random = Random(seed);
    let hot = hot_in_channel(words.0.len());
    for _ in 0..rounds {
        words.restore(&sound);
        let mut ends = [object.take_end(CONSUMER).unwrap(), object.take_end(PRODUCER).unwrap()];
        for _ in 0..=random.below(3) {
            words.scribble(&mut random, &hot);
        }
        for _ in 0..CALLS {
            let end = &mut ends[random.below(2) as usize];
            outcomes.hear(use_channel(object, &channel, end, &mut random));
        }
        for end in ends {
            outcomes.hear(object.release_end(end, random.below(2) == 0));
        }
    }
    words.restore(&sound);
    channel.close(&agent);
    agent.leave();
}

#[test]
fn over_channels() {
    let mut outcomes = Outcomes::default();
    for (seed, kind) in [(3, Kind::SpscQueue), (4, Kind::Pipe)] {
        scribble_at_channel(kind, seed, ROUNDS, &mut outcomes);
    }
    outcomes.were(&["fine", "ERR_CORRUPT", "ERR_LOST_OWNERSHIP", "ERR_BUSY", "ERR_PEER_DIED"]);
}

/// Makes one call to a queue of records.
fn use_records(object: Object<'_>, queue: &Segment, random: &mut Random) -> Result<()> {
    let side = if random.below(2) == 0 { Side::Consumers } else { Side::Producers };
    let mut bytes = [7; 60];
    match random.below(9) {
        0 => object.put_records(&bytes[..20 * (1 + random.below(3) as usize)], Wait::Try).map(drop),
        1 => object.get_records(&mut bytes[..20 * (1 + random.below(3) as usize)], Wait::Try).map(drop),
        2 => object.put_records(&bytes[..20], Wait::Arm { again: true }).map(drop),
        3 => object.get_records(&mut bytes[..20], Wait::For(Duration::from_millis(1))).map(drop),
        4 => {
            let held = object.enter_records(side, Wait::Try, &mut Spins::default())?;
            if let Looked::Got(RecordsAt::Slots(slots)) = held {
                assert!(slots.here <= slots.count);
                inside(queue.region(), slots.offset, slots.bytes);
                return object.advance_records(side, random.below(u64::from(slots.count) + 2) as u32);
            }
            Ok(())
        }
        5 => object.leave_records(side),
        6 => object.give_up_records(side),
        7 => {
            // The header may say that there is more room than for 4, but not beyond the segment.
            inside(queue.region(), 0, object.count_records()?.into());
            object.records_have_ended().map(drop)
        }
        _ => object.wake_records(side),
    }
}

#[test]
fn over_queues_of_records() {
    let agent = Agent::register(&unique("d"), 0).unwrap();
    let queue = make(&agent, &unique("n"), Kind::RecordQueue, [4, 20, 64, 0, 0]);
    let object = Object::new(&agent, &queue);
    object.put_records(&[1; 40], Wait::Try).unwrap();
    let (words, mut random, mut outcomes) = (Words::of(queue.region()), Random(7), Outcomes::default());
    let sound = words.saved();
    // The header, the first words of each end, and whether the queue has ended.
    let hot = [0..8, 8..11, 32..35, 56..57];
    for _ in 0..ROUNDS / 4 {
        words.restore(&sound);
        for _ in 0..=random.below(3) {
            words.scribble(&mut random, &hot);
        }
        for _ in 0..CALLS {
            outcomes.hear(use_records(object, &queue, &mut random));
        }
        if words.saved()[..8] == sound[..8] {
            assert!(object.count_records().unwrap() <= 4);
        }
    }
    outcomes.were(&["fine", "ERR_CORRUPT", "ERR_LOST_OWNERSHIP", "ERR_OUT_OF_RANGE"]);
    beside_a_scribbler(&queue, &hot, || {
        for _ in 0..ROUNDS / 4 {
            words.restore(&sound);
            for _ in 0..CALLS {
                outcomes.hear(use_records(object, &queue, &mut random));
            }
        }
    });
    words.restore(&sound);
    agent.leave();
}

/// Calls `act` while another thread overwrites the segment all the time.
fn beside_a_scribbler(segment: &Segment, hot: &[Range<usize>], act: impl FnOnce()) {
    /// Stops the scribbler when `act` is done, and when it panics: the scope waits for it.
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    let (words, done) = (Words::of(segment.region()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _stop = Stop(&done);
        scope.spawn(|| {
            let mut random = Random(5);
            while !done.load(Relaxed) {
                words.scribble(&mut random, hot);
            }
        });
        act();
    });
}

#[test]
fn while_they_are_used() {
    const TIMES: u32 = 10_000;
    let domain = unique("d");
    let agent = Agent::register(&domain, 0).unwrap();
    let (queue, channel) =
        (crowded_queue(&agent, &domain, Kind::JoinableQueue), busy_channel(&agent, Kind::Pipe));
    let (mut random, mut outcomes) = (Random(6), Outcomes::default());

    let (object, sound) = (Object::new(&agent, &queue), Words::of(queue.region()).saved());
    let mut member = object.join_queue().unwrap();
    beside_a_scribbler(&queue, &hot_in_queue(sound.len()), || {
        for _ in 0..TIMES {
            Words::of(queue.region()).restore(&sound);
            for _ in 0..CALLS {
                if !outcomes.hear(use_queue(object, &queue, &mut member, &mut random)) {
                    break;
                }
            }
        }
    });

    let (object, sound) = (Object::new(&agent, &channel), Words::of(channel.region()).saved());
    beside_a_scribbler(&channel, &hot_in_channel(sound.len()), || {
        for _ in 0..TIMES {
            Words::of(channel.region()).restore(&sound);
            let Ok(mut end) = object.take_end(PRODUCER) else { continue };
            for _ in 0..CALLS {
                outcomes.hear(use_channel(object, &channel, &mut end, &mut random));
            }
        }
    });
    outcomes.were(&["fine", "ERR_CORRUPT"]);
    agent.leave();
}

/// No call changes a chunk that the caller doesn't have, nor one that it has already committed.
#[test]
fn no_call_changes_a_chunk_of_another_participant() {
    let agent = Agent::register(&unique("d"), 0).unwrap();
    let queue = make(&agent, &unique("n"), Kind::MpmcQueue, [2, 24, SPILL_REDELIVER_AND_STRUCTURES, 0, 0]);
    let object = Object::new(&agent, &queue);
    let (mut a, mut b) = (object.join_queue().unwrap(), object.join_queue().unwrap());
    let words = Words::of(queue.region());
    let refuse = |members: &[&Member], index: u32| {
        let before = words.saved();
        for member in members {
            let refused = [
                object.commit_message(member, index, 3),
                object.cancel_message(member, index),
                object.free_message(member, index),
                object.put_message_back(member, index),
            ];
            assert!(refused.into_iter().all(|refused| code(refused) == Code::LostOwnership));
        }
        assert!(words.saved() == before);
    };
    object.push_message(&mut a, b"12345", Wait::Try).unwrap();
    refuse(&[&a, &b], 0);
    object.reserve_message(&mut a, Wait::Try).unwrap();
    refuse(&[&b], 1);
    object.take_message(&mut b, Wait::Try).unwrap();
    refuse(&[&a], 0);
    queue.close(&agent);
    agent.leave();
}
