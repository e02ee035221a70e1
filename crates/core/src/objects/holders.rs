//! Who holds an object, for display: takes no lock, so at about one instant.

use super::object::Object;
use crate::error::Result;
use crate::layout::{BarrierWords, Kind, MutexWords, Owner, RwLockWords, SemaphoreWords, Table};
use crate::locks::Share;
use crate::wait::Peers;

/// An agent that holds something of an object, or waits at it as one of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its slot; another agent may have that by now if this one is dead.
    pub slot: usize,
    /// Whether the kernel says it lives.
    pub alive: bool,
    /// Locks, permits or places that it has.
    pub count: u32,
}

impl Object<'_> {
    /// Who holds the lock, its read or write locks, its permits, waits at the barrier, has the ends of the channel, or has chunks
    /// of the queue: to write to, or with messages that it has taken.
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
