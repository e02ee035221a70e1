//! The holders of an object, for display. No lock is taken, so they are read one after the other.

use super::object::Object;
use crate::error::Result;
use crate::layout::{BarrierWords, Kind, MutexWords, Owner, RwLockWords, SemaphoreWords, Table};
use crate::locks::Share;
use crate::wait::Peers;

/// An agent that holds a lock, permits, an end or chunks, or waits at a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its slot. If this agent is dead, another one may have the slot by now.
    pub slot: usize,
    /// Whether the kernel reports that it lives.
    pub alive: bool,
    /// Number of locks, permits, ends or chunks that it has, or of its waits at the barrier.
    pub count: u32,
}

impl Object<'_> {
    /// The agents that hold the lock, its read or write locks or its permits, wait at the barrier,
    /// have the ends of the channel, or have chunks of the queue to write or to read.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn holders(&self) -> Result<Vec<Holder>> {
        let (owner, table) = match self.kind() {
            Kind::SharedMemory | Kind::NDArray | Kind::Event | Kind::Spill => (None, None),
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
            Kind::Mutex
            | Kind::RLock
            | Kind::Condition
            | Kind::Value
            | Kind::SharedArray
            | Kind::LockManager => (self.words::<MutexWords>()?.holder(), None),
        };
        let shares = table.into_iter().flat_map(Table::shares).map(|(slot, word)| {
            let share = Share::of(word);
            self.holder(share.owner(slot), share.count)
        });
        Ok(owner.map(|owner| self.holder(owner, 1)).into_iter().chain(shares).collect())
    }

    fn holder(&self, owner: Owner, count: u32) -> Holder {
        Holder {
            slot: usize::from(owner.slot),
            alive: owner == self.peers().me() || !self.peers().is_dead(owner),
            count,
        }
    }
}
