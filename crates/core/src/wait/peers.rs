//! The other agents, as a protocol knows them.

use std::time::Duration;

use crate::faults::{Fault, seeded};
use crate::layout::{Doorbell, Owner};

/// The agents of a domain, as one of them sees the others.
pub(crate) trait Peers {
    /// The agent that calls.
    fn me(&self) -> Owner;
    /// Whether the kernel says that this agent is gone. If the kernel can't tell: no.
    fn is_dead(&self, owner: Owner) -> bool;
    /// The agent in that slot, if it is taken.
    fn in_slot(&self, slot: usize) -> Option<Owner>;
    /// The process of the agent in that slot, for messages; 0: unknown.
    fn pid(&self, _slot: usize) -> u32 {
        0
    }
    /// Whether it is worth ringing this agent. Unlike `is_dead`, it need not have the kernel's word
    /// of this moment: a ring that a dead agent gets costs its successor a slice.
    fn seems_alive(&self, owner: Owner) -> bool {
        !self.is_dead(owner)
    }
    /// The doorbell of that slot.
    fn bell(&self, slot: usize) -> &Doorbell;
    /// Sleeps while the caller's doorbell has `heard` rings, for a slice at the most.
    fn park(&self, heard: u32, slice: Duration);
    /// Wakes the agent in that slot, which sleeps as its doorbell says: `asleep`.
    fn rouse(&self, slot: usize, asleep: u32);
}

/// Rings the doorbell of the agent in that slot; `false` if no living agent has the slot.
pub(crate) fn wake(peers: &impl Peers, slot: usize) -> bool {
    let lives = peers.in_slot(slot).is_some_and(|agent| peers.seems_alive(agent));
    if !lives && !seeded(Fault::RingTheDead) {
        return false;
    }
    let asleep = peers.bell(slot).ring();
    if asleep != 0 {
        peers.rouse(slot, asleep);
    }
    true
}
