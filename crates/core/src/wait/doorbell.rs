//! An agent's doorbell: a number that each ring changes, and a word that says how the agent sleeps.
//! If the agent is awake, a ring makes no system call.
//!
//! The agent says how it sleeps and then looks at the number; a ring changes the number and then
//! looks at how the agent sleeps. A fence between the two on both sides lets at least one of them
//! see the other.
//!
//! If the agent dies asleep, its successor in the slot clears the word; until then a ring makes a
//! system call for no agent. If the ringing agent dies between the two steps, the other one sleeps
//! until its slice or its tick ends.

use crate::faults::{Fault, seeded};
use crate::layout::Doorbell;
use crate::sync::{Ordering, fence};

/// How an agent sleeps: bits, since the agent's thread and its reactor may sleep at the same time.
pub(crate) mod asleep {
    /// Its thread sleeps on the futex of `rings`.
    pub(crate) const PARKED: u32 = 1;
    /// Its event loop sleeps, and polls the agent's FIFO.
    pub(crate) const POLLING: u32 = 2;
    /// Another thread of it sleeps on the futex at any time.
    pub(crate) const REACTOR: u32 = 4;
}

impl Doorbell {
    /// Counts a ring. Returns how the agent sleeps: the caller wakes it.
    pub(crate) fn ring(&self) -> u32 {
        if !seeded(Fault::SilentBell) {
            // Release: pairs with the load in `sleep`.
            self.rings.fetch_add(1, Ordering::Release);
        }
        if !seeded(Fault::NoFenceInRing) {
            fence(Ordering::SeqCst);
        }
        self.asleep.load(Ordering::Relaxed)
    }

    /// The agent is about to sleep in that way. Afterwards it looks at `rings` once more, and
    /// sleeps only if there was no ring.
    pub(crate) fn fall_asleep(&self, how: u32) {
        self.asleep.fetch_or(how, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// The agent doesn't sleep in that way any more.
    pub(crate) fn wake_up(&self, how: u32) {
        self.asleep.fetch_and(!how, Ordering::Relaxed);
    }
}
