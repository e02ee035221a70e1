//! The sets of agents that sleep at an object: entering, leaving and waking.

use std::time::{Duration, Instant};

use super::attempt::{Attempt, Wait};
use super::peers::{Peers, wake};
use super::spins::Spins;
use crate::faults::{Fault, seeded};
use crate::layout::{AGENTS, SLOT_WORDS, Sleeper, SlotSet};
use crate::sync::{AtomicU64, Ordering, fence};

/// No agent sleeps longer: its wake-up may have gone to a process that was killed.
const SLICE: Duration = Duration::from_millis(50);

/// A set of agents that sleep until something changes.
pub(crate) trait Sleepers {
    fn insert(&self, slot: usize);
    /// Takes the slot out. Returns whether it was in the set.
    fn remove(&self, slot: usize) -> bool;
    fn contains(&self, slot: usize) -> bool;
    /// Wakes at most `most` living sleepers, after a change by a `SeqCst` operation. If the set is
    /// empty, it makes no system call.
    fn notify_ordered(&self, peers: &impl Peers, most: usize);

    /// As `notify_ordered`, after any change.
    fn notify(&self, peers: &impl Peers, most: usize) {
        if !seeded(Fault::NoFenceInNotify) {
            fence(Ordering::SeqCst);
        }
        self.notify_ordered(peers, most);
    }

    /// Wakes one living sleeper.
    fn notify_one(&self, peers: &impl Peers) {
        self.notify(peers, 1);
    }

    /// Wakes all agents that sleep now.
    fn notify_all(&self, peers: &impl Peers) {
        self.notify(peers, AGENTS);
    }

    /// Waits until an attempt succeeds, as `wait` says. `None`: not yet. Then an armed caller calls
    /// again or gives up.
    fn wait<T>(
        &self,
        peers: &impl Peers,
        wait: Wait,
        mut attempt: impl FnMut(Attempt) -> Option<T>,
    ) -> Option<T> {
        match wait {
            Wait::Try => attempt(Attempt::Once),
            Wait::InTurn => attempt(Attempt::Newcomer),
            Wait::Arm { again } => self.attempt_armed(peers, again, &mut attempt),
            Wait::For(time) | Wait::Again(time) if time.is_zero() => attempt(Attempt::Once),
            Wait::For(time) => {
                if let Some(found) = attempt(Attempt::Newcomer) {
                    return Some(found);
                }
                self.sleep(peers, time, false, attempt)
            }
            Wait::Again(time) => self.sleep(peers, time, true, attempt),
        }
    }

    /// As `wait`. A caller that has slept for its time leaves the set of sleepers.
    fn wait_or_give_up<T>(
        &self,
        peers: &impl Peers,
        wait: Wait,
        attempt: impl FnMut(Attempt) -> Option<T>,
    ) -> Option<T> {
        let found = self.wait(peers, wait, attempt);
        if found.is_none() && matches!(wait, Wait::For(_)) {
            self.give_up(peers);
        }
        found
    }

    /// As `wait_or_give_up`. A blocking wait makes some attempts before it sleeps.
    fn wait_spinning<T>(
        &self,
        peers: &impl Peers,
        wait: Wait,
        spins: &mut Spins,
        mut attempt: impl FnMut(Attempt) -> Option<T>,
    ) -> Option<T> {
        if !matches!(wait, Wait::For(time) if !time.is_zero()) {
            return self.wait_or_give_up(peers, wait, attempt);
        }
        let started = Instant::now();
        let found =
            spins.spin(|| attempt(Attempt::Newcomer)).or_else(|| self.wait_or_give_up(peers, wait, attempt));
        spins.learn(started.elapsed());
        found
    }

    fn sleep<T>(
        &self,
        peers: &impl Peers,
        time: Duration,
        mut again: bool,
        mut attempt: impl FnMut(Attempt) -> Option<T>,
    ) -> Option<T> {
        let started = Instant::now();
        let bell = peers.bell(usize::from(peers.me().slot));
        loop {
            // Acquire: pairs with the Release in `ring`. Loaded before the attempt, so that the
            // agent doesn't sleep through a ring that comes after it.
            let heard = bell.rings.load(Ordering::Acquire);
            if let Some(found) = self.attempt_armed(peers, again, &mut attempt) {
                return Some(found);
            }
            let left = time.checked_sub(started.elapsed()).filter(|left| !left.is_zero())?;
            let slice = if seeded(Fault::SleepWithoutCheck) { left } else { SLICE.min(left) };
            peers.park(heard, slice);
            again = true;
        }
    }

