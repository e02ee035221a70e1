//! The robust mutex: one CAS takes it, one releases it, and dead agents hold nothing.
//!
//! | word | lock | unlock by the owner |
//! | --- | --- | --- |
//! | free | → mine, `died` kept; `waiters` set by a sleeper | |
//! | free, `hungry` | as above by an agent that slept; newcomers wait as if it were held | |
//! | mine | refused | → free, `died` and `hungry` kept; wakes one sleeper if `waiters` |
//! | of a dead agent | → mine, `died`, `waiters` | |
//! | of a living agent | sets `waiters`, `hungry` if it slept before; sleeps, retries | refused |
//!
//! After Linux's robust futexes (`pthread_mutexattr_setrobust(3)`). Those need a
//! list of the held mutexes that is right whenever the process dies; here, the kernel tells which
//! agents live. `hungry` is the starvation mode of Go's `sync.Mutex`: it keeps a tight loop in one
//! process from starving another.

use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{DIED, HUNGRY, MutexWords, Owner, WAITERS};
use crate::sync::Ordering;
use crate::wait::{Attempt, Peers, Sleepers, Wait, can_spin};

const SPINS: u32 = 100;

/// How the caller got the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    Clean,
    /// A holder died, and `mark_consistent` was not called since: the data that the mutex guards
    /// may be half-changed.
    OwnerDied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another agent holds it.
    NotYet,
    /// The caller holds it already.
    Mine,
}

