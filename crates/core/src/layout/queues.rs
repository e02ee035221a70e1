//! The state of queues and channels.

use super::locks::MutexWords;
use super::shared::{AGENTS, Shared, SlotSet};
use crate::sync::{AtomicU32, AtomicU64};

/// Chunks, and the rings of channels, begin at multiples of this: a cache line.
pub(crate) const LINE: u64 = 64;

/// The third parameter of a queue, as bits.
pub mod queue_flags {
    /// A message whose reader died goes to the next reader.
    pub const REDELIVER: u32 = 1;
    /// A message that is too large for a chunk lies in the queue's arena.
    pub const SPILL: u32 = 2;
    /// The queue has a list of structures.
    pub const STRUCTURES: u32 = 4;
}

/// Bits of a chunk's number.
pub(crate) const INDEX_BITS: u32 = 23;
/// Bytes of a unit, in which positions count.
pub(crate) const UNIT: u32 = 8;
/// The bits of a position that a record's header has.
pub(crate) const POSITION_MASK: u32 = 0x00ff_ffff;
/// Participants of a queue, including dead ones that are not reaped yet.
pub(crate) const PARTICIPANTS: usize = if cfg!(loom) { 3 } else { AGENTS };

/// One agent that sleeps, where there can't be two: its slot + 1, or 0.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct Sleeper(pub AtomicU32);

/// A ring of records with one producer and one consumer: see `spsc.rs`. Positions count units of 8
/// bytes and only grow, modulo 2^32. `tail - head` is at most the size of the ring.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(crate) struct RingWords {
    /// Position behind the last record that was pushed. Written by the producer.
    pub tail: AtomicU32,
    _tail: [u32; 31],
    /// Position behind the last record that was popped. Written by the consumer.
    pub head: AtomicU32,
    _head: [u32; 31],
    /// The consumer, when it sleeps until there is a record.
    pub empty: Sleeper,
    /// The producer, when it sleeps until there is room.
    pub full: Sleeper,
    _sleepers: [u32; 30],
}

/// One end of a channel: a role that one agent at a time has.
#[repr(C, align(64))]
pub(crate) struct EndWords {
    /// Owner word of the agent that has it; 0: none.
    pub owner: AtomicU64,
    /// 0, then 1 for ever: this end pushes nothing more. Once it has no owner, it pops nothing more
    /// either. Written by its owner.
    pub closed: AtomicU32,
    _pad: [u32; 13],
}

/// Two ends, and a ring of records towards each of them: see `objects/channel`. The data of the
/// rings follows.
#[repr(C)]
pub(crate) struct ChannelWords {
    pub ends: [EndWords; 2],
    /// End `i` pops from `rings[i]`, and the other end pushes to it.
    pub rings: [RingWords; 2],
}

/// A queue of any number of producers and consumers: see `mpmc.rs`. The ring's slots, a `u64` each,
/// follow, and then the chunks.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(crate) struct MpmcWords {
    /// A position behind a chunk that was linked. Puts begin to look for the end of the ring here.
    pub tail: AtomicU64,
    /// Where the search for a free chunk begins; any value.
    pub hint: AtomicU32,
    _tail: [u32; 29],
    /// A position behind a chunk that was taken, and all before it. Gets begin to look here for the
    /// first message.
    pub head: AtomicU64,
    _head: [u64; 15],
    /// Agents that sleep until there is a message.
    pub readers: SlotSet,
    /// Agents that sleep until a chunk is free.
    pub writers: SlotSet,
    /// Agents that sleep until no message is unfinished.
    pub joiners: SlotSet,
    /// 0, then 1 for ever: no put begins any more.
    pub ended: AtomicU32,
    _pad: u32,
    /// The failure that was counted last, or is being counted: `{ position of the claim: 40 | 1
    /// | chunk: 23 }`. Written by the holder of `reaper`, as are the next two.
    pub failing: AtomicU64,
    /// `failed` before that failure.
    pub failed_before: AtomicU64,
    /// Messages that were lost because their reader died, where that is counted.
    pub failed: AtomicU64,
    /// Held while an agent reaps dead participants.
    pub reaper: MutexWords,
    /// Owner word of each participant, or 0. It becomes 0 when no chunk is claimed in its name any
    /// more.
    pub participants: [AtomicU64; PARTICIPANTS],
}

/// The head of a chunk. Its message follows.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct ChunkWords {
    /// `{ position: 46 | phase: 2 | participant: 16 }`, see `claim.rs`.
    pub claim: AtomicU64,
    /// Bytes of the message.
    pub len: AtomicU32,
    /// `SPILLED`, `REDELIVERED`. Written, as `len` and the message are, by the participant that
    /// claimed the chunk.
    pub flags: AtomicU32,
}

/// A list of structures: see `objects/queue/structures.rs`. The entries follow, one behind the
/// other: a `u32`, the number of bytes, and then these bytes.
#[repr(C, align(64))]
pub(crate) struct StructuresWords {
    /// Held while an entry is added.
    pub mutex: MutexWords,
    /// Bytes of all entries. Only grows. Written by the mutex's holder, once an entry is whole.
    pub used: AtomicU32,
    _pad: [u32; 13],
}

/// Bytes of the list: two pages.
pub(crate) const STRUCTURES_BYTES: u64 = 8192;

// SAFETY: repr(C) and atomics (and padding that is never read) throughout, for each of these.
unsafe impl Shared for Sleeper {}
// SAFETY: as above.
unsafe impl Shared for ChannelWords {}
// SAFETY: as above.
unsafe impl Shared for MpmcWords {}
// SAFETY: as above.
unsafe impl Shared for ChunkWords {}
// SAFETY: as above.
unsafe impl Shared for StructuresWords {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<RingWords>() == 384);
    // `src/messages/fast-ring.ts` has these as literals, and a test compares them with `offsets`.
    assert!(size_of::<ChannelWords>() == 2 * 64 + 2 * 384);
    assert!(std::mem::offset_of!(EndWords, closed) == 8);
    assert!(std::mem::offset_of!(RingWords, head) == 128 && std::mem::offset_of!(RingWords, empty) == 256);
    assert!(std::mem::offset_of!(RingWords, full) == 260);
    assert!(std::mem::offset_of!(MpmcWords, head) == 128);
    assert!(size_of::<MpmcWords>().is_multiple_of(64));
    assert!(size_of::<ChunkWords>() == 16);
    assert!(size_of::<StructuresWords>() == 192);
};
