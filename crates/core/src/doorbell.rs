//! Sleeping until another process says so: a set of sleepers per object, a doorbell per agent.
//!
//! A wake-up can be swallowed by a process that is killed after it was chosen, so nobody sleeps longer than
//! a slice: a lost wake-up costs time, never progress.

use std::time::Duration;

use crate::layout::{AGENTS, SlotSet};
use crate::owner::Owner;
use crate::sync::{AtomicU32, Ordering, fence};

/// The agents of a domain, as one of them sees the others.
pub(crate) trait Peers {
    /// The agent that asks.
    fn me(&self) -> Owner;
    /// Whether the kernel says that this agent is gone. Anything unknown: no.
    fn is_dead(&self, owner: Owner) -> bool;
    /// The agent in that slot, if it is taken.
    fn in_slot(&self, slot: usize) -> Option<Owner>;
    /// The doorbell of that slot.
    fn bell(&self, slot: usize) -> &AtomicU32;
    /// Sleeps while `bell` is `heard`, for a slice at the most.
    fn park(&self, bell: &AtomicU32, heard: u32, slice: Duration);
    /// Wakes whoever sleeps on `bell`.
    fn ring(&self, bell: &AtomicU32);
}

impl SlotSet {
    fn word(&self, slot: usize) -> (&crate::sync::AtomicU64, u64) {
        (&self.0[slot / 64], 1 << (slot % 64))
    }

    pub(crate) fn insert(&self, slot: usize) {
        let (word, bit) = self.word(slot);
        word.fetch_or(bit, Ordering::Relaxed);
    }

    /// Takes the slot out; whether it was in.
    pub(crate) fn remove(&self, slot: usize) -> bool {
        let (word, bit) = self.word(slot);
        word.fetch_and(!bit, Ordering::AcqRel) & bit != 0
    }

    pub(crate) fn clear(&self) {
        for word in &self.0 {
            word.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let bits = word.load(Ordering::Relaxed);
            (0..64).filter(move |b| bits >> b & 1 == 1).map(move |b| i * 64 + b)
        })
    }

    /// Sleeps for at most `slice` while `blocked()`. Returns whether a notifier had chosen this agent: who
    /// then doesn't act on it must pass it on with `notify_one`.
    pub(crate) fn sleep(&self, peers: &impl Peers, slice: Duration, blocked: impl Fn() -> bool) -> bool {
        let me = usize::from(peers.me().slot);
        let bell = peers.bell(me);
        let heard = bell.load(Ordering::Acquire);
        self.insert(me);
        // Pairs with the fence in `notify_one`: either it sees our bit, or we see what it changed.
        fence(Ordering::SeqCst);
        if blocked() {
            peers.park(bell, heard, slice);
        }
        !self.remove(me)
    }

    /// Wakes one living sleeper. With nobody asleep it makes no system call.
    pub(crate) fn notify_one(&self, peers: &impl Peers) {
        fence(Ordering::SeqCst);
        for slot in self.iter().take(AGENTS) {
            if !self.remove(slot) {
                continue;
            }
            if peers.in_slot(slot).is_some_and(|agent| !peers.is_dead(agent)) {
                let bell = peers.bell(slot);
                // Release: pairs with the load in `sleep`.
                bell.fetch_add(1, Ordering::Release);
                peers.ring(bell);
                return;
            }
        }
    }
}
