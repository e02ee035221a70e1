//! The header of objects that are more than bytes.

#[cfg(not(loom))]
use super::locks::{ConditionWords, MutexWords};
use super::shared::Shared;
use crate::sync::{AtomicU32, AtomicU64};

/// Numbers that an object is made with. Each kind has its own; unused ones are 0.
///
/// | kind | params |
/// | --- | --- |
/// | `RLock`, `Mutex`, `RwLock`, `Condition` | |
/// | `Semaphore` | permits at first, most permits |
/// | `Event` | 1: resets itself |
/// | `Barrier` | parties |
/// | `Value`, `SharedArray` | dtype, elements, 1: with a lock |
/// | `SpscQueue` | bytes of the ring |
/// | `Pipe` | bytes of the ring towards end 0, towards end 1 (0: one way only), codec |
/// | `MpmcQueue`, `Queue`, `JoinableQueue` | messages, bytes of one, flags, codec |
/// | `RecordQueue` | records, bytes of one, bytes of the description |
/// | `SharedMap` | codec, default lifetime, most bytes, cells |
///
/// The flags are 1: redeliver, 2: spill, 4: structures. A dtype and a codec are numbers that only
/// the caller understands.
pub const PARAMS: usize = 5;
/// Where an object's state begins in its segment.
pub(crate) const WORDS: u64 = size_of::<ObjectHeader>() as u64;
/// Where the data of a value begins in its segment: behind a header and a mutex, at a multiple of
/// 64.
pub const DATA_OFFSET: u64 = 256;
/// Where the numbers of a map begin in its segment: behind a header and a condition, at a page.
pub const MAP_DATA_OFFSET: u64 = 3 * super::shared::PAGE;
/// Where the number of entries lies behind that, a float of 64 bits.
pub(crate) const MAP_SIZE_AT: u64 = 48;

/// First 64 bytes of the segment of a lock, a value and the like. Written whole before the object
/// has its name, and never changed.
#[repr(C)]
pub(crate) struct ObjectHeader {
    pub magic: AtomicU64,
    pub layout: AtomicU32,
    /// As in the registry.
    pub kind: AtomicU32,
    /// Of the domain whose agents the object's owner words name.
    pub domain_id: AtomicU64,
    /// The numbers that the object was made with: see `PARAMS`.
    pub params: [AtomicU64; PARAMS],
}

// SAFETY: repr(C) and atomics (and padding that is never read) throughout.
unsafe impl Shared for ObjectHeader {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<ObjectHeader>() == 64);
    assert!(WORDS as usize + size_of::<MutexWords>() <= DATA_OFFSET as usize);
    assert!(WORDS as usize + size_of::<ConditionWords>() <= MAP_DATA_OFFSET as usize);
};
