//! Locks as their users call them: words of shared memory, and errors that say what to do.

use std::time::Duration;

use super::object::{Looked, Object};
use crate::domain::Agent;
use crate::error::{Code, Error, Result};
use crate::layout::{
    BarrierWords, ConditionWords, EventWords, MutexWords, NamedLocksWords, RwLockWords, SemaphoreWords,
};
use crate::locks::{
    Acquired, Arrived, Busy, DEFERRABLE_TIMEOUT, Outcome, Refused, Released, STUCK_TIMEOUT, acquire_short,
};
use crate::locks::{
    EndedRequest as Ended, EnteredRequest as Entered, NamedLocks as Inside, News, RequestInfo, RequestRef,
    Wanted,
};
use crate::wait::{Peers, Sleepers, Wait};

/// A lock came to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// A holder died, and nobody has said since that what the lock guards is whole.
    pub owner_died: bool,
}

fn locked(acquired: Acquired) -> Looked<Locked> {
    Looked::Got(Locked { owner_died: acquired == Acquired::OwnerDied })
}

/// Mutexes: of a `Mutex`, an `RLock`, a `Condition`, a `Value`, a `SharedArray`.
impl Object<'_> {
    /// Takes the mutex.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn lock(&self, wait: Wait) -> Result<Looked<Locked>> {
        let words: &MutexWords = self.words()?;
        Ok(match words.lock(self.agent, wait) {
            Ok(acquired) => locked(acquired),
            Err(refused) => self.refused(refused, &words.sleepers),
        })
    }

    /// Who armed itself for the mutex stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_lock(&self) -> Result<()> {
        self.words::<MutexWords>()?.give_up(self.agent);
        Ok(())
    }

    /// Gives the mutex back; `abandon`: and the next holder is told as if this one had died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn unlock(&self, abandon: bool) -> Result<()> {
        let words: &MutexWords = self.words()?;
        let held = if abandon { words.abandon(self.agent) } else { words.unlock(self.agent) };
        if held { Ok(()) } else { Err(self.lost("the lock")) }
    }

    /// The holder says that what the mutex guards is whole again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn mark_consistent(&self) -> Result<()> {
        let words: &MutexWords = self.words()?;
        if words.holder() != Some(self.agent.me()) {
            return Err(self.lost("the lock"));
        }
        words.mark_consistent();
        Ok(())
    }

    /// Whether any agent holds the mutex, dead or alive.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn is_locked(&self) -> Result<bool> {
        Ok(self.words::<MutexWords>()?.holder().is_some())
    }
}

/// Readers and writers.
impl Object<'_> {
    /// Enters as a reader.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn read(&self, wait: Wait) -> Result<Looked<Locked>> {
        Ok(self.entered(self.words::<RwLockWords>()?.read(self.agent, wait)))
    }

    /// Enters as the only one.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn write(&self, wait: Wait) -> Result<Looked<Locked>> {
        Ok(self.entered(self.words::<RwLockWords>()?.write(self.agent, wait)))
    }

    fn entered(&self, entered: std::result::Result<Acquired, Busy<'_>>) -> Looked<Locked> {
        match entered {
            Ok(acquired) => locked(acquired),
            Err(busy) => self.refused(busy.reason, busy.sleepers),
        }
    }

    /// Leaves as a reader.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn end_read(&self) -> Result<()> {
        let left = self.words::<RwLockWords>()?.end_read(self.agent);
        if left { Ok(()) } else { Err(self.lost("a read lock")) }
    }

    /// Leaves as a writer; `abandon`: and who comes next is told as if this one had died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn end_write(&self, abandon: bool) -> Result<()> {
        let left = self.words::<RwLockWords>()?.end_write(self.agent, abandon);
        if left { Ok(()) } else { Err(self.lost("the write lock")) }
    }

    /// The writer says that what the lock guards is whole again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn mark_written_consistent(&self) -> Result<()> {
        let marked = self.words::<RwLockWords>()?.mark_consistent(self.agent);
        if marked { Ok(()) } else { Err(self.lost("the write lock")) }
    }

    /// Who armed itself as a reader or a writer stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_entering(&self) -> Result<()> {
        self.words::<RwLockWords>()?.give_up_write(self.agent);
        Ok(())
    }
}

