//! Each agent's share of an object, by slot, so that the share of a dead agent can be found and
//! given back.

use crate::faults::{Fault, seeded};
use crate::layout::{Owner, TABLE, Table};
use crate::sync::{AtomicU64, Ordering};
use crate::wait::Peers;

/// One entry, `{ instance: 32 | count: 32 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    pub instance: u32,
    pub count: u32,
}

impl Share {
    pub(crate) fn of(word: u64) -> Share {
        Share { instance: (word >> 32) as u32, count: word as u32 }
    }

    pub(crate) fn word(self) -> u64 {
        u64::from(self.instance) << 32 | u64::from(self.count)
    }

    /// The agent whose share it is.
    pub(crate) fn owner(self, slot: usize) -> Owner {
        Owner { instance: self.instance, slot: slot as u16 }
    }
}

impl Table {
    pub(crate) fn mine(&self, peers: &impl Peers) -> &AtomicU64 {
        &self.0[usize::from(peers.me().slot) % TABLE]
    }

    /// The caller's count. The share of a dead predecessor in the same slot doesn't belong to the
    /// caller.
    pub(crate) fn my_count(&self, peers: &impl Peers) -> u32 {
        let share = Share::of(self.mine(peers).load(Ordering::Relaxed));
        if share.instance == peers.me().instance || seeded(Fault::PredecessorsShare) {
            share.count
        } else {
            0
        }
    }

    /// Only for tables in which no other agent changes the entry of a living one.
    pub(crate) fn set_my_count(&self, peers: &impl Peers, count: u32, order: Ordering) {
        let share = Share { instance: peers.me().instance, count };
        self.mine(peers).store(share.word(), order);
    }

    /// All entries whose count isn't 0: slot and word.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        // Acquire: pairs with the Release with which a share is given back.
        let words = self.0.iter().map(|word| word.load(Ordering::Acquire));
        words.enumerate().filter(|(_, word)| Share::of(*word).count != 0)
    }

    /// The entries of dead agents: slot and word. The caller clears one by a CAS from that word.
    pub(crate) fn dead_shares<'a>(
        &'a self,
        peers: &'a impl Peers,
    ) -> impl Iterator<Item = (usize, u64)> + 'a {
        let me = peers.me();
        self.shares().filter(move |&(slot, word)| {
            let owner = Share::of(word).owner(slot);
            // An entry in the caller's slot that isn't the caller's was its dead predecessor's.
            owner != me && (owner.slot == me.slot || peers.is_dead(owner))
        })
    }

    /// Clears the entries of dead agents. Returns whether there were any.
    pub(crate) fn clear_dead(&self, peers: &impl Peers) -> bool {
        let mut found = false;
        for (slot, word) in self.dead_shares(peers) {
            // A failed CAS: another agent cleared it, or a newcomer entered itself there.
            let _ = self.0[slot].compare_exchange(word, 0, Ordering::Relaxed, Ordering::Relaxed);
            found = true;
        }
        found
    }
}
