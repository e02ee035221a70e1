//! The trailer of an ndarray.

use super::locks::MutexWords;
#[cfg(not(loom))]
use super::shared::PAGE;
use super::shared::{GUARD_MAGIC, LAYOUT_VERSION, Shared};
use crate::sync::{AtomicU32, AtomicU64};

/// Trailer of an ndarray: one writer at a time, and readers learn whether their copy is whole. See
/// `objects/array.rs`.
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

impl GuardWords {
    /// The trailer of a new array, as it is written before the array has its name.
    pub(crate) fn initial(domain_id: u64) -> [u8; 24] {
        let mut words = [0; 24];
        words[0..8].copy_from_slice(&GUARD_MAGIC.to_le_bytes());
        words[8..12].copy_from_slice(&LAYOUT_VERSION.to_le_bytes());
        words[16..24].copy_from_slice(&domain_id.to_le_bytes());
        words
    }
}

// SAFETY: repr(C) and atomics (and padding that is never read) throughout.
unsafe impl Shared for GuardWords {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<GuardWords>() <= PAGE as usize);
    assert!(std::mem::offset_of!(GuardWords, sequence) == 24);
};
