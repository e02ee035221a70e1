//! A ring of records of one size, with any number of producers and consumers.
//!
//! It has two ends, each with a position and a robust mutex. An agent that puts records has the
//! producers' end meanwhile, one that takes records that of the consumers. The record at position
//! `p` is in slot `p % capacity`. Positions count modulo the *cycle*, the largest multiple of the
//! capacity up to 2^32. `tail - head` is at most the capacity.
//!
//! | died | seen by other agents | by the next agent at that end |
//! | --- | --- | --- |
//! | producer, before the store to `tail` | nothing | nothing: it writes over it |
//! | producer, after it | the records, whole | the same |
//! | consumer, before the store to `head` | nothing | the same records, again |
//! | consumer, after it | room | the records behind them |
//! | after `ended` was set | the end | the same |
//!
//! Each of these is one store under a mutex, so nothing is ever repaired: an agent that takes over
//! an end goes on from the position there.
//!
//! Sleepers at an end wait for two things: that no agent has it, and that there is room or a
//! record. `waiters` tells of them, also while no agent has the end. An agent that leaves an end
//! wakes one sleeper there if it would find something. An agent that moves a position looks at the
//! other end, and wakes one sleeper there unless an agent has that end, which will do it when it
//! leaves. Both look after a fence, and a sleeper tries after one, so one of them sees the other.

use super::index_ring::Corrupt;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{HUNGRY, Owner, RecordEndWords, RecordQueueWords, WAITERS};
use crate::locks::Refused;
use crate::sync::Ordering::{Acquire, Relaxed, SeqCst};
use crate::sync::fence;
use crate::wait::{Attempt, Peers, Sleepers, Spins, Wait};

/// The ends of a ring, as `RecordQueueWords::ends` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Side {
    /// Those that take records.
    Consumers = 0,
    /// Those that put records.
    Producers = 1,
}

impl Side {
    fn other(self) -> Side {
        if self == Side::Consumers { Side::Producers } else { Side::Consumers }
    }
}

/// What an agent that has an end can do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entered {
    /// So many slots are free, or hold records, from that one on.
    Slots { first: u32, count: u32 },
    /// Nothing more is put, or nothing more comes.
    Ended,
}

/// A ring of at most 2^30 records.
#[derive(Clone, Copy)]
pub(crate) struct RecordRing<'m> {
    pub words: &'m RecordQueueWords,
    pub capacity: u32,
}

