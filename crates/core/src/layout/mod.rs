//! Every struct that lives in shared memory, stated once and asserted.
//!
//! All fields are little-endian atomics, each accessed at one width only. Whatever other processes may
//! have left in them is a value of its type, so a reference to such a struct is always sound; whether the
//! value makes sense is checked where it is used.

mod geometry;
mod kind;
mod owner;

pub(crate) use geometry::{ChannelGeometry, QueueGeometry, SPILL_BYTES};
pub use kind::Kind;
pub(crate) use owner::{DIED, HUNGRY, Owner, WAITERS};

use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Grows with every change to this folder. It is part of the control segment's name, so processes of
/// different versions never meet.
pub const LAYOUT_VERSION: u32 = 4;
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
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct SlotSet(pub [AtomicU64; SLOT_WORDS]);

/// A robust mutex: see `mutex.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct MutexWords {
    /// `{ instance: 32 | waiters: 1 | died: 1 | hungry: 1 | 0: 13 | slot+1: 16 }`, see `owner.rs`.
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
    /// Entries from this one on were never used; only grows, before an entry is used. Written under the registry's lock.
    pub entries_used: AtomicU64,
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
    /// Id of the object that this one belongs to and goes with, or 0; and where that one's entry is.
    pub parent: AtomicU64,
    pub parent_index: AtomicU64,
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

impl Control {
    /// Indices of all entries that were ever used.
    pub(crate) fn used_entries(&self) -> std::ops::Range<usize> {
        // Acquire: pairs with the Release in `Registry::enter`.
        0..(self.header.entries_used.load(Ordering::Acquire) as usize).min(OBJECTS)
    }
}

/// `"crossobj"`: the first word of an object that is more than bytes.
pub(crate) const OBJECT_MAGIC: u64 = u64::from_le_bytes(*b"crossobj");

/// First 64 bytes of the segment of a lock, a value and the like. Written whole before the object has its name, and
/// never changed.
#[repr(C)]
pub(crate) struct ObjectHeader {
    pub magic: AtomicU64,
    pub layout: AtomicU32,
    /// As in the registry.
    pub kind: AtomicU32,
    /// Of the domain whose agents the object's words name.
    pub domain_id: AtomicU64,
    /// What the object was made with; each kind has its own.
    pub params: [AtomicU64; 5],
}

/// What each agent has of an object: by slot `{ instance: 32 | count: 32 }`. An entry of another instance than the one
/// that lives in the slot is of a dead agent.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct Table(pub [AtomicU64; TABLE]);

/// Entries of a `Table`.
pub(crate) const TABLE: usize = if cfg!(loom) { 3 } else { AGENTS };

/// Many readers or one writer: see `rwlock.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct RwLockWords {
    /// Held by a writer as long as it writes or waits for the readers to leave, by a reader while it enters.
    pub gate: MutexWords,
    /// 1 while a writer is inside. Written by who holds the gate.
    pub writing: AtomicU32,
    /// 1 since a writer died inside, until a writer says that all is whole. Written by who holds the gate.
    pub torn: AtomicU32,
    /// The writer that waits for the readers to leave.
    pub draining: SlotSet,
    /// How often each agent is inside as a reader. Written by that agent, and cleared by who holds the gate when it is dead.
    pub readers: Table,
}

/// Permits, given out and taken back: see `semaphore.rs`. Everything but `sleepers` changes under `mutex`.
#[repr(C)]
pub(crate) struct SemaphoreWords {
    pub mutex: MutexWords,
    pub sleepers: SlotSet,
    /// Permits there are, free ones and taken ones.
    pub total: AtomicU64,
    /// Sum of `held`; recomputed after a death.
    pub taken: AtomicU64,
    /// 1: somebody slept in vain, newcomers let the sleepers go first.
    pub hungry: AtomicU32,
    _pad: u32,
    pub held: Table,
}

/// A flag that one can wait for: see `event.rs`.
#[repr(C)]
pub(crate) struct EventWords {
    /// `{ times it was set: 31 | is set: 1 }`
    pub state: AtomicU32,
    _pad: u32,
    pub sleepers: SlotSet,
}

