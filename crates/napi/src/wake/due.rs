//! When JavaScript tries which of its pending waits.

use std::time::Duration;

/// How often JavaScript is called while it waits, even if no ring comes: a death rings no doorbell.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// Which pending waits to try now: after a tick all of them.
pub(crate) type Due = fn(ticked: bool) -> Vec<u32>;
