//! The other agents, as a protocol knows them.

use std::time::Duration;

use crate::faults::{Fault, seeded};
use crate::layout::Owner;
use crate::sync::{AtomicU32, Ordering};

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
    /// The doorbell of that slot.
    fn bell(&self, slot: usize) -> &AtomicU32;
    /// Sleeps while `bell` is `heard`, for a slice at the most.
    fn park(&self, bell: &AtomicU32, heard: u32, slice: Duration);
    /// Wakes the threads that sleep on `bell`.
    fn ring(&self, bell: &AtomicU32);
}

/// Rings the doorbell of the agent in that slot; `false` if no living agent has the slot.
pub(crate) fn wake(peers: &impl Peers, slot: usize) -> bool {
    let lives = peers.in_slot(slot).is_some_and(|agent| !peers.is_dead(agent));
    if !lives && !seeded(Fault::RingTheDead) {
        return false;
    }
    let bell = peers.bell(slot);
    if !seeded(Fault::SilentBell) {
        // Release: pairs with the load in `sleep`.
        bell.fetch_add(1, Ordering::Release);
    }
    peers.ring(bell);
    true
}
