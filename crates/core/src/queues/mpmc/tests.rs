//! Queues on the heap, between threads that don't die.

use std::sync::atomic::AtomicU8;

use super::super::claim::POSITION_BITS;
use super::*;
use crate::sync::AtomicU32;

struct Heap {
    words: Box<MpmcWords>,
    slots: Vec<AtomicU64>,
    chunks: Vec<ChunkWords>,
    messages: Vec<AtomicU64>,
}

impl Chunks for &[ChunkWords] {
    fn count(&self) -> u32 {
        self.len() as u32
    }

    fn chunk(&self, index: u32) -> Option<&ChunkWords> {
        self.get(index as usize)
    }
}

impl Heap {
    /// An empty queue on that lap.
    fn new(capacity: u32, lap: u64) -> Heap {
        // SAFETY: atomics throughout, for which zeros are values.
        let words: Box<MpmcWords> = Box::new(unsafe { std::mem::zeroed() });
        let slots = u64::from(capacity).next_power_of_two();
        words.head.store(lap * slots, Relaxed);
        words.tail.store(lap * slots, Relaxed);
        let chunk =
            |_| ChunkWords { claim: AtomicU64::new(0), len: AtomicU32::new(0), flags: AtomicU32::new(0) };
        Heap {
            words,
            slots: (0..slots).map(|_| AtomicU64::new(lap << INDEX_BITS)).collect(),
            chunks: (0..capacity).map(chunk).collect(),
            messages: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn mpmc(&self) -> Mpmc<'_, &[ChunkWords]> {
        let ring = IndexRing { head: &self.words.head, tail: &self.words.tail, slots: &self.slots };
        Mpmc { words: &self.words, ring, chunks: &self.chunks }
    }

    /// Whether there was room.
    fn put(&self, me: u16, message: u64) -> bool {
        let mpmc = self.mpmc();
        let Some(index) = mpmc.claim(me).unwrap() else { return false };
        self.messages[index as usize].store(message, Relaxed);
        assert!(mpmc.publish(index, Phase::Writing, me).unwrap());
        true
    }

    fn get(&self, me: u16) -> Option<u64> {
        let mpmc = self.mpmc();
        let index = mpmc.take(me).unwrap()?;
        let message = self.messages[index as usize].load(Relaxed);
        assert!(mpmc.free(index, Phase::Reading, me, Then::Another).unwrap());
        Some(message)
    }
}

impl Heap {
    /// A producer dies before it links its message, and one after that.
    fn reap_a_dead_producer(&self) {
        let (mpmc, terms) = (self.mpmc(), Terms { redeliver: false, count_failures: false });
        assert!(self.put(1, 5));
        assert_eq!(mpmc.reap(1, terms, |_| ()), Ok(Reaped::default()), "it is linked");
        assert_eq!(self.get(0), Some(5));
        let index = mpmc.claim(2).unwrap().unwrap();
        let unlinked = Claim::queued(mpmc.ring.end().unwrap(), 2);
        self.chunks[index as usize].claim.store(unlinked, Relaxed);
        self.messages[index as usize].store(6, Relaxed);
        assert_eq!(mpmc.reap(2, terms, |_| ()), Ok(Reaped { queued: 1, freed: 0 }));
        assert_eq!((self.get(0), self.get(0)), (Some(6), None));
    }
}

/// Fills and empties the queue some times, in order.
fn fill_and_empty(heap: &Heap, times: u64) {
    let capacity = u64::from(heap.mpmc().chunks.count());
    for round in 0..times {
        let messages = || (0..capacity).map(|i| round << 32 | i);
        assert_eq!(heap.get(0), None);
        assert!(messages().all(|message| heap.put(0, message)));
        assert_eq!((heap.mpmc().len(), heap.put(0, 0)), (Ok(capacity), false));
        assert_eq!(heap.mpmc().unfinished(), Ok(capacity as u32));
        assert!(messages().all(|message| heap.get(0) == Some(message)));
        assert_eq!(heap.mpmc().is_finished(), Ok(true));
    }
}

#[test]
fn it_fills_and_empties_in_order() {
    for capacity in [1, 2, 3, 4, 64, 100] {
        fill_and_empty(&Heap::new(capacity, 0), 20);
    }
}

#[test]
fn rounds_and_positions_wrap() {
    const ROUNDS: u64 = 1 << 41;
    for capacity in [1, 2, 3] {
        let positions = (1 << POSITION_BITS) / u64::from(capacity).next_power_of_two();
        for lap in [ROUNDS - 1, ROUNDS - 5, 3 * ROUNDS - 5, positions - 5] {
            let heap = Heap::new(capacity, lap);
            fill_and_empty(&heap, 50);
            heap.reap_a_dead_producer();
        }
    }
}

/// A process that was stopped before it stored a hint moves it back when it goes on.
#[test]
fn hints_may_be_late() {
    for capacity in [1, 2, 3, 64] {
        let queue = Heap::new(capacity, 0);
        for late in 0..4 * u64::from(capacity) {
            let move_back = |hint: &AtomicU64| hint.store(hint.load(Relaxed).saturating_sub(late), Relaxed);
            fill_and_empty(&queue, 1);
            assert!(queue.put(0, 1));
            [&queue.words.head, &queue.words.tail].into_iter().for_each(move_back);
            assert_eq!(queue.mpmc().len(), Ok(1));
            assert_eq!(queue.get(0), Some(1));
            [&queue.words.head, &queue.words.tail].into_iter().for_each(move_back);
        }
    }
}

#[test]
fn a_reaper_leaves_a_linked_message_in_its_place() {
    let heap = Heap::new(2, 0);
    assert!(heap.put(1, 5) && heap.put(2, 6));
    let terms = Terms { redeliver: false, count_failures: false };
    assert_eq!(heap.mpmc().reap(1, terms, |_| ()), Ok(Reaped::default()));
    assert_eq!((heap.get(0), heap.get(0)), (Some(5), Some(6)));
}

#[test]
fn only_its_claimant_publishes_or_frees_a_chunk() {
    let heap = Heap::new(2, 0);
    let mpmc = heap.mpmc();
    let index = mpmc.claim(1).unwrap().unwrap();
    assert_eq!(mpmc.publish(index, Phase::Writing, 2), Ok(false));
    assert_eq!(mpmc.free(index, Phase::Reading, 1, Then::Another), Ok(false));
    assert_eq!(mpmc.free(2, Phase::Writing, 1, Then::Another), Err(Corrupt));
    assert!(mpmc.has(index, Phase::Writing, 1) && !mpmc.has(2, Phase::Writing, 1));
    assert_eq!(mpmc.publish(index, Phase::Writing, 1), Ok(true));
    assert_eq!(mpmc.publish(index, Phase::Writing, 1), Ok(false), "not twice");
}

/// If the claim of a message came back, a process that was stopped before its CAS would take
/// another message, which is not the first one.
#[test]
fn the_claim_of_a_message_never_comes_back() {
    let heap = Heap::new(1, 0);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..3 {
        assert!(heap.put(1, 7));
        let claim = heap.chunks[0].claim.load(Relaxed);
        assert!(seen.insert(claim), "{:?}", Claim::of(claim));
        assert_eq!(heap.get(1), Some(7));
    }
}

/// Each message comes exactly once, and each consumer gets those of one producer in order.
#[test]
fn each_message_comes_once_between_four_producers_and_four_consumers() {
    const EACH: u64 = 200_000;
    for capacity in [1, 2, 64] {
        let heap = Heap::new(capacity, 0);
        let received: Vec<AtomicU8> = (0..4 * EACH).map(|_| AtomicU8::new(0)).collect();
        let count = AtomicU64::new(0);
        let produce = |me: u16| {
            for n in 0..EACH {
                while !heap.put(me, u64::from(me) * EACH + n) {
                    std::thread::yield_now();
                }
            }
        };
        let consume = |me: u16| {
            let mut last = [None; 4];
            while count.load(Relaxed) < 4 * EACH {
                let Some(message) = heap.get(me) else {
                    std::thread::yield_now();
                    continue;
                };
                let before = last[(message / EACH) as usize].replace(message);
                assert!(before < Some(message), "{message} after {before:?}");
                assert_eq!(received[message as usize].fetch_add(1, Relaxed), 0, "{message} came twice");
                count.fetch_add(1, Relaxed);
            }
        };
        std::thread::scope(|scope| {
            for me in 0..4 {
                let (produce, consume) = (&produce, &consume);
                scope.spawn(move || produce(me));
                scope.spawn(move || consume(me + 4));
            }
        });
        assert_eq!((heap.get(0), heap.mpmc().is_finished()), (None, Ok(true)));
    }
}
