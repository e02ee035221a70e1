//! Models of the ring of records with one producer and one consumer.

use loom::cell::UnsafeCell;

use super::{DEAD, FOREVER, World, models, together};
use crate::layout::{RingWords, UNIT};
use crate::queues::{Place, Record, Ring, Seen, Then, Units};
use crate::sync::Ordering;
use crate::wait::{Sleepers, Spins};

type Agent = super::Agent<Channel>;

const SIZE: u32 = 4;
/// The words of a record, at most one.
type Bytes = &'static [u64];
const EMPTY: Bytes = &[];

#[derive(Default)]
struct Channel {
    words: RingWords,
    /// Headers and bytes alike. Loom fails the model if a thread writes one while another reads it,
    /// or reads it without seeing the write.
    units: [UnsafeCell<u64>; SIZE as usize],
}

impl Channel {
    /// An empty ring at that position.
    fn at(position: u32) -> Channel {
        let channel = Channel::default();
        channel.words.tail.store(position, Ordering::Relaxed);
        channel.words.head.store(position, Ordering::Relaxed);
        channel
    }
}

impl Units for &Channel {
    fn header(&self, unit: u32) -> u64 {
        // SAFETY: loom checks that no other thread writes it meanwhile.
        self.units[unit as usize].with(|header| unsafe { *header })
    }

    fn set_header(&self, unit: u32, header: u64) {
        // SAFETY: loom checks that no other thread is here.
        self.units[unit as usize].with_mut(|at| unsafe { *at = header });
    }
}

impl Agent {
    fn ring(&self) -> Ring<'_, &Channel> {
        Ring { words: &self.world.shared.words, units: &self.world.shared, size: SIZE }
    }

    fn seen(&self) -> Seen {
        Seen::first(&self.world.shared.words)
    }

    fn reserve(&self, seen: &mut Seen, bytes: Bytes) -> Option<Place> {
        self.ring().reserve(seen, bytes.len() as u32 * UNIT).expect("the state is sound")
    }

    fn front(&self, seen: &mut Seen) -> Option<Record> {
        self.ring().front(seen).expect("the state is sound")
    }

    fn commit(&self, place: Place, bytes: Bytes) {
        for (unit, word) in (place.unit + 1..).zip(bytes) {
            self.ring().units.set_header(unit, *word);
        }
        self.ring().commit(place, place.len, false, Then::Notify);
    }

    fn release(&self, record: Record) -> Vec<u64> {
        let units = record.unit + 1..=record.unit + record.len / UNIT;
        let bytes = units.map(|unit| self.ring().units.header(unit)).collect();
        self.ring().release(record, Then::Notify);
        bytes
    }

    /// Pushes as many records as there is room for.
    fn try_push(&self, records: &[Bytes]) -> usize {
        let mut seen = self.seen();
        for (pushed, bytes) in records.iter().enumerate() {
            let Some(place) = self.reserve(&mut seen, bytes) else { return pushed };
            self.commit(place, bytes);
        }
        records.len()
    }

    /// Pops the records that are there, in at most `attempts`.
    fn try_pop(&self, attempts: usize) -> Vec<Vec<u64>> {
        let mut seen = self.seen();
        (0..attempts).filter_map(|_| Some(self.release(self.front(&mut seen)?))).collect()
    }

    fn push(&self, records: &[Bytes]) {
        let (mut seen, mut spins) = (self.seen(), Spins::default());
        let words = &self.world.shared.words;
        for bytes in records {
            let place =
                words.full.wait_spinning(self, FOREVER, &mut spins, |_| self.reserve(&mut seen, bytes));
            self.commit(place.unwrap(), bytes);
            words.empty.notify_ordered(self, 1);
        }
    }

    fn pop(&self, count: usize) -> Vec<Vec<u64>> {
        let (mut seen, mut spins) = (self.seen(), Spins::default());
        let words = &self.world.shared.words;
        let pop = |_| {
            let record = words.empty.wait_spinning(self, FOREVER, &mut spins, |_| self.front(&mut seen));
            let bytes = self.release(record.unwrap());
            words.full.notify_ordered(self, 1);
            bytes
        };
        (0..count).map(pop).collect()
    }
}

/// One agent pushes as many records as there is room for, another pops those that are there. Its
/// successor pops the rest.
fn tries(position: u32, records: &'static [Bytes]) {
    let world = World::new(Channel::at(position));
    let ends = together(&world, 2, move |agent| match agent.me.slot {
        0 => (agent.try_push(records), vec![]),
        _ => (0, agent.try_pop(records.len())),
    });
    let [(pushed, _), (_, popped)] = &ends[..] else { unreachable!() };
    let rest = Agent::new(&world, 2).try_pop(records.len());
    assert_eq!([&popped[..], &rest].concat(), records[..*pushed]);
}

/// All records that are pushed are popped. If there is none, or no room, the agent sleeps.
fn sleeps(position: u32, records: &'static [Bytes]) {
    let world = World::new(Channel::at(position));
    let ends = together(&world, 2, move |agent| match agent.me.slot {
        0 => {
            agent.push(records);
            vec![]
        }
        _ => agent.pop(records.len()),
    });
    assert_eq!(ends[1], records);
}

/// A producer dies before it has pushed its record; the next one writes over it, while the consumer
/// waits.
fn dead_producer() {
    let world = World::new(Channel::default());
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            Agent::new(&agent.world, DEAD.slot).killed_at("ring.written", |dead| dead.push(&[&[1]]));
            agent.push(&[&[2]]);
            vec![]
        }
        _ => agent.pop(1),
    });
    assert_eq!(ends[1], [[2]]);
}

/// A consumer dies before it has popped a record that it read; the next one reads it again, while
/// the producer waits.
fn dead_consumer() {
    let world = World::new(Channel::default());
    Agent::new(&world, 0).push(&[&[1], &[2]]);
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            agent.push(&[&[3]]);
            vec![]
        }
        _ => {
            Agent::new(&agent.world, DEAD.slot).killed_at("ring.read", |dead| drop(dead.pop(1)));
            agent.pop(3)
        }
    });
    assert_eq!(ends[1], [[1], [2], [3]]);
}

/// A consumer died while it slept; the next one is woken.
fn dead_sleeper() {
    let world = World::of_the_dead(Channel::default());
    world.shared.words.empty.insert(usize::from(DEAD.slot));
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            agent.push(&[&[1]]);
            vec![]
        }
        _ => agent.pop(1),
    });
    assert_eq!(ends[1], [[1]]);
}

models! {
    preemptions: 3;
    records_are_whole_and_in_order: || tries(0, &[&[1], &[2], &[3]]);
    a_record_is_not_split_by_the_end_of_the_ring: || tries(0, &[EMPTY, &[1], &[2]]);
    positions_begin_anew: || tries(u32::MAX, &[&[1], &[2]]);
    neither_end_sleeps_for_ever: || sleeps(0, &[&[1], &[2], &[3]]);
    neither_end_sleeps_for_ever_at_the_end_of_the_ring: || sleeps(1, &[&[1], &[2], EMPTY]);
    the_next_producer_writes_over_a_record_that_was_not_pushed: dead_producer;
    the_next_consumer_reads_a_record_that_was_not_popped: dead_consumer;
    a_dead_sleeper_swallows_no_wake_up: dead_sleeper;
}
