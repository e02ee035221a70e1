//! The control segment: agents and registry.

use super::locks::MutexWords;
#[cfg(not(loom))]
use super::shared::PAGE;
use super::shared::{AGENTS, OBJECTS, Shared, SlotSet};
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// First page of the control segment. Written whole before the segment gets its name, except for
/// the fields whose docs say more.
#[repr(C)]
pub(crate) struct Header {
    pub magic: AtomicU64,
    pub layout: AtomicU32,
    /// 0, then 1 for ever: no agent may begin anything in this domain any more. Written under the
    /// registry's lock.
    pub retired: AtomicU32,
    pub size: AtomicU64,
    /// Random; in the trailer of every ndarray of this domain.
    pub domain_id: AtomicU64,
    /// Instance that the next agent gets, 1 to `u32::MAX`. It only grows, so an owner word never
    /// names a successor.
    pub next_instance: AtomicU64,
    /// Id that the next object gets. It only grows. Written under the registry's lock.
    pub next_object: AtomicU64,
    pub registry: MutexWords,
    /// Entries from this index on were never used. It only grows, and does so before an entry is
    /// used. Written under the registry's lock.
    pub entries_used: AtomicU64,
}

/// One agent: a Node environment. `pid` and `thread` are for display.
#[repr(C, align(64))]
pub(crate) struct AgentSlot {
    /// Instance of the agent, or 0. An agent takes the slot by one CAS from 0 or from the instance
    /// of a dead agent.
    pub instance: AtomicU64,
    /// Rung to wake the agent: any change means "try again".
    pub doorbell: AtomicU32,
    pub pid: AtomicU32,
    /// Worker thread id, 0 for the main thread.
    pub thread: AtomicU32,
    /// Windows: number of the event that the agent sleeps on, written by the sleeping thread. Any
    /// value elsewhere.
    pub parker: AtomicU32,
}

/// One named object. Changed under the registry's lock only.
#[repr(C, align(64))]
pub(crate) struct Entry {
    /// See the table in `domain/registry`.
    pub state: AtomicU32,
    pub kind: AtomicU32,
    /// Never reused. Handles name the object by it.
    pub id: AtomicU64,
    /// Bytes of the object's segment.
    pub size: AtomicU64,
    /// Identity of the file behind the name, so that no other program's file is ever removed; 0
    /// where the OS has none.
    pub file: AtomicU64,
    /// 1: outlives all agents.
    pub persist: AtomicU32,
    /// 1 to 250.
    pub name_len: AtomicU32,
    /// Identity of the queue's arena, the file of its large messages; 0: it has none.
    pub arena: AtomicU64,
    /// Agents that have it open. The bit of a dead agent stays until it is swept.
    pub attached: SlotSet,
    pub name: [AtomicU8; 256],
}

/// The control segment.
#[repr(C)]
pub(crate) struct Control {
    pub header: Header,
    #[cfg(not(loom))]
    _pad: [u8; PAGE as usize - size_of::<Header>()],
    pub agents: [AgentSlot; AGENTS],
    /// Hash of the name of the entry with the same index, or 0 for none: finding a name reads 16
    /// KiB, not 2 MiB.
    pub tags: [AtomicU32; OBJECTS],
    pub entries: [Entry; OBJECTS],
}

impl Control {
    /// Indices of all entries that were ever used.
    pub(crate) fn used_entries(&self) -> std::ops::Range<usize> {
        // Acquire: pairs with the Release in `Registry::enter`.
        0..(self.header.entries_used.load(Ordering::Acquire) as usize).min(OBJECTS)
    }
}

// SAFETY: repr(C) and atomics (and padding that is never read) throughout.
unsafe impl Shared for Control {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Header>() <= PAGE as usize);
    assert!(size_of::<AgentSlot>() == 64);
    assert!(size_of::<Entry>() == 448);
    assert!(std::mem::offset_of!(Control, agents) == PAGE as usize);
    assert!(std::mem::offset_of!(Control, tags) == PAGE as usize + AGENTS * 64);
    assert!(std::mem::offset_of!(Control, entries) % 64 == 0);
};
