//! The control segment: agents and registry.
//!
//! The entries of the registry come last. They are reserved in blocks when they are needed, so the
//! segment grows: on Linux, what is reserved is all that the file has.

use super::locks::MutexWords;
#[cfg(not(loom))]
use super::shared::PAGE;
use super::shared::{AGENTS, OBJECTS, Shared, SlotSet};
use crate::sync::{AtomicU8, AtomicU32, AtomicU64};

/// Sets of agents that wait for names. More of them ring fewer agents for nothing.
const AWAITED: usize = 16;

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
    /// The first of the free entries, as `Entry::next` says. Written under the registry's lock.
    pub free: AtomicU32,
    /// 1: the system refused to remove the name of an object without users, so a sweep has to try
    /// again. Written under the registry's lock.
    pub unswept: AtomicU32,
    /// Agents that wait for an object to be created, by the hash of its name: see
    /// `domain/awaited.rs`.
    pub awaited: [SlotSet; AWAITED],
}

/// What wakes an agent: see `wait/doorbell.rs` and `wait/news.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct Doorbell {
    /// Rings so far, modulo 2^32: any change means "try again".
    pub rings: AtomicU32,
    /// How the agent sleeps, in the bits of `wait/doorbell.rs`; 0: it is awake, and looks at
    /// `rings` before it sleeps. Written by the agent.
    pub asleep: AtomicU32,
    /// What its reactor wants to be told, in the bits of `wait/news.rs`. Written by the agent, and
    /// by agents with news.
    pub reactor: AtomicU32,
}

/// One agent: a Node environment. `pid` and `thread` are for display.
#[repr(C, align(64))]
pub(crate) struct AgentSlot {
    /// Instance of the agent, or 0. An agent takes the slot by one CAS from 0 or from the instance
    /// of a dead agent.
    pub instance: AtomicU64,
    pub doorbell: Doorbell,
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
    /// The next entry of the same list, as 1 + its index; 0 for none. An entry is in one list at
    /// most: that of the free entries, or the one of its name's hash. Only the owner of the
    /// registry's lock reads it.
    pub next: AtomicU32,
    /// Identity of the queue's arena, the file of its large messages; 0: it has none.
    pub arena: AtomicU64,
    /// Agents that have it open. The bit of a dead agent stays until it is swept.
    pub attached: SlotSet,
    pub name: [AtomicU8; 256],
}

/// The control segment, up to its entries.
#[repr(C)]
pub(crate) struct Control {
    pub header: Header,
    #[cfg(not(loom))]
    _pad: [u8; PAGE as usize - size_of::<Header>()],
    pub agents: [AgentSlot; AGENTS],
    /// For each hash of a name, the first entry of its list, as `Entry::next` says. Changed under
    /// the registry's lock only.
    pub heads: [AtomicU32; OBJECTS],
}

/// The entries follow at this offset.
pub(crate) const ENTRIES_AT: u64 = size_of::<Control>() as u64;
/// Entries that are reserved at a time: whole pages.
pub(crate) const BLOCK: usize = 128;

/// Bytes of a control segment with so many entries.
pub(crate) const fn control_size(entries: usize) -> u64 {
    ENTRIES_AT + (entries * size_of::<Entry>()) as u64
}

// SAFETY: repr(C) and atomics (and padding that is never read) throughout.
unsafe impl Shared for Control {}

// SAFETY: as above.
unsafe impl Shared for Entry {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Header>() <= PAGE as usize);
    assert!(size_of::<AgentSlot>() == 64);
    assert!(size_of::<Entry>() == 448);
    assert!(std::mem::offset_of!(Control, agents) == PAGE as usize);
    assert!(std::mem::offset_of!(Control, heads) == PAGE as usize + AGENTS * 64);
    assert!(ENTRIES_AT.is_multiple_of(PAGE) && control_size(BLOCK).is_multiple_of(PAGE));
    assert!(OBJECTS.is_power_of_two() && OBJECTS.is_multiple_of(BLOCK));
};
