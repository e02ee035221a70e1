//! An agent's doorbell, for what sleeps until it rings: a reactor's thread, or an event loop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::seat::Seat;
use crate::error::{Error, Result};
use crate::fail;
use crate::layout::Doorbell;
use crate::sync::Ordering;
use crate::sys::{Bell, Endings, Fifo, Mapping, Place};
use crate::wait::{Peers, asleep};

/// An agent's doorbell. It doesn't keep the agent alive.
pub struct Listener {
    bell: *const Doorbell,
    #[expect(dead_code, reason = "keeps the doorbell mapped")]
    mapping: Arc<Mapping>,
}

// SAFETY: a doorbell is atomics in memory that `mapping` keeps where it is.
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

    fn bell(&self) -> &Doorbell {
        // SAFETY: `mapping` keeps it mapped; it is atomics, so any value that other processes write
        // is one of its type.
        unsafe { &*self.bell }
    }

    /// The number of rings so far, modulo 2^32.
    #[must_use]
    pub fn heard(&self) -> u32 {
        // Acquire: pairs with the Release in `ring`.
        self.bell().rings.load(Ordering::Acquire)
    }

    /// From now on a thread of the agent may sleep in `park` at any time.
    pub fn begin_parking(&self) {
        self.bell().fall_asleep(asleep::REACTOR);
    }

    /// No thread sleeps in `park` any more.
    pub fn end_parking(&self) {
        self.bell().wake_up(asleep::REACTOR);
    }

    /// Sleeps while the number of rings is `heard`, at most for `slice`. May return early.
    pub fn park(&self, heard: u32, slice: Duration) {
        Bell::park(&self.bell().rings, heard, slice);
    }

    /// Wakes the thread that sleeps in `park`.
    pub fn ring(&self) {
        self.bell().ring();
        Bell::ring(&self.bell().rings);
    }
}

/// After so long without a ring, the loop looks at all else that it polls.
const GLANCE: Duration = Duration::from_micros(5);

/// An agent's doorbell, for the event loop of the agent's own thread. The loop polls `descriptor`,
/// which is readable after a ring that came while the loop slept. Dropping this removes the FIFO.
pub struct LoopBell {
    listener: Listener,
    fifo: Fifo,
    /// `None`: the system has none, or enough other agents hear of endings and tell this one.
    endings: Option<Endings>,
    place: Place,
    name: String,
}

impl LoopBell {
    pub(super) fn of(seat: &Seat) -> Result<LoopBell> {
        let name = seat.domain().fifo_name(seat.me().instance);
        let place = seat.domain().place.clone();
        let made = place.make_fifo(&name);
        let fifo = made.map_err(|e| Error::os(&format!("making the FIFO {}", place.shown(&name)), &e))?;
        fail::point("loop-bell.made");
        let endings = seat.may_hear_endings().then(|| Endings::of(&seat.domain().life).ok()).flatten();
        Ok(LoopBell { listener: Listener::of(seat), fifo, endings, place, name })
    }

    /// What the event loop polls until it is readable.
    #[must_use]
    pub fn descriptor(&self) -> i32 {
        self.fifo.descriptor()
    }

    /// What the event loop polls, too: it is readable after an agent may have ended. Then the loop
    /// calls `drain_endings`, and `Agent::tell_of_endings`. `None`: there is nothing of the kind.
    #[must_use]
    pub fn endings(&self) -> Option<i32> {
        self.endings.as_ref().map(Endings::descriptor)
    }

    /// Makes `endings` unreadable.
    pub fn drain_endings(&self) {
        if let Some(endings) = &self.endings {
            endings.drain();
        }
    }

    /// Says whether the loop polls `endings`, so that other agents rely on it.
    pub fn set_polling_endings(&self, polls: bool) {
        self.listener.bell().set_hears(polls);
    }

    /// From now on agents with news ring; the loop may tick seldom if it sees no change at its next
    /// tick and `is_calm` holds then.
    pub fn calm_down(&self) {
        self.listener.bell().calm_down();
    }

    /// Whether there was no news since `calm_down`.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.listener.bell().is_calm()
    }

    /// Agents with news don't ring any more: the loop ticks often.
    pub fn stir(&self) {
        self.listener.bell().stir();
    }

    /// The number of rings so far, modulo 2^32.
    #[must_use]
    pub fn heard(&self) -> u32 {
        self.listener.heard()
    }

    /// Looks for a ring after `heard` for a moment. Returns whether there was one.
    ///
    /// The thread yields its core all the while. If the agent that is to ring shares the core, it
    /// runs at once; and since both can run, the system soon moves one of them to an idle core.
    #[must_use]
    pub fn glance(&self, heard: u32) -> bool {
        let began = Instant::now();
        while self.heard() == heard {
            if began.elapsed() >= GLANCE {
                return false;
            }
            std::thread::yield_now();
        }
        true
    }

    /// The loop is about to sleep: from here on a ring makes `descriptor` readable. Returns whether
    /// the loop may sleep: there was no ring since it heard `heard`.
    #[must_use]
    pub fn fall_asleep(&self, heard: u32) -> bool {
        self.listener.bell().fall_asleep(asleep::POLLING);
        let sleeps = self.heard() == heard;
        if !sleeps {
            self.wake_up();
        }
        sleeps
    }

    /// The loop doesn't sleep any more.
    pub fn wake_up(&self) {
        self.listener.bell().wake_up(asleep::POLLING);
    }

    /// Makes `descriptor` unreadable.
    pub fn drain(&self) {
        self.fifo.drain();
    }

    /// Removes the FIFO's name: from here on no agent opens it.
    pub fn remove(&self) {
        self.wake_up();
        self.stir();
        self.set_polling_endings(false);
        let _ = self.place.remove_fifo(&self.name);
    }
}

impl Drop for LoopBell {
    fn drop(&mut self) {
        self.remove();
    }
}