/// A mutex to wait without: see `condition.rs`.
#[repr(C)]
pub(crate) struct ConditionWords {
    pub mutex: MutexWords,
    pub sleepers: SlotSet,
    /// `{ instance: 32 | waiting: 16 | notified: 16 }` by slot, `notified <= waiting`.
    pub waiters: Table,
}

/// A meeting point: see `barrier.rs`. Everything but `sleepers` changes under `mutex`.
#[repr(C)]
pub(crate) struct BarrierWords {
    pub mutex: MutexWords,
    pub sleepers: SlotSet,
    /// Meetings that ended, one way or the other.
    pub generation: AtomicU64,
    /// The meeting that `arrived` is of; behind `generation` when a death came before the table was cleared.
    pub arriving: AtomicU64,
    /// Bit `g % 64`: meeting `g` was broken off.
    pub outcomes: AtomicU64,
    /// One more than the last meeting that was broken off, 0 for none.
    pub last_broken: AtomicU64,
    /// 1: broken until somebody resets it.
    pub broken: AtomicU32,
    _pad: u32,
    /// Owner word of the agent that runs the action of this meeting, or 0.
    pub leader: AtomicU64,
    /// Waiters of this meeting.
    pub arrived: Table,
}

/// Cells of the table of named locks.
pub(crate) const CELLS: usize = 8192;
/// Words of a cell.
pub(crate) const CELL: usize = 32;

/// Requests for named locks: see `named_locks.rs`. Everything changes under `mutex`.
#[repr(C)]
pub(crate) struct NamedLocksWords {
    pub mutex: MutexWords,
    /// Of the next request; requests are served in the order of their tickets.
    pub next_ticket: AtomicU64,
    /// Runs of cells, each a request or free. What is known of a run is in the rows from here on, at the place of its first
    /// cell, so that a walk touches little memory: `{ cells: 32 | flags: 24 | state: 8 }`,
    pub heads: [AtomicU64; CELLS],
    /// `{ name hash: 32 | name bytes: 32 }`,
    pub tags: [AtomicU64; CELLS],
    /// owner word,
    pub owners: [AtomicU64; CELLS],
    /// ticket,
    pub tickets: [AtomicU64; CELLS],
    /// and the name, which may fill the run.
    pub names: [[AtomicU64; CELL]; CELLS],
}

/// One agent that sleeps, where there can't be two: its slot + 1, or 0.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct Sleeper(pub AtomicU32);

/// A ring of records with one producer and one consumer: see `spsc.rs`. Positions count units of 8 bytes and only grow,
/// modulo 2^32; `tail - head` is at most the size of the ring.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(crate) struct RingWords {
    /// End of what was pushed. Written by the producer.
    pub tail: AtomicU32,
    _tail: [u32; 31],
    /// End of what was popped. Written by the consumer.
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
    /// Owner word of who has it, 0: nobody.
    pub owner: AtomicU64,
    /// 0, then for ever 1: this end pushes nothing more; once it has no owner, it pops nothing more either. Written by who has it.
    pub closed: AtomicU32,
    _pad: [u32; 13],
}

/// Two ends, and a ring of records towards each of them: see `channel.rs`. The data of the rings is behind these words.
#[repr(C)]
pub(crate) struct ChannelWords {
    pub ends: [EndWords; 2],
    /// `rings[i]`: what end `i` pops, and the other one pushes.
    pub rings: [RingWords; 2],
}

/// Participants of a queue, dead ones that are not reaped yet included.
pub(crate) const PARTICIPANTS: usize = if cfg!(loom) { 3 } else { AGENTS };

