//! How an attempt went.

use crate::layout::SlotSet;
use crate::locks::{Acquired, Refused};
use crate::region::Region;

/// How a look went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked<T> {
    /// There it is.
    Got(T),
    /// Not yet; who armed itself sleeps in the set at that offset.
    NotYet {
        /// In the object's segment.
        sleepers: u64,
    },
    /// The caller's own agent has it: it would wait for itself.
    Mine,
}

impl<T> Looked<T> {
    /// In vain; `sleepers` lie in `region`.
    pub(crate) fn refused(refused: Refused, region: Region<'_>, sleepers: &SlotSet) -> Looked<T> {
        match refused {
            Refused::NotYet => Looked::NotYet { sleepers: offset(region, sleepers) },
            Refused::Mine => Looked::Mine,
        }
    }
}

/// Where those sleep who wait for `set`, as an offset in the segment.
pub(super) fn offset<S>(region: Region<'_>, set: &S) -> u64 {
    (std::ptr::from_ref(set).addr() - region.as_ptr().addr()) as u64
}

/// A lock came to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// A holder died, and nobody has said since that what the lock guards is whole.
    pub owner_died: bool,
}

pub(super) fn locked(acquired: Acquired) -> Looked<Locked> {
    Looked::Got(Locked { owner_died: acquired == Acquired::OwnerDied })
}
