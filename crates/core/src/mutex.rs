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
#[cfg(not(loom))]
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
            chosen =
                self.sleepers.sleep(peers, SLICE.min(left), || self.owner.load(Ordering::Relaxed) == waiting);
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

/// A model need not look at the same word twice.
#[cfg(loom)]
fn spins() -> u32 {
    0
}

/// On one core the holder can't go on while we spin.
#[cfg(not(loom))]
fn spins() -> u32 {
    use std::sync::OnceLock;
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    if cores > 1 { SPINS } else { 0 }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::{AtomicU64 as Counter, Ordering::Relaxed};

    use super::*;
    use crate::layout::{AGENTS, SLOT_WORDS, SlotSet};
    use crate::sync::{AtomicU32, AtomicU64};
    use crate::sys::Bell;

    /// Agents that live on threads of this test; those with an instance above 100 are dead.
    struct Peer<'a> {
        me: Owner,
        bells: &'a [AtomicU32],
        rings: Counter,
    }

    impl Peers for Peer<'_> {
        fn me(&self) -> Owner {
            self.me
        }
        fn is_dead(&self, owner: Owner) -> bool {
            owner.instance > 100
        }
        fn in_slot(&self, slot: usize) -> Option<Owner> {
            Some(Owner { instance: slot as u32 + 1, slot: slot as u16 })
        }
        fn bell(&self, slot: usize) -> &AtomicU32 {
            &self.bells[slot]
        }
        fn park(&self, bell: &AtomicU32, heard: u32, slice: Duration) {
            Bell::park(bell, heard, slice);
        }
        fn ring(&self, bell: &AtomicU32) {
            self.rings.fetch_add(1, Relaxed);
            Bell::ring(bell);
        }
    }

    fn bells() -> Vec<AtomicU32> {
        (0..AGENTS).map(|_| AtomicU32::new(0)).collect()
    }

    fn peer(slot: u16, bells: &[AtomicU32]) -> Peer<'_> {
        Peer { me: Owner { instance: u32::from(slot) + 1, slot }, bells, rings: Counter::new(0) }
    }

    fn mutex(word: u64) -> MutexWords {
        let sleepers = SlotSet([const { AtomicU64::new(0) }; SLOT_WORDS]);
        MutexWords { owner: AtomicU64::new(word), sleepers }
    }

    #[test]
    fn one_holds_it_and_only_that_one_releases_it() {
        let bells = bells();
        let (a, b, mutex) = (peer(0, &bells), peer(1, &bells), mutex(0));
        assert_eq!(mutex.lock(&a, Duration::ZERO), Ok(Acquired::Clean));
        assert_eq!(mutex.lock(&a, Duration::ZERO), Err(Refused::Deadlock));
        assert_eq!(mutex.lock(&b, Duration::ZERO), Err(Refused::Timeout(a.me)));
        assert!(!mutex.unlock(&b), "not b's to release");
        assert!(mutex.unlock(&a));
        assert!(!mutex.unlock(&a), "released once");
        assert_eq!(mutex.lock(&b, Duration::ZERO), Ok(Acquired::Clean));
    }

    #[test]
    fn the_dead_lose_it_and_everyone_is_told_until_it_is_repaired() {
        let bells = bells();
        let dead = Owner { instance: 101, slot: 7 };
        let (a, b, mutex) = (peer(0, &bells), peer(1, &bells), mutex(dead.word()));
        assert_eq!(mutex.lock(&a, Duration::ZERO), Ok(Acquired::OwnerDied));
        assert!(mutex.unlock(&a));
        assert_eq!(mutex.lock(&b, Duration::ZERO), Ok(Acquired::OwnerDied), "nobody repaired it yet");
        mutex.mark_consistent();
        assert!(mutex.unlock(&b));
        assert_eq!(mutex.lock(&a, Duration::ZERO), Ok(Acquired::Clean));
    }

    #[test]
    fn a_garbage_word_is_a_dead_owner() {
        let bells = bells();
        let (a, mutex) = (peer(0, &bells), mutex(u64::MAX));
        assert_eq!(mutex.lock(&a, Duration::ZERO), Ok(Acquired::OwnerDied));
        assert!(mutex.unlock(&a));
    }

    #[test]
    fn one_sleeper_is_rung_and_nobody_when_nobody_sleeps() {
        let bells = bells();
        let (a, mutex) = (peer(0, &bells), mutex(0));
        mutex.sleepers.insert(3);
        mutex.sleepers.notify_one(&a);
        assert_eq!((a.rings.load(Relaxed), bells[3].load(Relaxed)), (1, 1));
        mutex.sleepers.notify_one(&a);
        assert_eq!(a.rings.load(Relaxed), 1, "nobody asleep, nobody rung");
    }

    #[test]
    fn four_agents_never_inside_at_once() {
        const ROUNDS: u64 = 20_000;
        let (bells, mutex, plain) = (bells(), mutex(0), Counter::new(0));
        std::thread::scope(|scope| {
            for slot in 0..4 {
                let (bells, mutex, plain) = (&bells, &mutex, &plain);
                scope.spawn(move || {
                    let me = peer(slot, bells);
                    for _ in 0..ROUNDS {
                        assert_eq!(mutex.lock(&me, Duration::MAX), Ok(Acquired::Clean));
                        // Not an atomic addition: two inside at once lose one.
                        plain.store(plain.load(Relaxed) + 1, Relaxed);
                        assert!(mutex.unlock(&me));
                    }
                });
            }
        });
        assert_eq!(plain.load(Relaxed), 4 * ROUNDS);
    }
}
