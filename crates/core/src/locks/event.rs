//! A flag that agents can wait for. It is one word: an agent that dies has set it, or has not.
//!
//! A waiter remembers how often the event had been set before, so that a `set` right before a
//! `clear` releases all waiters. If an agent dies after `set` before it wakes any waiter, the
//! waiters notice when their slice ends.

use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::EventWords;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::wait::{Peers, Sleepers, Wait};

const SET: u32 = 1;
const ONCE: u32 = 2;

impl EventWords {
    pub(crate) fn is_set(&self) -> bool {
        self.state.load(Acquire) & SET != 0
    }

    /// How often it was set, for a waiter to remember.
    pub(crate) fn times(&self) -> u32 {
        self.state.load(Acquire) / ONCE
    }

    /// Wakes all waiters, or, with `auto_reset`, one that will take it.
    pub(crate) fn set(&self, peers: &impl Peers, auto_reset: bool) {
        // Release: pairs with the Acquire in `taken` and `is_set`.
        let set = self.state.fetch_update(Release, Relaxed, |state| {
            (state & SET == 0).then(|| state.wrapping_add(ONCE) | SET)
        });
        fail::point("event.set");
        match set {
            Err(_) => {}
            Ok(_) if seeded(Fault::SetWakesNobody) => {}
            Ok(_) if seeded(Fault::SetWakesOne) => self.sleepers.notify_one(peers),
            Ok(_) if auto_reset && seeded(Fault::SetWakesAll) => self.sleepers.notify_all(peers),
            Ok(_) if auto_reset => self.sleepers.notify_one(peers),
            Ok(_) => self.sleepers.notify_in_tree(peers, |_| true),
        }
    }

    pub(crate) fn clear(&self) {
        self.state.fetch_and(!SET, Release);
    }

    /// Waits until the event is set, or has been set since the caller read `times`. With
    /// `auto_reset`, waits until the caller takes it.
    pub(crate) fn wait(&self, peers: &impl Peers, times: u32, auto_reset: bool, wait: Wait) -> bool {
        let attempt = |_| self.taken(times, auto_reset).then_some(());
        let found = if auto_reset {
            self.sleepers.wait_or_give_up(peers, wait, attempt)
        } else {
            self.sleepers.wait_in_tree(peers, wait, |_| true, attempt)
        };
        found.is_some()
    }

    fn taken(&self, times: u32, auto_reset: bool) -> bool {
        let state = self.state.load(Acquire);
        if !auto_reset {
            return state & SET != 0 || state / ONCE != times && !seeded(Fault::PulseMissed);
        }
        let taken = self.state.fetch_update(AcqRel, Relaxed, |state| {
            (state & SET != 0).then_some(if seeded(Fault::TakenByAll) { state } else { state & !SET })
        });
        taken.is_ok()
    }
}
