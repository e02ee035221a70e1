//! Which participant has a chunk of a queue: `{ generation: 46 | phase: 2 | participant: 16 }`.
//!
//! | phase | changed by | to |
//! | --- | --- | --- |
//! | `Free` | any participant, by CAS | `Writing` |
//! | `Writing` | its participant | `Queued`, or `Free` |
//! | `Queued` | any participant, by CAS, once it is linked | `Reading` |
//! | `Reading` | its participant | `Free`, or `Queued` again |
//!
//! The participant that reaps a dead one changes its claims, by CAS. The generation grows with
//! every change, so that a CAS from an old claim fails.

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

    /// The claim that follows this one, as a word.
    pub(crate) fn next(self, phase: Phase, participant: u16) -> u64 {
        let generation = self.generation + u64::from(!seeded(Fault::NoGeneration));
        Claim { generation, phase, participant }.word()
    }

    /// Whether that participant has the chunk in that phase.
    pub(crate) fn is(self, phase: Phase, participant: u16) -> bool {
        self.phase == phase && self.participant == participant
    }
}

/// One CAS from `before`. Returns whether it succeeded.
pub(crate) fn change(claim: &AtomicU64, before: u64, phase: Phase, participant: u16) -> bool {
    let after = Claim::of(before).next(phase, participant);
    // SeqCst: a put claims before it loads whether the queue has ended, and `is_drained` relies on
    // that order.
    claim.compare_exchange(before, after, Ordering::SeqCst, Ordering::Relaxed).is_ok()
}