impl<'m> RecordRing<'m> {
    pub(crate) fn end(&self, side: Side) -> &'m RecordEndWords {
        &self.words.ends[side as usize]
    }

    /// Takes an end at which there is something to do. `Ok(None)`: not yet.
    pub(crate) fn enter(
        &self,
        peers: &impl Peers,
        side: Side,
        wait: Wait,
        spins: &mut Spins,
    ) -> Result<Result<Option<Entered>, Refused>, Corrupt> {
        match self.acquire(peers, side, wait, spins, || self.look(side).transpose()) {
            Ok(Some(Err(Corrupt))) => {
                self.leave(peers, side);
                Err(Corrupt)
            }
            Ok(Some(Ok(entered))) => Ok(Ok(Some(entered))),
            Ok(None) => Ok(Ok(None)),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Takes an end once `look` finds something.
    fn acquire<T>(
        &self,
        peers: &impl Peers,
        side: Side,
        wait: Wait,
        spins: &mut Spins,
        look: impl Fn() -> Option<T>,
    ) -> Result<Option<T>, Refused> {
        let mutex = &self.end(side).mutex;
        let found = mutex.sleepers.wait_spinning(peers, wait, spins, |attempt| {
            let sleeps = matches!(attempt, Attempt::BeforeSleep { .. });
            // What others leave behind is seen without the mutex, but only its holder's look
            // counts.
            if !sleeps && look().is_none() {
                return None;
            }
            if let Err(refused) = mutex.attempt(peers, attempt)? {
                return Some(Err(refused));
            }
            // A position is whole whenever its writer dies.
            mutex.mark_consistent();
            // Pairs with the fence in `wake_one`: `waiters` is set before the look.
            fence(SeqCst);
            fail::point("records.entered");
            let found = look();
            if found.is_none() {
                self.leave(peers, side);
            }
            found.map(Ok)
        });
        if found.is_none() && matches!(wait, Wait::For(_)) {
            self.sate(peers, side);
        }
        found.transpose()
    }

    /// Whether there is something to do at an end: room or a record, or the end of all.
    fn look(&self, side: Side) -> Result<Option<Entered>, Corrupt> {
        // Acquire, and before the positions: if it has ended, the last put is seen.
        let has_ended = self.words.ended.load(Acquire) != 0;
        // Acquire: pairs with the store in `advance`; the records are whole, or were read.
        let order = if seeded(Fault::RelaxedRecords) { Relaxed } else { Acquire };
        let [head, tail] = [Side::Consumers, Side::Producers].map(|end| self.end(end).position.load(order));
        let used = self.used(head, tail).ok_or(Corrupt)?;
        let (position, count) = match side {
            Side::Producers if has_ended && !seeded(Fault::RecordAfterEnd) => {
                return Ok(Some(Entered::Ended));
            }
            Side::Producers => (tail, self.capacity - used),
            Side::Consumers => (head, used),
        };
        if count > 0 {
            return Ok(Some(Entered::Slots { first: position % self.capacity, count }));
        }
        Ok((side == Side::Consumers && has_ended).then_some(Entered::Ended))
    }

    /// The slots that the holder of an end can use.
    pub(crate) fn slots(&self, side: Side) -> Result<u32, Corrupt> {
        Ok(match self.look(side)? {
            Some(Entered::Slots { count, .. }) => count,
            Some(Entered::Ended) | None => 0,
        })
    }

    /// Records between two positions; `None` if no agent can have left these.
    fn used(&self, head: u32, tail: u32) -> Option<u32> {
        let (cycle, head, tail) = (self.cycle(), u64::from(head), u64::from(tail));
        let used = (tail + cycle).checked_sub(head)? % cycle;
        let sound = head < cycle && tail < cycle && used <= u64::from(self.capacity);
        (sound || seeded(Fault::RecordPositionsTrusted)).then_some(used as u32)
    }

    fn cycle(&self) -> u64 {
        let capacity = u64::from(self.capacity);
        (1 << 32) / capacity * capacity
    }

    /// Publishes so many records that were written, or frees the slots of so many that were read.
    /// The caller has the end, and found at least as many.
    pub(crate) fn advance(&self, peers: &impl Peers, side: Side, count: u32) {
        let position = &self.end(side).position;
        let next = (u64::from(position.load(Relaxed)) + u64::from(count)) % self.cycle();
        fail::point("records.copied");
        // Release: pairs with the loads in `look`.
        position.store(next as u32, SeqCst);
        fail::point("records.moved");
        self.wake_one(peers, side.other());
    }

    /// Wakes a sleeper of an end, if no agent has it and there is something to do.
    pub(crate) fn wake_one(&self, peers: &impl Peers, side: Side) {
        // Pairs with the fence in `acquire`.
        fence(SeqCst);
        let mutex = &self.end(side).mutex;
        let word = mutex.owner.load(Acquire);
        let sleeps = word & WAITERS != 0 && Owner::of(word).is_none();
        if sleeps && !matches!(self.look(side), Ok(None)) && !seeded(Fault::RecordsWakeNobody) {
            mutex.sleepers.notify_one(peers);
        }
    }

    /// Whether the caller has an end.
    pub(crate) fn is_mine(&self, peers: &impl Peers, side: Side) -> bool {
        self.end(side).mutex.holder() == Some(peers.me())
    }

    /// Gives an end back. Returns `false`, and changes nothing, if the caller doesn't have it.
    pub(crate) fn leave(&self, peers: &impl Peers, side: Side) -> bool {
        let mutex = &self.end(side).mutex;
        let mut word = mutex.owner.load(Relaxed);
        loop {
            if Owner::of(word) != Some(peers.me()) {
                return false;
            }
            // Release: pairs with the Acquire of the next `attempt`.
            match mutex.owner.compare_exchange(word, word & HUNGRY, SeqCst, Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        fail::point("records.left");
        // Pairs with the fence of a sleeper that has entered the set and finds `waiters` set
        // already: it sees the end free, or is seen here.
        fence(SeqCst);
        let others_sleep = word & WAITERS != 0 && mutex.sleepers.iter().next().is_some();
        if others_sleep && !seeded(Fault::RecordSleepersForgotten) {
            mutex.owner.fetch_or(WAITERS, SeqCst);
            fail::point("records.remembered");
        }
        self.wake_one(peers, side);
        true
    }

    /// The caller stops waiting at an end.
    pub(crate) fn give_up(&self, peers: &impl Peers, side: Side) {
        self.end(side).mutex.sleepers.give_up(peers);
        self.sate(peers, side);
    }

    /// Newcomers no longer let the caller go first.
    fn sate(&self, peers: &impl Peers, side: Side) {
        if self.end(side).mutex.owner.fetch_and(!HUNGRY, Relaxed) & HUNGRY != 0 {
            self.wake_one(peers, side);
        }
    }

    /// Nothing is put any more. `Ok(false)`: another agent had the producers' end for all the time.
    pub(crate) fn close(&self, peers: &impl Peers, wait: Wait) -> Result<bool, Refused> {
        let entered = self.acquire(peers, Side::Producers, wait, &mut Spins::default(), || Some(()))?;
        if entered.is_none() {
            return Ok(false);
        }
        // Release: pairs with the load in `look`.
        self.words.ended.store(1, SeqCst);
        fail::point("records.ended");
        for side in [Side::Consumers, Side::Producers] {
            if !seeded(Fault::RecordEndUntold) {
                self.end(side).mutex.sleepers.notify_all(peers);
            }
        }
        self.leave(peers, Side::Producers);
        Ok(true)
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.words.ended.load(Acquire) != 0
    }

    /// Records in the ring, at about one instant.
    pub(crate) fn len(&self) -> u32 {
        const TRIES: u32 = 8;
        let load = |side| self.end(side).position.load(Acquire);
        for _ in 0..TRIES {
            let head = load(Side::Consumers);
            let used = self.used(head, load(Side::Producers));
            if load(Side::Consumers) == head {
                return used.unwrap_or(0);
            }
        }
        self.used(load(Side::Consumers), load(Side::Producers)).unwrap_or(self.capacity)
    }
}
