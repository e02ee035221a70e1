//! How a caller waits, and what each of its attempts may do.

use std::time::Duration;

/// What to do when it isn't so yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing: look once.
    Try,
    /// Nothing: look once, but let hungry sleepers go first. For the first look of a wait.
    Politely,
    /// Stay among the sleepers and return: the caller's doorbell will ring, and it calls again, or gives up.
    Arm {
        /// Whether this wait was armed before.
        again: bool,
    },
    /// Sleep for at most that long, and give up.
    For(Duration),
    /// As `For`, for a wait that slept before and has not given up; nor does it at the end of this time.
    Again(Duration),
}

/// With what right one looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// For once, whoever waits.
    Once,
    /// Just come: lets hungry sleepers go first.
    Newcomer,
    /// About to sleep: says so where whoever lets go will see it.
    BeforeSleep {
        /// Woken before, or slept for a whole slice.
        again: bool,
    },
}

impl Attempt {
    /// Whether hungry sleepers are let go first.
    pub(crate) fn is_polite(self) -> bool {
        matches!(self, Attempt::Newcomer | Attempt::BeforeSleep { again: false })
    }
}
