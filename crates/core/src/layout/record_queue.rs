//! The state of a queue of records.

use super::locks::MutexWords;
use super::object::{PARAMS, WORDS};
use super::shared::Shared;
use crate::error::{Code, Error, Result};
use crate::sync::AtomicU32;

/// One end of a ring of records: see `queues/record_ring.rs`. An agent has it while it puts or
/// takes records.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(crate) struct RecordEndWords {
    /// How many records were taken or put at this end, modulo the ring's cycle. Written by the
    /// holder of `mutex`.
    pub position: AtomicU32,
    _pad: u32,
    /// Its sleepers wait until they can have this end and there is something to do with it.
    /// `waiters` may be set while no agent holds it.
    pub mutex: MutexWords,
}

/// A ring of records, whose description and then the records themselves follow.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct RecordQueueWords {
    /// That of the consumers, and that of the producers.
    pub ends: [RecordEndWords; 2],
    /// 0, then 1 for ever: nothing is put any more. Written by the holder of the producers' end.
    pub ended: AtomicU32,
    _pad: [u32; 15],
}

// SAFETY: repr(C) and atomics (and padding that is never read) throughout.
unsafe impl Shared for RecordQueueWords {}

/// In the segment of a queue of records: the description of the records, a .npy header.
pub const DESCRIPTION_OFFSET: u64 = WORDS + size_of::<RecordQueueWords>() as u64;

#[cfg(not(loom))]
const _: () = {
    // `src/queues/record-ring.ts` has these as literals, and a test compares them.
    assert!(size_of::<RecordEndWords>() == 192);
    assert!(std::mem::offset_of!(RecordEndWords, mutex) == 8);
    assert!(std::mem::offset_of!(RecordQueueWords, ended) == 384);
    assert!(DESCRIPTION_OFFSET == 512);
};

/// Most records, and most bytes of one.
const MOST: u64 = 1 << 30;

/// Where things lie in a queue of records, from its params: records, bytes of one, bytes of the
/// description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordGeometry {
    pub capacity: u32,
    pub record_bytes: u32,
    pub records_at: u64,
    /// Of the segment.
    pub size: u64,
}

impl RecordGeometry {
    pub(crate) fn of(params: &[u64; PARAMS]) -> Result<RecordGeometry> {
        let [capacity, record_bytes, description, ..] = *params;
        let is_sound = |number: u64| (1..=MOST).contains(&number);
        if !is_sound(capacity) || !is_sound(record_bytes) || description > MOST || description % 64 != 0 {
            return Err(Error::new(
                Code::InvalidArg,
                format!(
                    "a queue of records has room for 1 to {MOST} records of 1 to {MOST} bytes, and a description whose \
                     length is a multiple of 64, not {capacity}, {record_bytes} and {description}"
                ),
            ));
        }
        let records_at = DESCRIPTION_OFFSET + description;
        Ok(RecordGeometry {
            capacity: capacity as u32,
            record_bytes: record_bytes as u32,
            records_at,
            size: records_at + capacity * record_bytes,
        })
    }

    /// Where a record is, in the segment.
    pub(crate) fn record_at(&self, slot: u32) -> u64 {
        self.records_at + u64::from(slot) * u64::from(self.record_bytes)
    }
}