/// Semaphores.
impl Object<'_> {
    /// Takes a permit.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn acquire(&self, wait: Wait) -> Result<Looked<()>> {
        let words: &SemaphoreWords = self.words()?;
        Ok(match words.acquire(self.agent, wait) {
            Ok(()) => Looked::Got(()),
            Err(refused) => self.refused(refused, &words.sleepers),
        })
    }

    /// Who armed itself for a permit stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_acquiring(&self) -> Result<()> {
        self.words::<SemaphoreWords>()?.give_up(self.agent);
        Ok(())
    }

    /// Gives back permits: those that the caller holds; the rest are new ones, unless `only_held`.
    ///
    /// # Errors
    /// `ERR_OUT_OF_RANGE` beyond the maximum, `ERR_LOST_OWNERSHIP`, `ERR_TIMEOUT` when a stopped process is inside.
    pub fn release(&self, count: u32, only_held: bool) -> Result<()> {
        let words: &SemaphoreWords = self.words()?;
        let most = self.params()?[1];
        let released = words.release(self.agent, count, most, only_held, Wait::For(STUCK_TIMEOUT));
        match released.map_err(|_| self.stuck())? {
            Released::Yes => Ok(()),
            Released::NotHeld => Err(self.lost("that many permits")),
            Released::TooMany => Err(Error::new(
                Code::OutOfRange,
                format!(
                    "that would be more permits than the {most} there may be; release what was acquired, once"
                ),
            )),
        }
    }

    /// Uses up a permit that the caller holds.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_TIMEOUT` when a stopped process is inside.
    pub fn consume(&self) -> Result<()> {
        let consumed = self.words::<SemaphoreWords>()?.consume(self.agent, Wait::For(STUCK_TIMEOUT));
        if consumed.map_err(|_| self.stuck())? { Ok(()) } else { Err(self.lost("a permit")) }
    }

    /// Free permits.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` when a stopped process is inside.
    pub fn permits(&self) -> Result<u64> {
        let words: &SemaphoreWords = self.words()?;
        words.value(self.agent, Wait::For(STUCK_TIMEOUT)).map_err(|_| self.stuck())
    }

    /// Permits that the caller holds.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn permits_held(&self) -> Result<u32> {
        Ok(self.words::<SemaphoreWords>()?.my_count(self.agent))
    }
}

/// Events.
impl Object<'_> {
    /// Sets it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn set_event(&self) -> Result<()> {
        self.words::<EventWords>()?.set(self.agent, self.auto_resets()?);
        Ok(())
    }

    /// Clears it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn clear_event(&self) -> Result<()> {
        self.words::<EventWords>()?.clear();
        Ok(())
    }

    /// Whether it is set.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn event_is_set(&self) -> Result<bool> {
        Ok(self.words::<EventWords>()?.is_set())
    }

    /// How often it has been set, for `wait_event`.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn event_times(&self) -> Result<u32> {
        Ok(self.words::<EventWords>()?.times())
    }

    /// Waits until it is set, or was since `times`; one that resets itself is then the caller's.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_event(&self, times: u32, wait: Wait) -> Result<Looked<()>> {
        let words: &EventWords = self.words()?;
        let came = words.wait(self.agent, times, self.auto_resets()?, wait);
        Ok(if came { Looked::Got(()) } else { self.until(&words.sleepers) })
    }

    /// Who armed itself for the event stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_event(&self) -> Result<()> {
        self.words::<EventWords>()?.sleepers.give_up(self.agent);
        Ok(())
    }

    fn auto_resets(&self) -> Result<bool> {
        Ok(self.params()?[0] != 0)
    }
}

/// Conditions. Their mutex is another matter: whoever calls these holds it, except while waiting.
impl Object<'_> {
    /// One waiter more; to be called before the mutex is given back.
    ///
    /// # Errors
    /// `ERR_LIMIT`: 65,535 in one agent.
    pub fn enter_condition(&self) -> Result<()> {
        let entered = self.words::<ConditionWords>()?.enter(self.agent);
        if entered {
            Ok(())
        } else {
            Err(Error::new(Code::Limit, "65535 waits of one thread on a condition"))
        }
    }

    /// Waits for one more notification than the `heard` ones that this agent has heard and not settled yet.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_condition(&self, heard: u32, wait: Wait) -> Result<Looked<()>> {
        let words: &ConditionWords = self.words()?;
        let came = words.wait(self.agent, heard, wait);
        Ok(if came { Looked::Got(()) } else { self.until(&words.sleepers) })
    }

    /// One waiter less: it heard its notification, and has the mutex again.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn settle_condition(&self) -> Result<()> {
        self.words::<ConditionWords>()?.settle(self.agent);
        Ok(())
    }

    /// One waiter less, who heard nothing; others here have heard `heard` notifications and not settled them yet.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn leave_condition(&self, heard: u32) -> Result<()> {
        self.words::<ConditionWords>()?.leave(self.agent, heard);
        Ok(())
    }

    /// Who armed itself for a notification stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_condition(&self) -> Result<()> {
        self.words::<ConditionWords>()?.sleepers.give_up(self.agent);
        Ok(())
    }

    /// Notifies at most `most` waiters; how many there were.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn notify_condition(&self, most: u32) -> Result<u32> {
        Ok(self.words::<ConditionWords>()?.notify(self.agent, most))
    }
}

