//! Where things lie in the segments of queues and channels. This is computed once, from the numbers
//! that the object was made with, into private copies. It is checked against the size of the
//! segment when the object is opened.

use super::object::{PARAMS, WORDS};
use super::queues::{
    ChannelWords, ChunkWords, INDEX_BITS, LINE, MpmcWords, STRUCTURES_BYTES, UNIT, queue_flags,
};
use crate::error::{Code, Error, Result};

/// The ring of a queue has at least so many slots, so that `head` and `tail` are seldom at the same
/// one.
const LEAST_SLOTS: u64 = 64;
/// Most messages of a queue: the number of a chunk has to fit into `INDEX_BITS`.
const MOST_MESSAGES: u64 = 1 << (INDEX_BITS - 1);
/// Most bytes of a channel's ring.
const MOST_BYTES: u64 = 1 << 34;
/// A chunk has at least so much room: for the length of a large message, a `u64`.
pub(crate) const SPILL_BYTES: u64 = 8;
/// How far an arena reaches: a file of tmpfs or APFS may have 2^63 - 1 bytes, one of NTFS with
/// clusters of 4 KiB has 2^44 at most.
pub(crate) const ARENA_BYTES: u64 = if cfg!(windows) { 1 << 43 } else { 1 << 62 };

fn invalid(message: String) -> Error {
    Error::new(Code::InvalidArg, message)
}

/// Of a queue, from its params: messages, bytes of a message, flags, codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueGeometry {
    pub capacity: u32,
    pub message_bytes: u32,
    /// A power of two.
    pub slots: usize,
    pub slots_at: u64,
    chunks_at: u64,
    stride: u64,
    pub redeliver: bool,
    pub spill: bool,
    /// The most bytes of a large message.
    pub most_spilled: u64,
    /// Where the list of structures is, in a queue that has one: behind the chunks.
    pub structures_at: Option<u64>,
    /// Of the segment.
    pub size: u64,
}

impl QueueGeometry {
    pub(crate) fn of(params: &[u64; PARAMS]) -> Result<QueueGeometry> {
        let [capacity, message_bytes, flags, ..] = *params;
        if !(1..=MOST_MESSAGES).contains(&capacity) {
            return Err(invalid(format!(
                "a queue has room for 1 to {MOST_MESSAGES} messages, not {capacity}"
            )));
        }
        if message_bytes > u64::from(u32::MAX) / 2 {
            return Err(invalid(format!(
                "messages of {message_bytes} bytes are too large for a chunk; messages larger than messageBytes lie outside of chunks"
            )));
        }
        let slots = capacity.max(LEAST_SLOTS).next_power_of_two();
        let slots_at = WORDS + size_of::<MpmcWords>() as u64;
        let chunks_at = slots_at + slots * 8;
        let has_structures = flags & u64::from(queue_flags::STRUCTURES) != 0;
        let stride = (size_of::<ChunkWords>() as u64 + message_bytes.max(SPILL_BYTES)).next_multiple_of(LINE);
        let chunks_end = chunks_at + stride * capacity;
        Ok(QueueGeometry {
            capacity: capacity as u32,
            message_bytes: message_bytes as u32,
            slots: slots as usize,
            slots_at,
            chunks_at,
            stride,
            redeliver: flags & u64::from(queue_flags::REDELIVER) != 0,
            spill: spills(params),
            most_spilled: ARENA_BYTES / capacity.next_power_of_two(),
            structures_at: has_structures.then_some(chunks_end),
            size: chunks_end + if has_structures { STRUCTURES_BYTES } else { 0 },
        })
    }

    /// Where a chunk is, in the segment.
    pub(crate) fn chunk_at(&self, index: u32) -> u64 {
        self.chunks_at + self.stride * u64::from(index)
    }

    /// Where a chunk's message is.
    pub(crate) fn message_at(&self, index: u32) -> u64 {
        self.chunk_at(index) + size_of::<ChunkWords>() as u64
    }

    /// Where the part of the arena begins that belongs to a chunk. It has `most_spilled` bytes.
    pub(crate) fn spilled_at(&self, index: u32) -> u64 {
        self.most_spilled * u64::from(index)
    }
}

/// Whether a queue with these params has an arena for large messages.
pub(crate) fn spills(params: &[u64; PARAMS]) -> bool {
    params[2] & u64::from(queue_flags::SPILL) != 0
}

/// Of a channel, from its params: bytes of the ring towards end 0; bytes of the ring towards end 1,
/// 0 if there is none; codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChannelGeometry {
    /// Units of each ring: powers of two, or 0.
    pub units: [u32; 2],
    pub rings_at: [u64; 2],
    /// Of the segment.
    pub size: u64,
}

impl ChannelGeometry {
    pub(crate) fn of(params: &[u64; PARAMS]) -> Result<ChannelGeometry> {
        let [first, second, ..] = *params;
        let sound = |bytes: u64| bytes.is_power_of_two() && (LINE..=MOST_BYTES).contains(&bytes);
        if !sound(first) || second != 0 && !sound(second) {
            return Err(invalid(format!(
                "a ring has a power of two of bytes, from {LINE} to {MOST_BYTES}, not {first} and {second}"
            )));
        }
        let rings_at = WORDS + size_of::<ChannelWords>() as u64;
        Ok(ChannelGeometry {
            units: [first, second].map(|bytes| (bytes / u64::from(UNIT)) as u32),
            rings_at: [rings_at, rings_at + first],
            size: rings_at + first + second,
        })
    }
}
