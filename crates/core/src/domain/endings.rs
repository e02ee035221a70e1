//! Which agents hear from the system that another agent may have ended: some of those that wait.
//! They tell the others. What hears of endings is scarce (`sys/endings_linux.rs`), and programs
//! that watch files need it, too.

use super::seat::Seat;
use crate::faults::{Fault, seeded};
use crate::layout::AGENTS;
use crate::wait::{Peers, tell};

/// So many agents of a domain hear of endings. All of them but one may be stopped or busy without
/// delay for the agents that don't hear themselves.
const HEARERS: usize = 8;

impl Seat {
    /// Whether this agent should hear of endings itself.
    pub(super) fn may_hear_endings(&self) -> bool {
        self.hearers().take(HEARERS).count() < HEARERS
    }

    pub(super) fn is_told_of_endings(&self) -> bool {
        self.hearers().next().is_some()
    }

    pub(super) fn tell_of_endings(&self) {
        if !seeded(Fault::EndingUntold) {
            tell(self, 0..AGENTS);
        }
    }

    /// Other living agents that hear of endings.
    fn hearers(&self) -> impl Iterator<Item = usize> + '_ {
        let me = usize::from(self.me().slot);
        (0..AGENTS)
            .filter(move |slot| *slot != me && self.bell(*slot).hears())
            .filter(|slot| self.in_slot(*slot).is_some_and(|agent| !self.is_dead(agent)))
    }
}
