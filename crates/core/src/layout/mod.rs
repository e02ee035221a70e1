//! Every struct that lives in shared memory, stated once and asserted.
//!
//! All fields are little-endian atomics, each accessed at one width only. Any bits that another
//! process may leave in a field are a value of its type, so a reference to such a struct is always
//! sound. The code that uses a value checks that it makes sense.

mod array;
mod control;
mod geometry;
mod javascript;
mod kind;
mod locks;
mod object;
mod owner;
mod queues;
mod record_queue;
mod shared;

pub(crate) use array::GuardWords;
#[cfg(windows)]
pub(crate) use control::AgentSlot;
pub(crate) use control::{BLOCK, Control, Doorbell, ENTRIES_AT, Entry, control_size};
pub(crate) use geometry::{ARENA_BYTES, ChannelGeometry, QueueGeometry, SPILL_BYTES, spills};
pub use javascript::offsets;
pub use kind::Kind;
pub(crate) use locks::{
    BarrierWords, CELL, CELLS, ConditionWords, EventWords, MutexWords, NamedLocksWords, RwLockWords,
    SemaphoreWords, TABLE, Table,
};
pub use object::{DATA_OFFSET, MAP_DATA_OFFSET, PARAMS};
pub(crate) use object::{MAP_SIZE_AT, ObjectHeader, WORDS};
pub(crate) use owner::{DIED, HUNGRY, Owner, WAITERS};
pub use queues::queue_flags;
pub(crate) use queues::{
    ChannelWords, ChunkWords, EndWords, INDEX_BITS, MpmcWords, PARTICIPANTS, POSITION_MASK, RingWords,
    STRUCTURES_BYTES, Sleeper, StructuresWords, UNIT,
};
pub use record_queue::DESCRIPTION_OFFSET;
pub(crate) use record_queue::{RecordEndWords, RecordGeometry, RecordQueueWords};
pub use shared::{AGENTS, LAYOUT_VERSION, OBJECTS, PAGE};
pub(crate) use shared::{CONTROL_MAGIC, GUARD_MAGIC, OBJECT_MAGIC, SLOT_WORDS, Shared, SlotSet};

const _: () = assert!(cfg!(target_endian = "little"), "shared words are little-endian");
