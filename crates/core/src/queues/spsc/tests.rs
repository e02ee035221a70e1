//! Rings on the heap: each record comes once, whole and in order, wherever positions begin.
//! Impossible headers and positions are refused.

use super::*;
use crate::sync::AtomicU64;

struct Heap {
    words: RingWords,
    units: Vec<AtomicU64>,
}

impl Units for &[AtomicU64] {
    fn header(&self, unit: u32) -> u64 {
        self[unit as usize].load(Relaxed)
    }

    fn set_header(&self, unit: u32, header: u64) {
        self[unit as usize].store(header, Relaxed);
    }
}

impl Heap {
    /// An empty ring whose positions begin at `start`.
    fn new(size: u32, start: u32) -> Heap {
        // SAFETY: atomics and numbers, for which zeros are values.
        let words: RingWords = unsafe { std::mem::zeroed() };
        words.head.store(start, Relaxed);
        words.tail.store(start, Relaxed);
        Heap { words, units: (0..size).map(|_| AtomicU64::new(u64::MAX)).collect() }
    }

    fn ring(&self) -> Ring<'_, &[AtomicU64]> {
        Ring { words: &self.words, units: &self.units, size: self.units.len() as u32 }
    }
}

/// One side of a ring, with the position that it has seen of the other.
struct Side<'a> {
    ring: Ring<'a, &'a [AtomicU64]>,
    seen: Seen,
}

impl<'a> Side<'a> {
    fn new(heap: &'a Heap) -> Side<'a> {
        Side { ring: heap.ring(), seen: Seen::first(&heap.words) }
    }

    /// The words of a record that is at `unit`.
    fn words(&self, unit: u32, len: u32) -> &'a [AtomicU64] {
        &self.ring.units[unit as usize + 1..][..len.div_ceil(UNIT) as usize]
    }

    /// Pushes the n-th record. Returns whether there was room.
    fn push(&mut self, n: u64, len: u32) -> bool {
        let Some(place) = self.ring.reserve(&mut self.seen, len).unwrap() else { return false };
        for (i, word) in (0..).zip(self.words(place.unit, len)) {
            word.store(content(n, i), Relaxed);
        }
        self.ring.commit(place, len, n.is_multiple_of(3), then(n));
        true
    }

    /// Pops a record, which must be the n-th. Returns its length, or `None` if there is none yet.
    fn pop(&mut self, n: u64) -> Option<u32> {
        let record = self.ring.front(&mut self.seen).unwrap()?;
        for (i, word) in (0..).zip(self.words(record.unit, record.len)) {
            assert_eq!(word.load(Relaxed), content(n, i), "word {i} of record {n}");
        }
        assert_eq!(record.more, n.is_multiple_of(3));
        self.ring.release(record, then(n));
        Some(record.len)
    }
}

/// The i-th word of the n-th record.
fn content(n: u64, i: u64) -> u64 {
    n << 16 | i
}

/// One and the other in turn.
fn then(n: u64) -> Then {
    if n.is_multiple_of(2) { Then::Notify } else { Then::Another }
}

/// A length for the n-th record, all of them in turn.
fn len_of(n: u64, most: u32) -> u32 {
    (n.wrapping_mul(7) % u64::from(most + 1)) as u32
}

#[test]
fn positions_wrap() {
    for size in [4, 8, 64] {
        let heap = Heap::new(size, u32::MAX - 1000);
        let (mut producer, mut consumer) = (Side::new(&heap), Side::new(&heap));
        let most = heap.ring().most();
        let (mut pushed, mut popped) = (0, 0);
        while popped < 5_000 {
            while producer.push(pushed, len_of(pushed, most)) {
                pushed += 1;
            }
            // Sometimes to the end, sometimes not.
            for _ in 0..=popped % 5 {
                let Some(len) = consumer.pop(popped) else { break };
                assert_eq!(len, len_of(popped, most));
                popped += 1;
            }
        }
        while consumer.pop(popped).is_some() {
            popped += 1;
        }
        assert_eq!((popped, heap.ring().used()), (pushed, 0));
        assert!(heap.words.tail.load(Relaxed) < u32::MAX - 1000, "it wrapped");
    }
}

#[test]
fn a_record_of_half_the_ring_fits_wherever_it_begins() {
    for start in (0..16).chain(u32::MAX - 15..=u32::MAX) {
        let heap = Heap::new(16, start);
        let (mut producer, mut consumer) = (Side::new(&heap), Side::new(&heap));
        let most = heap.ring().most();
        assert_eq!(most, 56, "and its header: half of 128 bytes");
        for n in 0..10 {
            assert!(producer.push(n, most), "record {n} from {start}");
            assert_eq!(consumer.pop(n), Some(most), "record {n} from {start}");
        }
    }
}

