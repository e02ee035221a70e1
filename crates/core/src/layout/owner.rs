//! The owner word `{ instance: 32 | waiters: 1 | died: 1 | hungry: 1 | 0: 13 | slot+1: 16 }`; no
//! owner means free.
//!
//! The lock bit and the owner are one word, so a lock is never held without an owner.

/// An agent sleeps, or may sleep, until the lock is released.
pub(crate) const WAITERS: u64 = 1 << 31;
/// A holder died, and the data that it left has not been repaired.
pub(crate) const DIED: u64 = 1 << 30;
/// A sleeper woke without success, so newcomers let the sleepers go first.
pub(crate) const HUNGRY: u64 = 1 << 29;
const IDENTITY: u64 = (u32::MAX as u64) << 32 | 0xffff;

/// An agent as owner words name it. Instances are never reused, so a stale word can't name a living
/// agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub instance: u32,
    pub slot: u16,
}

impl Owner {
    pub(crate) fn word(self) -> u64 {
        u64::from(self.instance) << 32 | u64::from(self.slot + 1)
    }

    /// The holder of a lock with this word, if there is one. The slot is not bounded: shared memory
    /// may hold anything.
    pub(crate) fn of(word: u64) -> Option<Owner> {
        (word & IDENTITY != 0)
            .then(|| Owner { instance: (word >> 32) as u32, slot: (word as u16).wrapping_sub(1) })
    }
}
