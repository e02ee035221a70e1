//! Which agents live, asked of the kernel at most once for each slot while the caller holds the
//! registry's mutex. So a sweep of many objects makes few system calls.
//!
//! What was true may not be any more, and that does no harm. An agent that has died since is swept
//! later, as if it had died then. A newcomer in the slot of an agent that was dead has no object
//! open before it gets the mutex.

use std::cell::Cell;

use crate::domain::control::Domain;
use crate::layout::SLOT_WORDS;

/// A bit for each slot.
#[derive(Default)]
pub(super) struct Lives {
    asked: [Cell<u64>; SLOT_WORDS],
    alive: [Cell<u64>; SLOT_WORDS],
}

impl Lives {
    pub(super) fn in_slot(&self, domain: &Domain, slot: usize) -> bool {
        let (word, bit) = (slot / 64 % SLOT_WORDS, 1 << (slot % 64));
        let (asked, alive) = (&self.asked[word], &self.alive[word]);
        if asked.get() & bit == 0 {
            asked.set(asked.get() | bit);
            if domain.is_alive_in(slot) {
                alive.set(alive.get() | bit);
            }
        }
        alive.get() & bit != 0
    }
}
