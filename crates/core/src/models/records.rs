//! Models of the ring of records with any number of producers and consumers.

use loom::cell::UnsafeCell;

use super::{DEAD, FOREVER, World, models, together};
use crate::layout::RecordQueueWords;
use crate::queues::{Entered, RecordRing, Side};
use crate::sync::Ordering;
use crate::wait::{Spins, Wait};

type Agent = super::Agent<Records>;

const CAPACITY: u32 = 2;

#[derive(Default)]
struct Records {
    words: RecordQueueWords,
    /// Loom fails the model if a thread writes one while another reads it, or reads it without
    /// seeing the write.
    slots: [UnsafeCell<u32>; CAPACITY as usize],
}

impl Agent {
    fn ring(&self) -> RecordRing<'_> {
        RecordRing { words: &self.world.shared.words, capacity: CAPACITY }
    }

    /// Takes an end. `None`: not yet, or the ring has ended.
    fn enter(&self, side: Side, wait: Wait) -> Option<(u32, u32)> {
        let entered = self.ring().enter(self, side, wait, &mut Spins::default());
        match entered.expect("the state is sound").expect("no agent enters twice")? {
            Entered::Slots { first, count } => Some((first, count)),
            Entered::Ended => {
                assert!(self.ring().leave(self, side));
                None
            }
        }
    }

    /// Puts one record. Returns whether it was put.
    fn put(&self, value: u32, wait: Wait) -> bool {
        let Some((first, _)) = self.enter(Side::Producers, wait) else { return false };
        // SAFETY: this agent has the producers' end, and the slot is free; loom checks that no
        // other thread is here.
        self.world.shared.slots[first as usize].with_mut(|slot| unsafe { *slot = value });
        self.ring().advance(self, Side::Producers, 1);
        assert!(self.ring().leave(self, Side::Producers));
        true
    }

    /// Takes one record.
    fn get(&self, wait: Wait) -> Option<u32> {
        let (first, _) = self.enter(Side::Consumers, wait)?;
        // SAFETY: this agent has the consumers' end, and the slot holds a record; loom checks that
        // no other thread writes it.
        let value = self.world.shared.slots[first as usize].with(|slot| unsafe { *slot });
        self.ring().advance(self, Side::Consumers, 1);
        assert!(self.ring().leave(self, Side::Consumers));
        Some(value)
    }
}

/// One agent puts two records, another takes what is there. Its successor takes the rest.
fn tries() {
    let world = World::new(Records::default());
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            // Refused by a consumer that has looked, never for good.
            let put = [1, 2].into_iter().filter(|value| agent.put(*value, Wait::Try));
            put.collect()
        }
        _ => (0..2).filter_map(|_| agent.get(Wait::Try)).collect::<Vec<_>>(),
    });
    let heir = Agent::new(&world, 2);
    let rest: Vec<_> = std::iter::from_fn(|| heir.get(Wait::Try)).collect();
    assert_eq!([&ends[1][..], &rest].concat(), ends[0]);
}

/// All records that are put are taken, through a ring with less room. If there is none, or no
/// room, the agent sleeps.
fn sleeps() {
    let world = World::new(Records::default());
    let filled = Agent::new(&world, 2);
    assert!(filled.put(1, Wait::Try) && filled.put(2, Wait::Try));
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            assert!(agent.put(3, FOREVER));
            vec![]
        }
        _ => (0..3).map(|_| agent.get(FOREVER).unwrap()).collect(),
    });
    assert_eq!(ends[1], [1, 2, 3]);
}

/// Two consumers wait, and two records are put.
fn two_consumers() {
    let world = World::new(Records::default());
    let mut got = together(&world, 3, |agent| {
        if agent.me.slot == 0 {
            assert!(agent.put(1, FOREVER) && agent.put(2, FOREVER));
            0
        } else {
            agent.get(FOREVER).unwrap()
        }
    });
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2]);
}

/// Two consumers wait, and one call puts two records.
fn one_put_for_two() {
    let world = World::new(Records::default());
    let mut got = together(&world, 3, |agent| {
        if agent.me.slot != 0 {
            return agent.get(FOREVER).unwrap();
        }
        let (first, count) = agent.enter(Side::Producers, FOREVER).unwrap();
        assert_eq!((first, count), (0, 2));
        for (slot, value) in agent.world.shared.slots.iter().zip([1, 2]) {
            // SAFETY: as in `put`.
            slot.with_mut(|slot| unsafe { *slot = value });
        }
        agent.ring().advance(agent, Side::Producers, 2);
        assert!(agent.ring().leave(agent, Side::Producers));
        0
    });
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2]);
}

/// A producer dies before its record is published; the next one writes over it, while a consumer
/// waits.
fn dead_producer() {
    let world = World::new(Records::default());
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            let dies = |dead: &Agent| {
                dead.put(1, FOREVER);
            };
            Agent::new(&agent.world, DEAD.slot).killed_at("records.copied", dies);
            assert!(agent.put(2, FOREVER));
            0
        }
        _ => agent.get(FOREVER).unwrap(),
    });
    assert_eq!(ends[1], 2);
}

/// A consumer dies before the record that it read is taken; the next one reads it again.
fn dead_consumer() {
    let world = World::new(Records::default());
    assert!(Agent::new(&world, 0).put(1, Wait::Try));
    let ends = together(&world, 2, |agent| match agent.me.slot {
        0 => {
            assert!(agent.put(2, FOREVER));
            vec![]
        }
        _ => {
            let dies = |dead: &Agent| {
                dead.get(FOREVER);
            };
            Agent::new(&agent.world, DEAD.slot).killed_at("records.copied", dies);
            (0..2).map(|_| agent.get(FOREVER).unwrap()).collect()
        }
    });
    assert_eq!(ends[1], [1, 2]);
}

/// The queue ends beside a put. A consumer gets the record if it was put, and then the end.
fn end() {
    let world = World::new(Records::default());
    let ends = together(&world, 3, |agent| match agent.me.slot {
        0 => u32::from(agent.put(1, FOREVER)),
        1 => {
            assert_eq!(agent.ring().close(agent, FOREVER), Ok(true));
            9
        }
        _ => std::iter::from_fn(|| agent.get(FOREVER)).sum(),
    });
    assert_eq!(ends[0], ends[2]);
    assert_eq!(world.shared.words.ended.load(Ordering::Relaxed), 1);
}

models! {
    preemptions: 2;
    records_are_whole_and_in_order: tries;
    none_is_left_asleep: sleeps;
    each_consumer_gets_a_record: two_consumers;
    one_put_wakes_two_consumers_in_turn: one_put_for_two;
    the_next_producer_writes_over_what_was_not_published: dead_producer;
    the_next_consumer_reads_what_was_not_taken: dead_consumer;
    the_end_comes_after_the_last_record: end;
}
