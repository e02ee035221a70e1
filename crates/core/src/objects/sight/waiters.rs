//! The agents that wait at an object, and what for.

use super::Sight;
use super::holders::counted;
use crate::error::Result;
use crate::layout::{
    BarrierWords, ChannelWords, ConditionWords, EventWords, Kind, MutexWords, Owner, RecordQueueWords,
    RwLockWords, SemaphoreWords, SlotSet,
};
use crate::locks::Share;
use crate::sync::Ordering::Relaxed;

/// What an agent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The lock; of an array, to begin an update.
    Lock,
    /// That the readers leave, to write.
    LastReader,
    /// A permit.
    Permit,
    /// That the event is set.
    Event,
    /// A notification.
    Notification,
    /// That all parties have arrived.
    Meeting,
    /// A message.
    Message,
    /// Room for a message.
    Room,
    /// That all messages are done.
    Finish,
}

impl Aim {
    /// As JSON names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Aim::Lock => "lock",
            Aim::LastReader => "last reader",
            Aim::Permit => "permit",
            Aim::Event => "event",
            Aim::Notification => "notification",
            Aim::Meeting => "meeting",
            Aim::Message => "message",
            Aim::Room => "room",
            Aim::Finish => "finish",
        }
    }
}

/// A living agent that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// Its slot.
    pub slot: usize,
    /// What it waits for.
    pub aim: Aim,
    /// In how many requests or calls, as far as shared memory tells; otherwise 1.
    pub count: u32,
}

impl Sight<'_> {
    /// The other living agents that wait. If a waiter died, an agent that has its slot now may be
    /// named instead.
    pub(super) fn waiters(&self) -> Result<Vec<Waiter>> {
        Ok(match self.kind {
            Kind::SharedMemory | Kind::ShareableList => Vec::new(),
            Kind::NDArray => self.guard().map_or_else(Vec::new, |guard| self.at_mutex(&guard.writer)),
            Kind::Mutex | Kind::RLock | Kind::Value | Kind::SharedArray => self.at_mutex(self.words()?),
            Kind::RwLock => {
                let words: &RwLockWords = self.words()?;
                self.asleep([(&words.gate.sleepers, Aim::Lock), (&words.draining, Aim::LastReader)])
            }
            Kind::Semaphore => self.asleep([(&self.words::<SemaphoreWords>()?.sleepers, Aim::Permit)]),
            Kind::Event => self.asleep([(&self.words::<EventWords>()?.sleepers, Aim::Event)]),
            Kind::Condition | Kind::SharedMap => {
                let words: &ConditionWords = self.words()?;
                self.asleep([(&words.mutex.sleepers, Aim::Lock), (&words.sleepers, Aim::Notification)])
            }
            Kind::Barrier => self.at_barrier(self.words()?),
            Kind::LockManager => self.at_requests()?,
            Kind::SpscQueue | Kind::Pipe => self.at_channel(self.words()?),
            Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue | Kind::Pool => {
                let words = self.queue_words()?;
                self.asleep([
                    (&words.readers, Aim::Message),
                    (&words.writers, Aim::Room),
                    (&words.joiners, Aim::Finish),
                ])
            }
            Kind::RecordQueue => {
                let [consumers, producers] = &self.words::<RecordQueueWords>()?.ends;
                self.asleep([
                    (&consumers.mutex.sleepers, Aim::Message),
                    (&producers.mutex.sleepers, Aim::Room),
                ])
            }
        })
    }

    fn at_mutex(&self, mutex: &MutexWords) -> Vec<Waiter> {
        self.asleep([(&mutex.sleepers, Aim::Lock)])
    }

    /// The living agents in these sets, without the caller.
    fn asleep<const N: usize>(&self, sets: [(&SlotSet, Aim); N]) -> Vec<Waiter> {
        let slots = sets.into_iter().flat_map(|(set, aim)| set.iter().map(move |slot| (slot, aim)));
        self.living(slots.filter_map(|(slot, aim)| Some((self.in_slot(slot)?, aim))))
    }

    fn at_channel(&self, words: &ChannelWords) -> Vec<Waiter> {
        let rings = words.rings.iter();
        let sleepers = rings.flat_map(|ring| [(&ring.empty, Aim::Message), (&ring.full, Aim::Room)]);
        let slots = sleepers.filter_map(|(sleeper, aim)| {
            let slot = (sleeper.0.load(Relaxed) as usize).checked_sub(1)?;
            Some((self.in_slot(slot)?, aim))
        });
        self.living(slots)
    }

    fn at_barrier(&self, words: &BarrierWords) -> Vec<Waiter> {
        let is_current = words.arriving.load(Relaxed) == words.generation.load(Relaxed);
        let shares = words.arrived.shares().filter(|_| is_current);
        let shares = shares.map(|(slot, word)| (slot, Share::of(word)));
        let alive = shares.filter(|(slot, share)| self.lives(share.owner(*slot)));
        alive.map(|(slot, share)| Waiter { slot, aim: Aim::Meeting, count: share.count }).collect()
    }

    /// The agents whose requests for named locks wait.
    fn at_requests(&self) -> Result<Vec<Waiter>> {
        let pending = self.requests()?.into_iter().filter(|request| !request.held);
        Ok(self.living(pending.map(|request| (request.owner, Aim::Lock))))
    }

    fn living(&self, found: impl Iterator<Item = (Owner, Aim)>) -> Vec<Waiter> {
        let living = found.filter(|(owner, _)| self.me != Some(*owner) && self.lives(*owner));
        let waiter =
            |((owner, aim), count): ((Owner, Aim), u32)| Waiter { slot: usize::from(owner.slot), aim, count };
        counted(living).map(waiter).collect()
    }
}
