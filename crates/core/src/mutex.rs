//! The robust mutex: one CAS to take, one to release, and the dead hold nothing.
//!
//! | word | lock | unlock by the owner |
//! | --- | --- | --- |
//! | free | → mine, `died` kept; `waiters` set by whoever may have slept | |
//! | mine | refused: deadlock | → free, `died` kept; wakes one if `waiters` |
//! | of a dead agent | → mine, `died`, `waiters` | |
//! | of a living agent | set `waiters`, sleep a slice, look again | refused |
//!
//! After Linux's robust futexes (`pthread_mutexattr_setrobust(3)`), but with the kernel asked who is alive
//! instead of a list that the dying process must get right.

use std::time::{Duration, Instant};

use crate::doorbell::Peers;
use crate::layout::MutexWords;
use crate::owner::{DIED, Owner, WAITERS};
use crate::sync::Ordering;

/// Nobody sleeps longer: a wake-up may have gone to a process that was killed.
const SLICE: Duration = Duration::from_millis(50);
const SPINS: u32 = 100;

/// How the lock came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    Clean,
    /// A holder died, and nobody called `mark_consistent` since: what the mutex guards may be half-changed.
    OwnerDied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Still held by that agent when the time was up.
    Timeout(Owner),
    /// The caller holds it already.
    Deadlock,
}

impl MutexWords {
    pub(crate) fn lock(&self, peers: &impl Peers, timeout: Duration) -> Result<Acquired, Refused> {
        let me = peers.me().word();
        // Relaxed: only a guess; a failed CAS costs one look more.
        if self.owner.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return Ok(Acquired::Clean);
        }
        self.lock_contended(peers, timeout)
    }

    #[cold]
    fn lock_contended(&self, peers: &impl Peers, timeout: Duration) -> Result<Acquired, Refused> {
        let started = Instant::now();
        let me = peers.me();
        let (mut slept, mut chosen, mut spins) = (false, false, spins());
        loop {
            let word = self.owner.load(Ordering::Relaxed);
            let take = |new: u64| {
                // Acquire: pairs with the Release in `unlock`, or with nothing when the holder died.
                self.owner.compare_exchange(word, new, Ordering::Acquire, Ordering::Relaxed).is_ok()
            };
            let Some(owner) = Owner::of(word) else {
                // Others may sleep who set W before the last release cleared it: whoever slept restores it.
                if take(me.word() | word & DIED | if slept { WAITERS } else { 0 }) {
                    return Ok(if word & DIED == 0 { Acquired::Clean } else { Acquired::OwnerDied });
                }
                continue;
            };
            if owner == me {
                return Err(Refused::Deadlock);
            }
            if spins > 0 {
                spins -= 1;
                std::hint::spin_loop();
                continue;
            }
            if peers.is_dead(owner) {
                if take(me.word() | DIED | WAITERS) {
                    return Ok(Acquired::OwnerDied);
                }
                continue;
            }
            let waiting = word | WAITERS;
            if word != waiting && !take(waiting) {
                continue;
            }
            let Some(left) = timeout.checked_sub(started.elapsed()).filter(|left| !left.is_zero()) else {
                if chosen {
                    self.sleepers.notify_one(peers);
                }
                return Err(Refused::Timeout(owner));
            };
            chosen = self.sleepers.sleep(peers, SLICE.min(left), || {
                self.owner.load(Ordering::Relaxed) == waiting
            });
            slept = true;
        }
    }

    /// `false` if the caller doesn't hold it: then nothing changed.
    pub(crate) fn unlock(&self, peers: &impl Peers) -> bool {
        let mut word = self.owner.load(Ordering::Relaxed);
        loop {
            if Owner::of(word) != Some(peers.me()) {
                return false;
            }
            // Release: pairs with the Acquire of the next `lock`.
            match self.owner.compare_exchange(word, word & DIED, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & WAITERS != 0 {
            self.sleepers.notify_one(peers);
        }
        true
    }

    /// The owner says that what the mutex guards is whole again.
    pub(crate) fn mark_consistent(&self) {
        self.owner.fetch_and(!DIED, Ordering::Relaxed);
    }
}

/// On one core the holder can't go on while we spin.
fn spins() -> u32 {
    use std::sync::OnceLock;
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    if cores > 1 { SPINS } else { 0 }
}
