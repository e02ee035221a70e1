//! Every struct that lives in shared memory, stated once and asserted.
//!
//! All fields are little-endian atomics, each accessed at one width only. Whatever other processes may
//! have left in them is a value of its type, so a reference to such a struct is always sound; whether the
//! value makes sense is checked where it is used.

use crate::sync::{AtomicU8, AtomicU32, AtomicU64};

/// Grows with every change to this file. It is part of the control segment's name, so processes of
/// different versions never meet.
pub const LAYOUT_VERSION: u32 = 1;
/// `"crossmem"`: the first word of a control segment.
pub(crate) const CONTROL_MAGIC: u64 = u64::from_le_bytes(*b"crossmem");
/// `"ndguard\0"`: the first word of the trailer behind an ndarray's data.
pub(crate) const GUARD_MAGIC: u64 = u64::from_le_bytes(*b"ndguard\0");

/// Agents alive at once in one domain. A slot number fits the low 16 bits of an owner word.
pub const AGENTS: usize = 1024;
/// Objects at once in one domain.
pub const OBJECTS: usize = 4096;
/// Words of a bitmap with a bit per agent slot.
pub(crate) const SLOT_WORDS: usize = if cfg!(loom) { 1 } else { AGENTS / 64 };
/// The trailer of an ndarray starts at the first multiple of this behind the data, and is this long.
pub const PAGE: u64 = 4096;

/// # Safety
/// Implementors are `repr(C)`, consist of atomics only (any bit pattern is a value, shared mutation is
/// sound), and need no drop.
pub(crate) unsafe trait Shared {}

/// A set of agent slots.
#[repr(C)]
pub(crate) struct SlotSet(pub [AtomicU64; SLOT_WORDS]);

/// A robust mutex: see `mutex.rs`.
#[repr(C)]
pub(crate) struct MutexWords {
    /// `{ instance: 32 | waiters: 1 | died: 1 | 0: 14 | slot+1: 16 }`, see `owner.rs`.
    pub owner: AtomicU64,
    /// Agents that sleep until the mutex is released; a stale bit costs its agent one spurious wake-up.
    pub sleepers: SlotSet,
}

/// First page of the control segment. Written whole before the segment gets its name, except as noted.
#[repr(C)]
pub(crate) struct Header {
    pub magic: AtomicU64,
    pub layout: AtomicU32,
    /// 0, then for ever 1: nobody may begin anything here any more. Written under the registry's lock.
    pub retired: AtomicU32,
    pub size: AtomicU64,
    /// Random; in the trailer of every ndarray of this domain.
    pub domain_id: AtomicU64,
    /// Instance that the next agent gets, 1 to `u32::MAX`; only grows, so an owner word never names a
    /// successor.
    pub next_instance: AtomicU64,
    /// Id that the next object gets; only grows. Written under the registry's lock.
    pub next_object: AtomicU64,
    pub registry: MutexWords,
}

/// One agent: a Node environment. `pid` and `thread` are for display.
#[repr(C, align(64))]
pub(crate) struct AgentSlot {
    /// Instance of the agent, or 0. Taken by one CAS from 0 or from the instance of a dead agent.
    pub instance: AtomicU64,
    /// Rung to wake the agent: any change means "look again".
    pub doorbell: AtomicU32,
    pub pid: AtomicU32,
    /// Worker thread id, 0 for the main thread.
    pub thread: AtomicU32,
    /// Windows: number of the event that the agent sleeps on, any value elsewhere. Written by who sleeps there.
    pub parker: AtomicU32,
}

/// One named object. Changed under the registry's lock only.
#[repr(C, align(64))]
pub(crate) struct Entry {
    /// See the table in `registry.rs`.
    pub state: AtomicU32,
    pub kind: AtomicU32,
    /// Never reused; what a handle remembers.
    pub id: AtomicU64,
    /// Bytes of the object's segment.
    pub size: AtomicU64,
    /// Identity of the file behind the name, so that nobody else's is ever removed; 0 where the OS has none.
    pub file: AtomicU64,
    /// 1: outlives all agents.
    pub persist: AtomicU32,
    /// 1 to 250.
    pub name_len: AtomicU32,
    /// Who has it open. A bit of a dead agent stays until it is swept.
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
    /// Hash of the name of the entry with the same index, or 0 for none: finding a name reads 16 KiB, not 2 MiB.
    pub tags: [AtomicU32; OBJECTS],
    pub entries: [Entry; OBJECTS],
}

/// Trailer of an ndarray: who may write, and whether what one reads is whole.
#[repr(C)]
pub(crate) struct GuardWords {
    pub magic: AtomicU64,
    pub layout: AtomicU32,
    _pad: u32,
    /// Of the domain whose agents the owner word names.
    pub domain_id: AtomicU64,
    /// Odd while a writer is inside, or since one died inside.
    pub sequence: AtomicU64,
    pub writer: MutexWords,
}

// SAFETY: repr(C) and atomics (and padding that nobody reads) throughout, for each of these.
unsafe impl Shared for Control {}
// SAFETY: as above.
unsafe impl Shared for GuardWords {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Header>() <= PAGE as usize);
    assert!(size_of::<AgentSlot>() == 64);
    assert!(size_of::<Entry>() == 448);
    assert!(std::mem::offset_of!(Control, agents) == PAGE as usize);
    assert!(std::mem::offset_of!(Control, tags) == PAGE as usize + AGENTS * 64);
    assert!(std::mem::offset_of!(Control, entries) % 64 == 0);
    assert!(size_of::<GuardWords>() <= PAGE as usize);
    assert!(std::mem::offset_of!(GuardWords, sequence) == 24);
    assert!(cfg!(target_endian = "little"), "shared words are little-endian");
};