/// Barriers.
impl Object<'_> {
    /// Arrives.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn arrive(&self, wait: Wait) -> Result<Looked<Arrived>> {
        let words: &BarrierWords = self.words()?;
        let parties = self.params()?[0] as u32;
        Ok(match words.arrive(self.agent, parties, wait) {
            Some(arrived) => Looked::Got(arrived),
            None => self.until(&words.sleepers),
        })
    }

    /// Waits for the end of a meeting; `false`: it was broken off.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wait_meeting(&self, generation: u64, wait: Wait) -> Result<Looked<bool>> {
        let words: &BarrierWords = self.words()?;
        Ok(match words.wait(self.agent, generation, wait) {
            Some(outcome) => Looked::Got(outcome == Outcome::Met),
            None => self.until(&words.sleepers),
        })
    }

    /// The leader ends its meeting; `false`: it was broken off meanwhile.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` when a stopped process is inside.
    pub fn complete_meeting(&self, generation: u64) -> Result<bool> {
        self.met(self.words::<BarrierWords>()?.complete(self.agent, generation, STUCK_TIMEOUT))
    }

    /// Breaks the barrier, or only if that meeting still goes on; whether that one was met.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn abort_meeting(&self, only: Option<u64>) -> Result<bool> {
        Ok(self.words::<BarrierWords>()?.abort(self.agent, only) == Outcome::Met)
    }

    fn met(&self, outcome: std::result::Result<Outcome, Refused>) -> Result<bool> {
        outcome.map(|outcome| outcome == Outcome::Met).map_err(|_| self.stuck())
    }

    /// Makes it as new; for those who wait it is broken.
    ///
    /// # Errors
    /// `ERR_TIMEOUT` when a stopped process is inside.
    pub fn reset_barrier(&self) -> Result<()> {
        self.words::<BarrierWords>()?.reset(self.agent, STUCK_TIMEOUT).map_err(|_| self.stuck())
    }

    /// How many wait.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn waiting_at_barrier(&self) -> Result<u32> {
        Ok(self.words::<BarrierWords>()?.waiting())
    }

    /// Whether it is broken.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn barrier_is_broken(&self) -> Result<bool> {
        Ok(self.words::<BarrierWords>()?.is_broken())
    }

    /// Who armed itself at the barrier stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_barrier(&self) -> Result<()> {
        self.words::<BarrierWords>()?.sleepers.give_up(self.agent);
        Ok(())
    }
}

/// Named locks.
impl<'a> Object<'a> {
    /// Asks for a lock; `None`: it was to be had at once or not at all.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE` (the name), `ERR_LIMIT`, `ERR_CORRUPT`, `ERR_TIMEOUT` when a stopped process is inside.
    pub fn request(&self, wanted: &Wanted<'_>) -> Result<Option<Entered>> {
        self.table(STUCK_TIMEOUT)?.request(wanted)
    }

    /// Ends a request, pending or held. `untold`: the lock came to it, but whom it was for has not heard of it. Patient only
    /// for a moment, since after `ERR_TIMEOUT` it can be done later.
    ///
    /// # Errors
    /// As `request`.
    pub fn end_request(&self, request: RequestRef, untold: bool) -> Result<Ended> {
        self.table(DEFERRABLE_TIMEOUT)?.end(request, untold)
    }

    /// What became of the caller's requests since it asked last, the oldest first; `sweep`: after granting what the dead
    /// keep from others. Patient only for a moment, since it will be asked again.
    ///
    /// # Errors
    /// As `request`.
    pub fn request_news(&self, sweep: bool) -> Result<Vec<News>> {
        let table = self.table(DEFERRABLE_TIMEOUT)?;
        if sweep {
            table.sweep()?;
        }
        table.news()
    }

    /// All requests of living agents, the oldest first.
    ///
    /// # Errors
    /// As `request`.
    pub fn query_requests(&self) -> Result<Vec<RequestInfo>> {
        self.table(STUCK_TIMEOUT)?.query()
    }

    fn table(&self, patience: Duration) -> Result<Inside<'a, Agent>> {
        let words: &NamedLocksWords = self.words()?;
        let acquired = acquire_short(&words.mutex, self.agent, patience, "the table of named locks")?;
        words.inside(self.agent, acquired)
    }
}
