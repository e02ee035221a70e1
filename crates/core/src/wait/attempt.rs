//! How a caller waits, and the kinds of attempts that it makes.

use std::time::Duration;

/// What a call does if the thing that it asks for isn't available yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Makes one attempt, and doesn't let others go first.
    Try,
    /// Makes one attempt, but lets hungry sleepers go first. For the first attempt of a wait.
    InTurn,
    /// Stays among the sleepers and returns. When the caller's doorbell rings, the caller calls
    /// again or gives up.
    Arm {
        /// Whether this wait was armed before.
        again: bool,
    },
    /// Sleeps for at most that long, then gives up.
    For(Duration),
    /// As `For`, for a wait that slept before and has not given up. It doesn't give up at the end
    /// of this time either.
    Again(Duration),
}

/// The kind of an attempt: it decides which agents go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The only attempt: doesn't let sleepers go first.
    Once,
    /// The first attempt of a wait: lets hungry sleepers go first.
    Newcomer,
    /// Made before sleeping: notes in the object that there is a sleeper, so that a release wakes
    /// it.
    BeforeSleep {
        /// The caller was woken before, or has slept for a whole slice.
        again: bool,
    },
}

impl Attempt {
    /// Whether it lets hungry sleepers go first.
    pub(crate) fn is_polite(self) -> bool {
        matches!(self, Attempt::Newcomer | Attempt::BeforeSleep { again: false })
    }
}
