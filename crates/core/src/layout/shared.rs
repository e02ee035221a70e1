//! The base of the layout: the trait of shared structs, sets of agents, sizes, magic numbers.

use crate::sync::AtomicU64;

/// Grows with every change to this folder. It is part of the control segment's name, so processes
/// of different versions never meet.
pub const LAYOUT_VERSION: u32 = 8;
/// `"crossmem"`: the first word of a control segment.
pub(crate) const CONTROL_MAGIC: u64 = u64::from_le_bytes(*b"crossmem");
/// `"crossobj"`: the first word of an object that is more than bytes.
pub(crate) const OBJECT_MAGIC: u64 = u64::from_le_bytes(*b"crossobj");
/// `"ndguard\0"`: the first word of the trailer behind an ndarray's data.
pub(crate) const GUARD_MAGIC: u64 = u64::from_le_bytes(*b"ndguard\0");

/// Agents alive at once in one domain. A slot number fits the low 16 bits of an owner word.
pub const AGENTS: usize = 1024;
/// Objects at once in one domain. A power of two.
pub const OBJECTS: usize = 1 << 16;
/// Words of a bitmap with a bit per agent slot.
pub(crate) const SLOT_WORDS: usize = if cfg!(loom) { 1 } else { AGENTS / 64 };
/// The trailer of an ndarray starts at the first multiple of this behind the data, and is this
/// long.
pub const PAGE: u64 = 4096;

/// A struct that may lie in shared memory.
///
/// # Safety
/// Implementors are `repr(C)`, consist of atomics only (any bit pattern is a value, shared mutation
/// is sound), and need no drop.
pub(crate) unsafe trait Shared {}

// SAFETY: an atomic.
unsafe impl Shared for AtomicU64 {}

/// A set of agent slots.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct SlotSet(pub [AtomicU64; SLOT_WORDS]);

// SAFETY: repr(C) and atomics (and padding that is never read) throughout.
unsafe impl Shared for SlotSet {}
