//! The agents that hold something of an object.

use super::Sight;
use crate::error::Result;
use crate::layout::{
    BarrierWords, ChannelWords, Kind, MutexWords, Owner, PARTICIPANTS, RecordQueueWords, RwLockWords,
    SemaphoreWords, Table,
};
use crate::locks::Share;
use crate::objects::channel::CONSUMER;
use crate::queues::{Claim, Phase};
use crate::sync::Ordering::{Acquire, Relaxed};

/// What an agent has of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The lock; of an array, it is inside an update.
    Lock,
    /// The lock for reading.
    ReadLock,
    /// The lock for writing.
    WriteLock,
    /// The gate of an `RwLock`: it is the next to write, or is just entering.
    Gate,
    /// Permits.
    Permit,
    /// A place at a meeting that hasn't begun.
    Arrival,
    /// The end of a channel that pops.
    Consumer,
    /// The end of a channel that pushes.
    Producer,
    /// An end of a pipe.
    End,
    /// Messages that it is writing.
    Written,
    /// Messages that it is reading, or has taken and not finished.
    Read,
}

impl Hold {
    /// As JSON names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Hold::Lock => "lock",
            Hold::ReadLock => "read lock",
            Hold::WriteLock => "write lock",
            Hold::Gate => "gate",
            Hold::Permit => "permit",
            Hold::Arrival => "arrival",
            Hold::Consumer => "consumer",
            Hold::Producer => "producer",
            Hold::End => "end",
            Hold::Written => "message to write",
            Hold::Read => "message to read",
        }
    }
}

/// An agent that holds something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its slot; `None` if it died, and lost the slot.
    pub slot: Option<usize>,
    /// Whether the kernel reports that it lives.
    pub alive: bool,
    /// What it has.
    pub hold: Hold,
    /// How many of these it has.
    pub count: u32,
}

impl Sight<'_> {
    /// The agents that hold the lock, permits or named locks, update the array, wait at the
    /// barrier, have the ends of the channel, or have messages of the queue to write or to read.
    pub(super) fn holders(&self) -> Result<Vec<Holder>> {
        Ok(match self.kind {
            Kind::SharedMemory | Kind::ShareableList | Kind::Event => Vec::new(),
            Kind::NDArray => self.guard().map_or_else(Vec::new, |guard| self.of_mutex(&guard.writer)),
            Kind::Mutex
            | Kind::RLock
            | Kind::Condition
            | Kind::Value
            | Kind::SharedArray
            | Kind::SharedMap => self.of_mutex(self.words()?),
            Kind::RwLock => self.of_rwlock(self.words()?),
            Kind::Semaphore => self.of_table(&self.words::<SemaphoreWords>()?.held, Hold::Permit),
            Kind::Barrier => self.of_barrier(self.words()?),
            Kind::LockManager => self.of_requests()?,
            Kind::SpscQueue | Kind::Pipe => self.of_channel(self.words()?),
            Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue | Kind::Pool => self.of_queue()?,
            Kind::RecordQueue => self.of_record_queue(self.words()?),
        })
    }

    fn of_mutex(&self, mutex: &MutexWords) -> Vec<Holder> {
        mutex.holder().map(|owner| self.holder(owner, Hold::Lock, 1)).into_iter().collect()
    }

    fn of_table(&self, table: &Table, hold: Hold) -> Vec<Holder> {
        let shares = table.shares().map(|(slot, word)| (slot, Share::of(word)));
        shares.map(|(slot, share)| self.holder(share.owner(slot), hold, share.count)).collect()
    }

    fn of_rwlock(&self, words: &RwLockWords) -> Vec<Holder> {
        let hold = if words.writing.load(Relaxed) == 0 { Hold::Gate } else { Hold::WriteLock };
        let gate = words.gate.holder().map(|owner| self.holder(owner, hold, 1));
        gate.into_iter().chain(self.of_table(&words.readers, Hold::ReadLock)).collect()
    }

    fn of_barrier(&self, words: &BarrierWords) -> Vec<Holder> {
        // Otherwise an agent died before it cleared the table of the last meeting.
        let is_current = words.arriving.load(Relaxed) == words.generation.load(Relaxed);
        if is_current { self.of_table(&words.arrived, Hold::Arrival) } else { Vec::new() }
    }

    fn of_channel(&self, words: &ChannelWords) -> Vec<Holder> {
        let owners = words.ends.iter().enumerate();
        let owners = owners.filter_map(|(end, words)| Some((end, Owner::of(words.owner.load(Acquire))?)));
        let hold = |end| match self.kind {
            Kind::Pipe => Hold::End,
            _ if end == CONSUMER => Hold::Consumer,
            _ => Hold::Producer,
        };
        owners.map(|(end, owner)| self.holder(owner, hold(end), 1)).collect()
    }

    fn of_record_queue(&self, words: &RecordQueueWords) -> Vec<Holder> {
        let holds = [Hold::Consumer, Hold::Producer];
        let owners = words.ends.iter().zip(holds).filter_map(|(end, hold)| Some((end.mutex.holder()?, hold)));
        owners.map(|(owner, hold)| self.holder(owner, hold, 1)).collect()
    }

    /// The agents whose requests hold named locks.
    fn of_requests(&self) -> Result<Vec<Holder>> {
        let held = self.requests()?.into_iter().filter(|request| request.held);
        let owners = held.map(|request| (request.owner, Hold::Lock));
        Ok(counted(owners).map(|((owner, hold), count)| self.holder(owner, hold, count)).collect())
    }

    fn of_queue(&self) -> Result<Vec<Holder>> {
        let mut counts = [[0; PARTICIPANTS]; 2];
        for claim in self.claims()? {
            let row = match claim.phase {
                Phase::Writing => 0,
                Phase::Reading => 1,
                _ => continue,
            };
            if let Some(count) = counts[row].get_mut(usize::from(claim.participant)) {
                *count += 1;
            }
        }
        let participants = &self.queue_words()?.participants;
        let mut holders = Vec::new();
        for (row, hold) in [Hold::Written, Hold::Read].into_iter().enumerate() {
            let held = counts[row].iter().zip(participants).filter(|(count, _)| **count > 0);
            let owners = held.filter_map(|(count, entry)| Some((Owner::of(entry.load(Relaxed))?, *count)));
            holders.extend(owners.map(|(owner, count)| self.holder(owner, hold, count)));
        }
        Ok(holders)
    }

    /// The claims of all chunks of a queue.
    pub(super) fn claims(&self) -> Result<impl Iterator<Item = Claim>> {
        let geometry = self.queue_geometry()?;
        let region = self.region;
        let chunk = move |index| region.at::<crate::layout::ChunkWords>(geometry.chunk_at(index)).ok();
        Ok((0..geometry.capacity).filter_map(chunk).map(|chunk| Claim::of(chunk.claim.load(Relaxed))))
    }

    fn holder(&self, owner: Owner, hold: Hold, count: u32) -> Holder {
        Holder { slot: self.seat_of(owner), alive: self.lives(owner), hold, count }
    }
}

/// Each different item once, in order, with how often it is there.
pub(super) fn counted<T: PartialEq>(items: impl Iterator<Item = T>) -> impl Iterator<Item = (T, u32)> {
    let mut counts: Vec<(T, u32)> = Vec::new();
    for item in items {
        match counts.iter_mut().find(|(other, _)| *other == item) {
            Some((_, count)) => *count += 1,
            None => counts.push((item, 1)),
        }
    }
    counts.into_iter()
}
