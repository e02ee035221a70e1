//! An agent's doorbell, for the thread that waits on it for JavaScript.

use std::sync::Arc;
use std::time::Duration;

use super::seat::Seat;
use crate::sync::{AtomicU32, Ordering};
use crate::sys::{Bell, Mapping};
use crate::wait::Peers;

/// An agent's doorbell, for another thread than the agent's own. It keeps nobody alive.
pub struct Listener {
    bell: *const AtomicU32,
    #[expect(dead_code, reason = "keeps the doorbell mapped")]
    mapping: Arc<Mapping>,
}

// SAFETY: a doorbell is an atomic in memory that `mapping` keeps where it is.
unsafe impl Send for Listener {}
// SAFETY: as above.
unsafe impl Sync for Listener {}

impl Listener {
    pub(super) fn of(seat: &Seat) -> Listener {
        Listener {
            bell: std::ptr::from_ref(seat.bell(usize::from(seat.me().slot))),
            mapping: seat.domain().keep_mapped(),
        }
    }

    fn bell(&self) -> &AtomicU32 {
        // SAFETY: `mapping` keeps it mapped; it is an atomic, so any value others write is one of its type.
        unsafe { &*self.bell }
    }

    /// What the doorbell shows now.
    #[must_use]
    pub fn heard(&self) -> u32 {
        // Acquire: pairs with the Release in `wake`.
        self.bell().load(Ordering::Acquire)
    }

    /// Sleeps while it shows `heard`, for `slice` at the most. May return for no reason.
    pub fn park(&self, heard: u32, slice: Duration) {
        Bell::park(self.bell(), heard, slice);
    }

    /// Rings it.
    pub fn ring(&self) {
        self.bell().fetch_add(1, Ordering::Release);
        Bell::ring(self.bell());
    }
}
