//! Who else has an object open.

use super::registry::{LIVE, ObjectRef};
use super::seat::Seat;
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::wait::Peers;

/// Who has an object open, besides who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its name still leads to it.
    pub linked: bool,
    /// Another living agent has it open.
    pub others: bool,
}

/// Looks without the registry's lock, so at about one instant.
pub(crate) fn company(seat: &Seat, object: ObjectRef) -> Company {
    let domain = seat.domain();
    let entry = &domain.control().entries[object.index];
    let me = usize::from(seat.me().slot);
    let others = entry.attached.iter().any(|slot| slot != me && domain.is_alive_in(slot));
    // After the table of who is attached: what is still this object's was this object's then.
    let linked = entry.state.load(Acquire) == LIVE && entry.id.load(Relaxed) == object.id;
    Company { linked, others: others && linked }
}
