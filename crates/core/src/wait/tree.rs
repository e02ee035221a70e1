//! Waking many agents at once, in a tree: the caller wakes the first ones, and each of them wakes
//! some of those that still sleep, once its own attempt succeeds. So a call that wakes a thousand
//! agents takes a bounded time.
//!
//! The tree has no fixed shape: a woken agent wakes any that sleep and can go on.
//!
//! | a woken agent is | what follows |
//! | --- | --- |
//! | killed before it wakes others | the others that were woken wake the same sleepers |
//! | stopped or busy | as above |
//!
//! If that befalls all that were woken, the rest goes on when its slice or its tick ends.

use super::attempt::{Attempt, Wait};
use super::peers::Peers;
use super::sleepers::Sleepers;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::SlotSet;
use crate::sync::{Ordering, fence};

const FIRST: usize = if cfg!(loom) { 1 } else { 16 };
const BRANCHES: usize = 2;

impl SlotSet {
    /// Wakes all sleepers that can go on.
    pub(crate) fn notify_in_tree(&self, peers: &impl Peers, can_go_on: impl Fn(usize) -> bool) {
        fence(Ordering::SeqCst);
        self.notify_those(peers, FIRST, can_go_on);
    }

    /// As `wait_or_give_up`, for what `notify_in_tree` wakes.
    pub(crate) fn wait_in_tree<T>(
        &self,
        peers: &impl Peers,
        wait: Wait,
        can_go_on: impl Fn(usize) -> bool,
        mut attempt: impl FnMut(Attempt) -> Option<T>,
    ) -> Option<T> {
        let mut has_slept = false;
        let found = self.wait_or_give_up(peers, wait, |now| {
            has_slept = now == Attempt::BeforeSleep { again: true };
            attempt(now)
        });
        if found.is_some() && has_slept && !seeded(Fault::TreeWithoutBranches) {
            fail::point("tree.woken");
            fence(Ordering::SeqCst);
            self.notify_those(peers, BRANCHES, can_go_on);
        }
        found
    }
}