    /// Enters the set of sleepers and makes an attempt. If that succeeds, leaves the set.
    fn attempt_armed<T>(
        &self,
        peers: &impl Peers,
        again: bool,
        attempt: &mut impl FnMut(Attempt) -> Option<T>,
    ) -> Option<T> {
        let me = usize::from(peers.me().slot);
        if seeded(Fault::LookBeforeInsert) {
            let found = attempt(Attempt::BeforeSleep { again });
            self.insert(me);
            return found;
        }
        self.insert(me);
        // Pairs with the fence in `notify`: either `notify` sees our bit, or this attempt sees the
        // change.
        fence(Ordering::SeqCst);
        let found = attempt(Attempt::BeforeSleep { again })?;
        if seeded(Fault::ServedStaysAsleep) {
            return Some(found);
        }
        if !self.remove(me) && !seeded(Fault::ChosenForNothing) {
            // Chosen for a wake-up in this very moment, but not for the change that the attempt
            // found.
            self.notify_one(peers);
        }
        Some(found)
    }

    /// The caller stops waiting. If it was chosen for a wake-up, another sleeper gets that.
    fn give_up(&self, peers: &impl Peers) {
        let was_chosen = !self.remove(usize::from(peers.me().slot));
        if was_chosen && !seeded(Fault::KeepTheBaton) {
            self.notify_one(peers);
        }
    }
}

impl SlotSet {
    fn word(&self, slot: usize) -> (&AtomicU64, u64) {
        (&self.0[slot / 64 % SLOT_WORDS], 1 << (slot % 64))
    }

    pub(crate) fn clear(&self) {
        for word in &self.0 {
            word.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.iter_from(0)
    }

    /// Wakes at most `most` living sleepers that are `wanted`: the next ones after the caller's own
    /// slot, round robin.
    pub(super) fn notify_those(&self, peers: &impl Peers, most: usize, wanted: impl Fn(usize) -> bool) {
        let next = usize::from(peers.me().slot) + 1;
        self.iter_from(next)
            .filter(|slot| wanted(*slot) && self.remove(*slot) && wake(peers, *slot))
            .take(most)
            .for_each(drop);
    }

    /// All slots in the set, beginning with those from `start` on.
    fn iter_from(&self, start: usize) -> impl Iterator<Item = usize> + '_ {
        let first = start / 64 % SLOT_WORDS;
        let from = start % 64;
        let turns = if seeded(Fault::NeighboursOnly) { 0 } else { SLOT_WORDS };
        (0..=turns).flat_map(move |turn| {
            let at = (first + turn) % SLOT_WORDS;
            let mask = match turn {
                0 => u64::MAX << from,
                SLOT_WORDS => !(u64::MAX << from),
                _ => u64::MAX,
            };
            let mut bits = if mask == 0 { 0 } else { self.0[at].load(Ordering::Relaxed) & mask };
            std::iter::from_fn(move || {
                let bit = (bits != 0).then(|| bits.trailing_zeros() as usize)?;
                bits &= bits - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

impl Sleepers for SlotSet {
    fn insert(&self, slot: usize) {
        let (word, bit) = self.word(slot);
        word.fetch_or(bit, Ordering::Relaxed);
    }

    fn remove(&self, slot: usize) -> bool {
        let (word, bit) = self.word(slot);
        word.fetch_and(!bit, Ordering::AcqRel) & bit != 0
    }

    fn contains(&self, slot: usize) -> bool {
        let (word, bit) = self.word(slot);
        word.load(Ordering::Relaxed) & bit != 0
    }

    fn notify_ordered(&self, peers: &impl Peers, most: usize) {
        fence_in_models();
        if self.0.iter().all(|word| word.load(Ordering::SeqCst) == 0) {
            return;
        }
        self.notify_those(peers, if seeded(Fault::OneRingForAll) { 1 } else { most }, |_| true);
    }
}

impl Sleepers for Sleeper {
    fn insert(&self, slot: usize) {
        self.0.store(slot as u32 + 1, Ordering::Relaxed);
    }

    fn remove(&self, slot: usize) -> bool {
        self.0.compare_exchange(slot as u32 + 1, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn contains(&self, slot: usize) -> bool {
        self.0.load(Ordering::Relaxed) == slot as u32 + 1
    }

    fn notify_ordered(&self, peers: &impl Peers, _: usize) {
        fence_in_models();
        let sleeper = self.0.load(Ordering::SeqCst);
        if sleeper != 0 && self.remove(sleeper as usize - 1) {
            wake(peers, sleeper as usize - 1);
        }
    }
}

/// A sleeper's fence pairs with the order of all `SeqCst` operations. Loom orders `SeqCst` fences
/// only, so it needs one here.
fn fence_in_models() {
    if cfg!(loom) && !seeded(Fault::NoFenceInNotify) {
        fence(Ordering::SeqCst);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn slots_are_visited_in_a_circle() {
        let set = SlotSet([const { AtomicU64::new(0) }; SLOT_WORDS]);
        for slot in [0, 63, 64, 700, 1023] {
            set.insert(slot);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 700, 1023]);
        assert_eq!(set.iter_from(64).collect::<Vec<_>>(), [64, 700, 1023, 0, 63]);
        assert_eq!(set.iter_from(701).collect::<Vec<_>>(), [1023, 0, 63, 64, 700]);
        assert_eq!(set.iter_from(1024).collect::<Vec<_>>(), [0, 63, 64, 700, 1023]);
    }
}
