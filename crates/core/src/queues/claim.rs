//! Whose a chunk of a queue is: `{ generation: 46 | phase: 2 | participant: 16 }`.
//!
//! | phase | who changes it | to |
//! | --- | --- | --- |
//! | `Free` | anyone, by CAS | `Writing` |
//! | `Writing` | its participant | `Queued`, or `Free` |
//! | `Queued` | anyone, by CAS, once it is linked | `Reading` |
//! | `Reading` | its participant | `Free`, or `Queued` again |
//!
//! What a dead participant has is changed by who reaps it, by CAS. The generation grows with every change, so that a CAS
//! that expects an old one fails.

use crate::faults::{Fault, seeded};
use crate::sync::{AtomicU64, Ordering};

/// Where a chunk is in its life.
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
    pub generation: u64,
    pub phase: Phase,
    pub participant: u16,
}

const PHASE: u32 = 16;
const GENERATION: u32 = 18;

impl Claim {
    pub(crate) fn of(word: u64) -> Claim {
        let phase = match word >> PHASE & 3 {
            0 => Phase::Free,
            1 => Phase::Writing,
            2 => Phase::Queued,
            _ => Phase::Reading,
        };
        Claim { generation: word >> GENERATION, phase, participant: word as u16 }
    }

    pub(crate) fn word(self) -> u64 {
        self.generation << GENERATION | (self.phase as u64) << PHASE | u64::from(self.participant)
    }

    /// The word that follows.
    pub(crate) fn next(self, phase: Phase, participant: u16) -> u64 {
        let generation = self.generation + u64::from(!seeded(Fault::NoGeneration));
        Claim { generation, phase, participant }.word()
    }

    /// Whether that participant holds it.
    pub(crate) fn is(self, phase: Phase, participant: u16) -> bool {
        self.phase == phase && self.participant == participant
    }
}

/// One CAS from `before`; whether it was ours.
pub(crate) fn change(claim: &AtomicU64, before: u64, phase: Phase, participant: u16) -> bool {
    let after = Claim::of(before).next(phase, participant);
    // SeqCst: a claim comes before the look whether the queue has ended, in the order that `is_drained` relies on.
    claim.compare_exchange(before, after, Ordering::SeqCst, Ordering::Relaxed).is_ok()
}
