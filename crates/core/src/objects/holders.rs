//! The agents that hold an object or wait at it, for display. Only the table of named locks is read
//! under its mutex; all else is read one after the other.

use super::array::ArrayGuard;
use super::object::Object;
use crate::error::Result;
use crate::layout::{
    BarrierWords, ChannelWords, ConditionWords, EventWords, Kind, MpmcWords, MutexWords, Owner, PAGE,
    RwLockWords, SemaphoreWords, SlotSet, Table,
};
use crate::locks::Share;
use crate::sync::Ordering::Relaxed;
use crate::wait::Peers;

/// An agent that holds locks, permits, an end or chunks, or waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its slot. If this agent is dead, another one may have the slot by now.
    pub slot: usize,
    /// Whether the kernel reports that it lives.
    pub alive: bool,
    /// Number of locks, permits, ends or chunks that it has, or of its waits.
    pub count: u32,
}

impl<'a> Object<'a> {
    /// The agents that hold the lock, its read or write locks, its permits or named locks, update
    /// the array, wait at the barrier, have the ends of the channel, or have chunks of the queue to
    /// write or to read.
    ///
    /// # Errors
    /// `ERR_CORRUPT`, `ERR_TIMEOUT` if a stopped process holds the mutex of the named locks.
    pub fn holders(&self) -> Result<Vec<Holder>> {
        let (owner, table) = match self.kind() {
            Kind::SharedMemory | Kind::Event => (None, None),
            Kind::NDArray => (self.writers_mutex().and_then(MutexWords::holder), None),
            Kind::LockManager => return self.requesters(true),
            Kind::SpscQueue | Kind::Pipe => {
                let ends = self.end_owners()?;
                return Ok(ends.into_iter().flatten().map(|owner| self.holder(owner, 1)).collect());
            }
            Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue => {
                let held = self.message_holders()?;
                return Ok(held.into_iter().map(|(owner, count)| self.holder(owner, count)).collect());
            }
            Kind::RwLock => {
                let words: &RwLockWords = self.words()?;
                (words.gate.holder(), Some(&words.readers))
            }
            Kind::Semaphore => (None, Some(&self.words::<SemaphoreWords>()?.held)),
            Kind::Barrier => (None, Some(&self.words::<BarrierWords>()?.arrived)),
            Kind::Mutex | Kind::RLock | Kind::Condition | Kind::Value | Kind::SharedArray => {
                (self.words::<MutexWords>()?.holder(), None)
            }
        };
        let shares = table.into_iter().flat_map(Table::shares).map(|(slot, word)| {
            let share = Share::of(word);
            self.holder(share.owner(slot), share.count)
        });
        Ok(owner.map(|owner| self.holder(owner, 1)).into_iter().chain(shares).collect())
    }

    /// The other living agents that wait: for the lock, a permit, an event, a notification, the end
    /// of a meeting, a message or room. If a waiter died, an agent that has its slot now may be
    /// named instead.
    ///
    /// # Errors
    /// As `holders`.
    pub fn waiters(&self) -> Result<Vec<Holder>> {
        let sets: Vec<&SlotSet> = match self.kind() {
            Kind::SharedMemory => Vec::new(),
            Kind::NDArray => self.writers_mutex().map(|mutex| &mutex.sleepers).into_iter().collect(),
            Kind::LockManager => return self.requesters(false),
            Kind::Barrier => return self.holders(),
            Kind::SpscQueue | Kind::Pipe => return self.channel_waiters(),
            Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue => {
                let words: &MpmcWords = self.words()?;
                vec![&words.readers, &words.writers, &words.joiners]
            }
            Kind::RwLock => {
                let words: &RwLockWords = self.words()?;
                vec![&words.gate.sleepers, &words.draining]
            }
            Kind::Semaphore => vec![&self.words::<SemaphoreWords>()?.sleepers],
            Kind::Event => vec![&self.words::<EventWords>()?.sleepers],
            Kind::Condition => {
                let words: &ConditionWords = self.words()?;
                vec![&words.mutex.sleepers, &words.sleepers]
            }
            Kind::Mutex | Kind::RLock | Kind::Value | Kind::SharedArray => {
                vec![&self.words::<MutexWords>()?.sleepers]
            }
        };
        Ok(self.asleep(sets.into_iter().flat_map(SlotSet::iter)))
    }

    fn channel_waiters(&self) -> Result<Vec<Holder>> {
        let rings = &self.words::<ChannelWords>()?.rings;
        let sleepers = rings.iter().flat_map(|ring| [&ring.empty, &ring.full]);
        Ok(self.asleep(sleepers.filter_map(|sleeper| (sleeper.0.load(Relaxed) as usize).checked_sub(1))))
    }

    /// The living agents in these slots, each once, without the caller.
    fn asleep(&self, slots: impl Iterator<Item = usize>) -> Vec<Holder> {
        let mut owners: Vec<Owner> = Vec::new();
        for owner in slots.filter_map(|slot| self.peers().in_slot(slot)) {
            let waits = owner != self.peers().me() && !self.peers().is_dead(owner);
            if waits && !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        owners.into_iter().map(|owner| self.holder(owner, 1)).collect()
    }

    /// The agents with requests for named locks that are held, or that wait.
    fn requesters(&self, held: bool) -> Result<Vec<Holder>> {
        let mut counts: Vec<(Owner, u32)> = Vec::new();
        for (owner, _) in self.named_lock_parties()?.into_iter().filter(|(_, is_held)| *is_held == held) {
            match counts.iter_mut().find(|(other, _)| *other == owner) {
                Some((_, count)) => *count += 1,
                None => counts.push((owner, 1)),
            }
        }
        Ok(counts.into_iter().map(|(owner, count)| self.holder(owner, count)).collect())
    }

    /// The mutex of an array's writers, if the array has a trailer of this domain.
    fn writers_mutex(&self) -> Option<&'a MutexWords> {
        let region = self.segment.region();
        let trailer = (region.len() as u64).checked_sub(PAGE)?;
        ArrayGuard::find(self.agent, region, trailer).ok().flatten().map(|guard| guard.writers_mutex())
    }

    fn holder(&self, owner: Owner, count: u32) -> Holder {
        Holder {
            slot: usize::from(owner.slot),
            alive: owner == self.peers().me() || !self.peers().is_dead(owner),
            count,
        }
    }
}
