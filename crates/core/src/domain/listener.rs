//! An agent's doorbell, for the reactor.

use std::sync::Arc;
use std::time::Duration;

use super::seat::Seat;
use crate::sync::{AtomicU32, Ordering};
use crate::sys::{Bell, Mapping};
use crate::wait::Peers;

/// An agent's doorbell, for a thread other than the agent's own. It doesn't keep the agent alive.
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
        // SAFETY: `mapping` keeps it mapped; it is an atomic, so any value that other processes
        // write is one of its type.
        unsafe { &*self.bell }
    }

    /// The number of rings so far, modulo 2^32.
    #[must_use]
    pub fn heard(&self) -> u32 {
        // Acquire: pairs with the Release in `wake`.
        self.bell().load(Ordering::Acquire)
    }

    /// Sleeps while the number of rings is `heard`, at most for `slice`. May return early.
    pub fn park(&self, heard: u32, slice: Duration) {
        Bell::park(self.bell(), heard, slice);
    }

    /// Rings the doorbell.
    pub fn ring(&self) {
        self.bell().fetch_add(1, Ordering::Release);
        Bell::ring(self.bell());
    }
}
