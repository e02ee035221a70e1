//! Whether an event loop looks for a ring for a moment before it sleeps. Waking a thread that
//! sleeps takes longer than most answers of a peer that is awake; but looking costs processor time,
//! which is lost if the ring comes later.

use std::time::{Duration, Instant};

use crossmem_core::can_spin;

/// The longest that the loop looks before it sleeps.
const LONGEST: Duration = Duration::from_micros(50);
/// After failures in a row, at most so many waits are not spun for.
const MOST_SKIPPED: u32 = 256;

/// What one environment has learned of its waits: after each wait that ended only when the loop
/// slept, twice as many waits as before aren't spun for; after one that ended in time, all are.
pub(super) struct Spin {
    began: Option<Instant>,
    skipped: u32,
    to_skip: u32,
}

impl Spin {
    pub(super) fn new() -> Spin {
        Spin { began: None, skipped: 0, to_skip: if can_spin() { 0 } else { u32::MAX } }
    }

    /// The loop would sleep now. Returns whether it looks once more instead.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.to_skip > 0 {
            return false;
        }
        let began = *self.began.get_or_insert_with(Instant::now);
        if began.elapsed() < LONGEST {
            return true;
        }
        self.skipped = (self.skipped * 2).clamp(1, MOST_SKIPPED);
        self.to_skip = self.skipped;
        false
    }

    /// A ring came.
    pub(super) fn rang(&mut self) {
        if self.to_skip > 0 {
            if self.to_skip != u32::MAX {
                self.to_skip -= 1;
            }
        } else if self.began.is_some() {
            self.skipped = 0;
        }
        self.began = None;
    }
}
