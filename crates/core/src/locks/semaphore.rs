//! Permits, with a table of how many each agent holds: permits of dead agents return.
//!
//! Everything changes under a mutex that is held inside one call only. `total` and the table `held`
//! are the truth; `taken` is the sum of `held`, and an agent that takes the mutex from a dead
//! holder computes it anew.
//!
//! | died | `total` | `held` | after the repair |
//! | --- | --- | --- | --- |
//! | before the store to its entry | as before | as before | nothing was acquired or released |
//! | after it | as before | changed | the permit was acquired, and returns; or was released |
//! | after `total` grew or shrank | changed | as before or after | permits were added, or used up |

use super::mutex::{Acquired, Refused};
use super::short::ATTEMPT_TIMEOUT;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::SemaphoreWords;
use crate::sync::Ordering::Relaxed;
use crate::wait::{Attempt, Peers, Sleepers, Wait};

/// Most permits of a semaphore.
pub(crate) const MOST_PERMITS: u64 = i32::MAX as u64;

/// The result of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Released {
    Yes,
    /// Refused: there would be more permits than allowed.
    TooMany,
    /// Refused: the caller doesn't hold as many.
    NotHeld,
}

/// Holds the semaphore's own mutex.
struct Inside<'a, P: Peers> {
    words: &'a SemaphoreWords,
    peers: &'a P,
}

impl SemaphoreWords {
    /// Takes a permit.
    pub(crate) fn acquire(&self, peers: &impl Peers, wait: Wait) -> Result<(), Refused> {
        let acquired = self.sleepers.wait(peers, wait, |attempt| self.attempt(peers, attempt));
        acquired.ok_or_else(|| {
            if matches!(wait, Wait::For(_)) {
                self.give_up(peers);
            }
            Refused::NotYet
        })
    }

    fn attempt(&self, peers: &impl Peers, attempt: Attempt) -> Option<()> {
        let inside = self.enter(peers, Wait::For(ATTEMPT_TIMEOUT))?;
        if inside.free() == 0 && attempt != Attempt::Newcomer {
            inside.reclaim();
        }
        let lets_others_go_first = attempt.is_polite() && self.hungry.load(Relaxed) != 0;
        if inside.free() == 0 || lets_others_go_first {
            if attempt == (Attempt::BeforeSleep { again: true }) {
                self.hungry.store(1, Relaxed);
            }
            return None;
        }
        inside.hold(self.held.my_count(peers).saturating_add(1));
        let fed = attempt == Attempt::BeforeSleep { again: true } && self.hungry.swap(0, Relaxed) != 0;
        let is_more = inside.free() > 0;
        drop(inside);
        if fed && is_more && !seeded(Fault::FedTellsNobody) {
            self.sleepers.notify_one(peers);
        }
        Some(())
    }

    /// Releases `count` permits: first those that the caller holds, then new ones, unless
    /// `only_held`. There are never more than `most` in all.
    pub(crate) fn release(
        &self,
        peers: &impl Peers,
        count: u32,
        most: u64,
        only_held: bool,
        wait: Wait,
    ) -> Result<Released, Refused> {
        let inside = self.enter(peers, wait).ok_or(Refused::NotYet)?;
        let held = self.held.my_count(peers);
        let back = held.min(count);
        let added = u64::from(count - back);
        let total = self.total.load(Relaxed);
        if only_held && added > 0 && !seeded(Fault::PermitsOutOfNothing) {
            return Ok(Released::NotHeld);
        }
        if added > 0 && total.saturating_add(added) > most.min(MOST_PERMITS) {
            return Ok(Released::TooMany);
        }
        if added > 0 {
            self.total.store(total + added, Relaxed);
            fail::point("semaphore.added");
        }
        inside.hold(held - back);
        drop(inside);
        fail::point("semaphore.released");
        if seeded(Fault::ReleaseWakesNobody) {
            return Ok(Released::Yes);
        }
        self.sleepers.notify(peers, count as usize);
        Ok(Released::Yes)
    }

    /// Uses up a permit that the caller holds: it doesn't return, not even when the caller dies.
    pub(crate) fn consume(&self, peers: &impl Peers, wait: Wait) -> Result<bool, Refused> {
        let inside = self.enter(peers, wait).ok_or(Refused::NotYet)?;
        let held = self.held.my_count(peers);
        if held > 0 {
            let used_up = u64::from(!seeded(Fault::ConsumedReturns));
            self.total.store(self.total.load(Relaxed).saturating_sub(used_up), Relaxed);
            fail::point("semaphore.consumed");
            inside.hold(held - 1);
        }
        Ok(held > 0)
    }

    /// Free permits, including those of dead agents.
    pub(crate) fn value(&self, peers: &impl Peers, wait: Wait) -> Result<u64, Refused> {
        let inside = self.enter(peers, wait).ok_or(Refused::NotYet)?;
        inside.reclaim();
        Ok(inside.free())
    }

    pub(crate) fn my_count(&self, peers: &impl Peers) -> u32 {
        self.held.my_count(peers)
    }

    /// The caller stops waiting. Newcomers no longer let it go first.
    pub(crate) fn give_up(&self, peers: &impl Peers) {
        let was_hungry = self.hungry.swap(0, Relaxed) != 0;
        self.sleepers.give_up(peers);
        if was_hungry {
            self.sleepers.notify_one(peers);
        }
    }

    fn enter<'a, P: Peers>(&'a self, peers: &'a P, wait: Wait) -> Option<Inside<'a, P>> {
        let acquired = self.mutex.lock(peers, wait).ok()?;
        let inside = Inside { words: self, peers };
        if acquired == Acquired::OwnerDied && !seeded(Fault::NotRecounted) {
            let before = if seeded(Fault::RecountedTwice) { self.taken.load(Relaxed) } else { 0 };
            self.taken.store(before + inside.sum(), Relaxed);
            fail::point("semaphore.repaired");
            self.mutex.mark_consistent();
        }
        fail::point("semaphore.locked");
        Some(inside)
    }
}

impl<P: Peers> Inside<'_, P> {
    fn free(&self) -> u64 {
        self.words.total.load(Relaxed).saturating_sub(self.words.taken.load(Relaxed))
    }

    fn sum(&self) -> u64 {
        self.words.held.shares().map(|(_, word)| word & u64::from(u32::MAX)).sum()
    }

    /// Takes back the permits of dead agents.
    fn reclaim(&self) {
        if !seeded(Fault::PermitsOfTheDeadStay) && self.words.held.clear_dead(self.peers) {
            fail::point("semaphore.reclaimed");
            self.words.taken.store(self.sum(), Relaxed);
        }
    }

    /// Makes the caller the holder of `count` permits.
    fn hold(&self, count: u32) {
        let before = self.words.held.mine(self.peers).load(Relaxed) & u64::from(u32::MAX);
        self.words.held.set_my_count(self.peers, count, Relaxed);
        fail::point("semaphore.held");
        let taken = self.words.taken.load(Relaxed).wrapping_sub(before).wrapping_add(count.into());
        self.words.taken.store(taken, Relaxed);
    }
}

impl<P: Peers> Drop for Inside<'_, P> {
    fn drop(&mut self) {
        self.words.mutex.unlock(self.peers);
    }
}
