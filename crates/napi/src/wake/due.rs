//! When JavaScript tries which of its pending waits.

use std::time::Duration;

/// How often pending waits are looked at, even if no ring comes: a death rings no doorbell.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// What the environment knows of the waits that it armed.
#[derive(Clone, Copy)]
pub(crate) struct Armed {
    /// Which of them to try now: after a tick all of them.
    pub due: fn(ticked: bool) -> Vec<u32>,
    pub survey: fn() -> Survey,
    /// Tells other agents that an agent may have ended.
    #[cfg_attr(not(unix), expect(dead_code, reason = "no event loop hears of it"))]
    pub tell_of_endings: fn(),
    /// Whether other agents tell this one.
    #[cfg_attr(not(unix), expect(dead_code, reason = "no event loop hears of it"))]
    pub is_told_of_endings: fn() -> bool,
}

/// All armed waits at a glance.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// How many there are.
    pub armed: usize,
    /// How many of them were woken.
    pub woken: usize,
    /// A number that changes with the waits, and if another agent opens or closes one of their
    /// objects, or dies.
    pub outlook: u64,
}