/// A queue of any number of producers and consumers: see `mpmc.rs`. Behind these words are the ring's slots, a `u64` each,
/// and the chunks.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C, align(64))]
pub(crate) struct MpmcWords {
    /// Puts that took effect, or one less. Only grows.
    pub tail: AtomicU64,
    /// Where to look first for a free chunk; any value.
    pub hint: AtomicU32,
    _tail: [u32; 29],
    /// Gets whose slot is free again, or one less. Only grows.
    pub head: AtomicU64,
    _head: [u64; 15],
    /// Agents that sleep until there is a message, …
    pub readers: SlotSet,
    /// …a free chunk, …
    pub writers: SlotSet,
    /// …or no unfinished message.
    pub joiners: SlotSet,
    /// 0, then for ever 1: no put begins any more.
    pub ended: AtomicU32,
    _pad: u32,
    /// The failure that was counted last, or is being counted: `{ generation of the claim: 41 | chunk: 23 }`. Written by who
    /// holds `reaper`, as are the next two.
    pub failing: AtomicU64,
    /// `failed` before that failure.
    pub failed_before: AtomicU64,
    /// Messages that readers died of, where that is counted.
    pub failed: AtomicU64,
    /// Who reaps the dead.
    pub reaper: MutexWords,
    /// Owner word of each participant, or 0. Becomes 0 when nothing is claimed in its name any more.
    pub participants: [AtomicU64; PARTICIPANTS],
}

/// What a chunk begins with; its message follows.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct ChunkWords {
    /// `{ generation: 46 | phase: 2 | participant: 16 }`, see `claim.rs`.
    pub claim: AtomicU64,
    /// Bytes of the message.
    pub len: AtomicU32,
    /// `SPILLED`, `REDELIVERED`. With `len` and the message written by who claimed the chunk.
    pub flags: AtomicU32,
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
// SAFETY: as above.
unsafe impl Shared for ObjectHeader {}
// SAFETY: as above.
unsafe impl Shared for MutexWords {}
// SAFETY: as above.
unsafe impl Shared for SlotSet {}
// SAFETY: as above.
unsafe impl Shared for RwLockWords {}
// SAFETY: as above.
unsafe impl Shared for SemaphoreWords {}
// SAFETY: as above.
unsafe impl Shared for EventWords {}
// SAFETY: as above.
unsafe impl Shared for ConditionWords {}
// SAFETY: as above.
unsafe impl Shared for BarrierWords {}
// SAFETY: as above.
unsafe impl Shared for NamedLocksWords {}
// SAFETY: as above.
unsafe impl Shared for Sleeper {}
// SAFETY: as above.
unsafe impl Shared for ChannelWords {}
// SAFETY: as above.
unsafe impl Shared for MpmcWords {}
// SAFETY: as above.
unsafe impl Shared for ChunkWords {}
// SAFETY: an atomic.
unsafe impl Shared for AtomicU64 {}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Header>() <= PAGE as usize);
    assert!(size_of::<AgentSlot>() == 64);
    assert!(size_of::<Entry>() == 448);
    assert!(std::mem::offset_of!(Control, agents) == PAGE as usize);
    assert!(std::mem::offset_of!(Control, tags) == PAGE as usize + AGENTS * 64);
    assert!(std::mem::offset_of!(Control, entries) % 64 == 0);
    assert!(size_of::<GuardWords>() <= PAGE as usize);
    assert!(size_of::<RingWords>() == 384);
    // `src/queue/fast-ring.ts` knows these.
    assert!(size_of::<ObjectHeader>() == 64 && size_of::<ChannelWords>() == 2 * 64 + 2 * 384);
    assert!(std::mem::offset_of!(EndWords, closed) == 8);
    assert!(std::mem::offset_of!(RingWords, head) == 128 && std::mem::offset_of!(RingWords, empty) == 256);
    assert!(std::mem::offset_of!(RingWords, full) == 260);
    assert!(std::mem::offset_of!(MpmcWords, head) == 128);
    assert!(size_of::<MpmcWords>().is_multiple_of(64));
    assert!(size_of::<ChunkWords>() == 16);
    assert!(size_of::<ObjectHeader>() == 64);
    assert!(size_of::<MutexWords>() == 136);
    assert!(std::mem::offset_of!(GuardWords, sequence) == 24);
    assert!(cfg!(target_endian = "little"), "shared words are little-endian");
};
