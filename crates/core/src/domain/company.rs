//! The other agents that have an object open.

use super::registry::{LIVE, ObjectRef};
use super::seat::Seat;
use crate::faults::{Fault, seeded};
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::wait::Peers;

/// What is left of an object besides the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Company {
    /// Its name still leads to the object.
    pub linked: bool,
    /// Another living agent has it open.
    pub others: bool,
}

/// Reads the registry without its mutex, so other agents may be changing what is read. `lately`: an
/// agent counts as living if it did lately, which takes fewer questions to the kernel.
pub(crate) fn company_of(seat: &Seat, object: ObjectRef, lately: bool) -> Company {
    let domain = seat.domain();
    let Some(entry) = domain.entries().get(object.index) else {
        return Company { linked: false, others: false };
    };
    let me = usize::from(seat.me().slot);
    let is_alive = |slot| if lately { domain.seems_alive_in(slot) } else { domain.is_alive_in(slot) };
    let lives = |slot| seeded(Fault::DeadKeepCompany) || is_alive(slot);
    let others = entry.attached.iter().any(|slot| slot != me && lives(slot));
    // Read after the attached agents: if the entry is still this object's, it was this object's
    // then.
    let linked = entry.state.load(Acquire) == LIVE && entry.id.load(Relaxed) == object.id;
    Company { linked, others: others && linked }
}

/// A number that changes when the object loses its name, and when another living agent opens or
/// closes the object, or dies. An agent counts as living if it did lately.
pub(crate) fn outlook_of(seat: &Seat, object: ObjectRef) -> u64 {
    // The prime of FNV-1a: <https://www.rfc-editor.org/rfc/rfc9923>
    let mix = |mark: u64, number: u64| (mark ^ number).wrapping_mul(0x100_0000_01b3);
    let domain = seat.domain();
    let Some(entry) = domain.entries().get(object.index) else { return 0 };
    let linked = entry.state.load(Acquire) == LIVE && entry.id.load(Relaxed) == object.id;
    let others = entry.attached.iter().filter(|slot| *slot != usize::from(seat.me().slot));
    others
        .filter_map(|slot| seat.in_slot(slot))
        .filter(|agent| seeded(Fault::DeadKeepOutlook) || domain.seems_alive(agent.instance))
        .fold(mix(object.id, linked.into()), |mark, agent| mix(mark, agent.instance.into()))
}
