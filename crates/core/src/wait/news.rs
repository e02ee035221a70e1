//! News for reactors: an agent died, or an object lost its name, or got or lost a user.
//!
//! While nothing happens, a reactor is *calm*: it ticks seldom, and says so in its agent's
//! doorbell. An agent that has news takes that word back and rings. An agent that *hears* learns of
//! each death from the system, and tells all others.
//!
//! A reactor says that it is calm, and sleeps for long only if it sees no change at its next tick;
//! an agent with news makes the change first and then looks at the word. A fence between the two on
//! both sides lets at least one of them see the other.
//!
//! | killed | what follows |
//! | --- | --- |
//! | a calm agent | its successor in the slot clears the word; until then news ring for no agent |
//! | an agent with news, before it takes the word back | its death is news, and the agents that hear ring |
//! | the same, before it rings | as above: the calm agent is awake or finds the word gone at its next tick, which is seldom |
//! | the only agent that hears, with another agent | the others find the deaths at their next tick, and tick often from then on |

use super::peers::{Peers, wake};
use crate::faults::{Fault, seeded};
use crate::layout::Doorbell;
use crate::sync::{Ordering, fence};

/// Bits of `Doorbell::reactor`.
const CALM: u32 = 1;
const HEARS: u32 = 2;

impl Doorbell {
    /// The agent's reactor looks for changes once more; if it sees none, it ticks seldom.
    pub(crate) fn calm_down(&self) {
        self.reactor.fetch_or(CALM, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Whether its reactor has been calm since `calm_down`, without news.
    pub(crate) fn is_calm(&self) -> bool {
        self.reactor.load(Ordering::Relaxed) & CALM != 0
    }

    /// The reactor ticks often from now on. Returns whether it was calm.
    pub(crate) fn stir(&self) -> bool {
        self.reactor.fetch_and(!CALM, Ordering::Relaxed) & CALM != 0
    }

    /// Whether the agent learns of each death, and tells others.
    pub(crate) fn hears(&self) -> bool {
        self.reactor.load(Ordering::Relaxed) & HEARS != 0
    }

    pub(crate) fn set_hears(&self, hears: bool) {
        if hears {
            self.reactor.fetch_or(HEARS, Ordering::Relaxed);
        } else {
            self.reactor.fetch_and(!HEARS, Ordering::Relaxed);
        }
    }
}

/// Tells the calm ones of these agents that something changed.
pub(crate) fn tell(peers: &impl Peers, slots: impl Iterator<Item = usize>) {
    if !seeded(Fault::NoFenceInNews) {
        fence(Ordering::SeqCst);
    }
    let me = usize::from(peers.me().slot);
    for slot in slots.filter(|slot| *slot != me) {
        let bell = peers.bell(slot);
        if bell.is_calm() && bell.stir() {
            wake(peers, slot);
        }
    }
}
