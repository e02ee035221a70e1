//! Which participant has a chunk of a queue: `{ position: 46 | phase: 2 | participant: 16 }`.
//!
//! | phase | changed by | to |
//! | --- | --- | --- |
//! | `Free` | any participant, by CAS | `Writing` |
//! | `Writing` | its participant | `Queued`, or `Free` |
//! | `Queued` | any participant, by CAS, once it is linked at that position | `Reading` |
//! | `Queued` | its participant, while it is not linked | `Queued` at the next position |
//! | `Reading` | its participant | `Free`, or `Queued` again |
//!
//! The participant that reaps a dead one changes its claims, by CAS. The position is where the
//! chunk is linked, or was last, or is about to be. One chunk is linked at a position, once. So a
//! CAS from `Queued` fails if the chunk has begun another life, and a `Queued` chunk that a slot
//! has is a message only if it names the slot's position.

use crate::faults::{Fault, seeded};
use crate::sync::{AtomicU64, Ordering};

/// The phases of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Free = 0,
    Writing = 1,
    /// In the ring, or about to be.
    Queued = 2,
    Reading = 3,
}

/// The word, unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub position: u64,
    pub phase: Phase,
    pub participant: u16,
}

const PHASE: u32 = 16;
const POSITION: u32 = 18;
/// Bits of a position that a claim has.
pub(crate) const POSITION_BITS: u32 = 64 - POSITION;

impl Claim {
    #[inline]
    pub(crate) fn of(word: u64) -> Claim {
        let phase = match word >> PHASE & 3 {
            0 => Phase::Free,
            1 => Phase::Writing,
            2 => Phase::Queued,
            _ => Phase::Reading,
        };
        Claim { position: word >> POSITION, phase, participant: word as u16 }
    }

    #[inline]
    pub(crate) fn word(self) -> u64 {
        self.position << POSITION | (self.phase as u64) << PHASE | u64::from(self.participant)
    }

    /// The claim that follows this one, as a word.
    #[inline]
    pub(crate) fn next(self, phase: Phase, participant: u16) -> u64 {
        Claim { phase, participant, ..self }.word()
    }

    /// The claim of that participant while it links the chunk at that position, as a word.
    #[inline]
    pub(crate) fn queued(position: u64, participant: u16) -> u64 {
        Claim { position, phase: Phase::Queued, participant }.word()
    }

    /// Whether that participant has the chunk in that phase.
    #[inline]
    pub(crate) fn is(self, phase: Phase, participant: u16) -> bool {
        self.phase == phase && self.participant == participant
    }

    /// Whether the chunk is the message at that position, if the slot there has it.
    #[inline]
    pub(crate) fn is_queued_at(self, position: u64) -> bool {
        let is_there = self.position == position & (u64::MAX >> POSITION) || seeded(Fault::PositionIgnored);
        self.phase == Phase::Queued && is_there
    }
}

/// One CAS from `before`. Returns whether it succeeded.
#[inline]
pub(crate) fn change(claim: &AtomicU64, before: u64, after: u64) -> bool {
    // SeqCst: a put claims before it loads whether the queue has ended, and `is_drained` relies on
    // that order.
    claim.compare_exchange(before, after, Ordering::SeqCst, Ordering::Relaxed).is_ok()
}