#[test]
fn a_full_ring_takes_nothing_and_an_empty_one_gives_nothing() {
    let heap = Heap::new(16, 0);
    let (mut producer, mut consumer) = (Side::new(&heap), Side::new(&heap));
    assert_eq!(consumer.pop(0), None);
    for n in 0..4 {
        assert!(producer.push(n, 24));
    }
    assert_eq!(heap.ring().used(), 16);
    assert!(!producer.push(4, 0), "not even a header fits");
    assert_eq!(consumer.pop(0), Some(24));
    assert!(!producer.push(4, 25));
    assert!(producer.push(4, 24));
    for n in 1..5 {
        assert_eq!(consumer.pop(n), Some(24));
    }
    assert_eq!(consumer.pop(5), None);
}

#[test]
fn a_successor_finds_the_records_that_a_dead_agent_published() {
    let heap = Heap::new(16, 3);
    let mut dead = Side::new(&heap);
    assert!(dead.push(0, 20));
    // The producer died before it committed this record, for which it had padded the end of the
    // ring.
    dead.ring.reserve(&mut dead.seen, 56).unwrap();
    let (mut producer, mut consumer) = (Side::new(&heap), Side::new(&heap));
    assert!(producer.push(1, 8));
    // The consumer died before it released the record that it had read.
    assert!(consumer.ring.front(&mut consumer.seen).unwrap().is_some());
    let mut consumer = Side::new(&heap);
    assert_eq!((consumer.pop(0), consumer.pop(1), consumer.pop(2)), (Some(20), Some(8), None));
}

#[test]
fn impossible_headers_and_positions_are_refused() {
    let front = |heap: &Heap| heap.ring().front(&mut Seen::first(&heap.words)).map(|found| found.is_some());
    let with_header = |word: u64| {
        let heap = Heap::new(16, 0);
        assert!(Side::new(&heap).push(0, 24));
        heap.units[0].store(word, Relaxed);
        front(&heap)
    };
    assert_eq!(with_header(header(0, 0, 24)), Ok(true));
    for (why, word) in [
        ("of another position", header(16, 0, 24)),
        ("longer than what was pushed", header(0, 0, 25)),
        ("longer than any record", header(0, 0, 64)),
        ("as long as can be", header(0, 0, u32::MAX)),
        ("a pad to behind what was pushed", header(0, PAD, 0)),
        ("nothing of ours", u64::MAX),
    ] {
        assert_eq!(with_header(word), Err(Corrupt), "{why}");
    }

    let with_positions = |head: u32, tail: u32| {
        let heap = Heap::new(16, 0);
        heap.words.head.store(head, Relaxed);
        heap.words.tail.store(tail, Relaxed);
        let reserved = heap.ring().reserve(&mut Seen(0), 8).map(|found| found.is_some());
        (front(&heap), reserved)
    };
    assert_eq!(with_positions(5, 5), (Ok(false), Ok(true)));
    assert_eq!(with_positions(1, 0), (Err(Corrupt), Ok(true)), "a head before what the producer has seen");
    assert_eq!(with_positions(0, 17), (Err(Corrupt), Err(Corrupt)));
    assert_eq!(with_positions(0, u32::MAX), (Err(Corrupt), Err(Corrupt)));

    let heap = Heap::new(16, 12);
    let mut producer = Side::new(&heap);
    assert!(producer.push(0, 56));
    assert_eq!(Header::of(heap.units[12].load(Relaxed)).flags, PAD);
    heap.units[0].store(header(16, PAD, 0), Relaxed);
    assert_eq!(front(&heap), Err(Corrupt), "a pad behind a pad");
}

/// A record that is found, or a place that is reserved, lies inside the ring, whatever the ring
/// contains.
#[test]
fn records_found_among_garbage_lie_in_the_ring() {
    let mut state = 1_u64;
    let mut random = || {
        // Knuth's MMIX.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 16
    };
    for _ in 0..100_000 {
        let near = random() as u32;
        let heap = Heap::new(8, near);
        for unit in 0..8 {
            let at = near.wrapping_add(unit).wrapping_add(random() as u32 % 2);
            let word = header(at, random() as u8, random() as u32 % 32);
            heap.units[(near.wrapping_add(unit) % 8) as usize].store(word, Relaxed);
        }
        heap.words.tail.store(near.wrapping_add(random() as u32 % 10), Relaxed);
        let seen = Seen(near.wrapping_add(random() as u32 % 10).wrapping_sub(1));
        if let Ok(Some(record)) = heap.ring().front(&mut seen.clone()) {
            assert!(record.unit + units(record.len) <= 8);
        }
        if let Ok(Some(place)) = heap.ring().reserve(&mut seen.clone(), random() as u32 % 25) {
            assert!(place.unit + units(place.len) <= 8);
        }
    }
}

#[test]
fn each_record_comes_once_between_two_threads() {
    const RECORDS: u64 = 1_000_000;
    let heap = Heap::new(64, u32::MAX - 100_000);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut producer = Side::new(&heap);
            for n in 0..RECORDS {
                while !producer.push(n, len_of(n, 40)) {
                    std::thread::yield_now();
                }
            }
        });
        let mut consumer = Side::new(&heap);
        for n in 0..RECORDS {
            let len = std::iter::repeat_with(|| consumer.pop(n).ok_or_else(std::thread::yield_now));
            assert_eq!(len.flatten().next(), Some(len_of(n, 40)));
        }
    });
    assert_eq!(heap.ring().used(), 0);
}
