//! The results of an attempt to get what is waited for.

use crate::layout::SlotSet;
use crate::locks::{Acquired, Refused};
use crate::region::Region;

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked<T> {
    /// The caller has it.
    Got(T),
    /// Not available. An armed caller is now in the set of sleepers at this offset.
    NotYet {
        /// Offset in the object's segment.
        sleepers: u64,
    },
    /// The caller's own agent holds it: waiting would never end.
    Mine,
}

impl<T> Looked<T> {
    /// An attempt without success; `sleepers` lie in `region`.
    pub(crate) fn refused(refused: Refused, region: Region<'_>, sleepers: &SlotSet) -> Looked<T> {
        match refused {
            Refused::NotYet => Looked::NotYet { sleepers: offset(region, sleepers) },
            Refused::Mine => Looked::Mine,
        }
    }
}

/// The set of sleepers as an offset in the segment.
pub(super) fn offset<S>(region: Region<'_>, set: &S) -> u64 {
    (std::ptr::from_ref(set).addr() - region.as_ptr().addr()) as u64
}

/// The caller has the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// A holder died, and no later holder has marked the guarded data consistent.
    pub owner_died: bool,
}

pub(super) fn locked(acquired: Acquired) -> Looked<Locked> {
    Looked::Got(Locked { owner_died: acquired == Acquired::OwnerDied })
}
