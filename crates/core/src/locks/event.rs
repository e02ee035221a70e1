//! A flag that one can wait for. One word: whoever dies has set it, or has not.
//!
//! Who waits remembers how often the event had been set, so that a `set` right before a `clear` releases everyone who
//! waited. A `set` whose caller dies before it wakes anyone is found by the waiters when their slice ends.

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

    /// How often it was set, as waiters remember it.
    pub(crate) fn times(&self) -> u32 {
        self.state.load(Acquire) / ONCE
    }

    /// Wakes all waiters, or with `auto_reset` the one that will take it.
    pub(crate) fn set(&self, peers: &impl Peers, auto_reset: bool) {
        // Release: pairs with the Acquire in `taken` and `is_set`.
        let set = self.state.fetch_update(Release, Relaxed, |state| {
            (state & SET == 0).then(|| state.wrapping_add(ONCE) | SET)
        });
        fail::point("event.set");
        match set {
            Err(_) => {}
            Ok(_) if auto_reset => self.sleepers.notify_one(peers),
            Ok(_) => self.sleepers.notify_all(peers),
        }
    }

    pub(crate) fn clear(&self) {
        self.state.fetch_and(!SET, Release);
    }

    /// Waits until it is set, or was since it had been set `times`; with `auto_reset`, until the caller is the one that takes it.
    pub(crate) fn wait(&self, peers: &impl Peers, times: u32, auto_reset: bool, wait: Wait) -> bool {
        let found =
            self.sleepers.wait_or_give_up(peers, wait, |_| self.taken(times, auto_reset).then_some(()));
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