impl MutexWords {
    /// After `NotYet`, an armed caller calls again when its doorbell rings, or calls `give_up`.
    pub(crate) fn lock(&self, peers: &impl Peers, wait: Wait) -> Result<Acquired, Refused> {
        let me = peers.me().word();
        // Not for a sleeper: there may be other sleepers, and only the `waiters` that it sets
        // remembers them.
        let is_newcomer = !matches!(wait, Wait::Arm { .. } | Wait::Again(_));
        // Relaxed on failure: the word was only guessed; a failed CAS costs one more attempt.
        if is_newcomer && self.owner.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return Ok(Acquired::Clean);
        }
        self.lock_contended(peers, wait)
    }

    #[cold]
    fn lock_contended(&self, peers: &impl Peers, wait: Wait) -> Result<Acquired, Refused> {
        if matches!(wait, Wait::For(_)) {
            self.spin();
        }
        let locked = self.sleepers.wait(peers, wait, |attempt| self.attempt(peers, attempt));
        locked.unwrap_or_else(|| {
            if matches!(wait, Wait::For(_)) {
                self.give_up(peers);
            }
            Err(Refused::NotYet)
        })
    }

    /// One attempt to take it. `None`: another agent has it.
    pub(crate) fn attempt(&self, peers: &impl Peers, attempt: Attempt) -> Option<Result<Acquired, Refused>> {
        let me = peers.me();
        let is_sleeper = matches!(attempt, Attempt::BeforeSleep { .. });
        let again = attempt == Attempt::BeforeSleep { again: true };
        let mut word = self.owner.load(Ordering::Relaxed);
        loop {
            let holder = Owner::of(word);
            let (new, acquired) = match holder {
                None if word & HUNGRY == 0 || !attempt.is_polite() => {
                    // The last release cleared `waiters`, which other sleepers may have set before.
                    // A sleeper that takes the mutex sets it again, since the release may have just
                    // chosen this agent to wake; without the bit, the other sleepers would be
                    // forgotten.
                    let waiters = if is_sleeper { WAITERS } else { word & WAITERS };
                    let died = word & DIED;
                    let acquired = if died == 0 { Acquired::Clean } else { Acquired::OwnerDied };
                    (me.word() | died | waiters, Some(acquired))
                }
                // The caller took the mutex in another call, while it was chosen for the wake-up.
                Some(owner) if owner == me => {
                    if is_sleeper {
                        self.owner.fetch_or(WAITERS, Ordering::Relaxed);
                    }
                    return Some(Err(Refused::Mine));
                }
                Some(owner)
                    if attempt != Attempt::Newcomer
                        && peers.is_dead(owner)
                        && !seeded(Fault::DeadHoldMutexes) =>
                {
                    (me.word() | DIED | WAITERS, Some(Acquired::OwnerDied))
                }
                _ if is_sleeper => (word | WAITERS | if again { HUNGRY } else { 0 }, None),
                _ => return None,
            };
            let (new, acquired) = with_faults(new, acquired, me);
            if seeded(Fault::PlainStoreForCas) {
                self.owner.store(new, Ordering::Release);
                return acquired.map(Ok);
            }
            if new == word {
                return None;
            }
            // Acquire: pairs with the Release in `unlock`, or with nothing when the holder died.
            match self.owner.compare_exchange(word, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return acquired.map(Ok),
                Err(now) => word = now,
            }
        }
    }

    /// Returns `false`, and changes nothing, if the caller doesn't hold it.
    pub(crate) fn unlock(&self, peers: &impl Peers) -> bool {
        self.release(peers, 0)
    }

    /// Releases the mutex while the data may be half-changed. The next owner is told, as if the
    /// caller had died.
    pub(crate) fn abandon(&self, peers: &impl Peers) -> bool {
        self.release(peers, if seeded(Fault::AbandonedUntold) { 0 } else { DIED })
    }

    fn release(&self, peers: &impl Peers, died: u64) -> bool {
        let mut word = self.owner.load(Ordering::Relaxed);
        loop {
            if Owner::of(word) != Some(peers.me()) && !seeded(Fault::UnlockByAnyone) {
                return false;
            }
            // Release: pairs with the Acquire of the next `lock`.
            let order = if seeded(Fault::RelaxedUnlock) { Ordering::Relaxed } else { Ordering::Release };
            let kept = if seeded(Fault::UnlockForgetsDied) { HUNGRY } else { DIED | HUNGRY };
            let free = word & kept | died;
            match self.owner.compare_exchange(word, free, order, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        fail::point("mutex.unlocked");
        if word & WAITERS != 0 {
            self.sleepers.notify_one(peers);
        }
        true
    }

    /// The caller stops waiting. Newcomers no longer let it go first.
    pub(crate) fn give_up(&self, peers: &impl Peers) {
        let sated = if seeded(Fault::HungryForEver) { u64::MAX } else { !HUNGRY };
        let word = self.owner.fetch_and(sated, Ordering::Relaxed);
        self.sleepers.give_up(peers);
        if word & HUNGRY != 0 && Owner::of(word).is_none() {
            self.sleepers.notify_one(peers);
        }
    }

    /// The owner declares the guarded data whole again.
    pub(crate) fn mark_consistent(&self) {
        self.owner.fetch_and(!DIED, Ordering::Relaxed);
    }

    /// The current holder, dead or alive.
    pub(crate) fn holder(&self) -> Option<Owner> {
        // Acquire: a caller that sees a holder sees everything that the holder did before it took
        // the mutex.
        Owner::of(self.owner.load(Ordering::Acquire))
    }

    /// Whether a living agent holds it.
    pub(crate) fn is_locked(&self, peers: &impl Peers) -> bool {
        self.holder().is_some_and(|owner| seeded(Fault::DeadCountedAsHolders) || !peers.is_dead(owner))
    }

    /// Spins for a while: if the holder is about to release the mutex, that is cheaper than
    /// sleeping.
    fn spin(&self) {
        for _ in 0..if can_spin() { SPINS } else { 0 } {
            let word = self.owner.load(Ordering::Relaxed);
            if Owner::of(word).is_none() || word & WAITERS != 0 {
                return;
            }
            std::hint::spin_loop();
        }
    }
}

fn with_faults(new: u64, acquired: Option<Acquired>, me: Owner) -> (u64, Option<Acquired>) {
    if acquired.is_some() && seeded(Fault::ForgetWaiters) {
        return (me.word() | new & DIED, acquired);
    }
    if acquired.is_some() && seeded(Fault::ForgetDied) {
        return (new & !DIED, Some(Acquired::Clean));
    }
    (new, acquired)
}

#[cfg(all(test, not(loom)))]
mod tests;
