//! The words of locks.

use super::shared::{AGENTS, Shared, SlotSet};
use crate::sync::{AtomicU32, AtomicU64};

/// A robust mutex: see `mutex.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct MutexWords {
    /// `{ instance: 32 | waiters: 1 | died: 1 | hungry: 1 | 0: 13 | slot+1: 16 }`, see `owner.rs`.
    pub owner: AtomicU64,
    /// Agents that sleep until the mutex is released; a stale bit costs its agent one spurious wake-up.
    pub sleepers: SlotSet,
}

/// Entries of a `Table`.
pub(crate) const TABLE: usize = if cfg!(loom) { 3 } else { AGENTS };

/// What each agent has of an object: by slot `{ instance: 32 | count: 32 }`. An entry of another instance than the one
/// that lives in the slot is of a dead agent.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct Table(pub [AtomicU64; TABLE]);

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

// SAFETY: repr(C) and atomics (and padding that nobody reads) throughout, for each of these.
unsafe impl Shared for MutexWords {}
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

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<MutexWords>() == 136);
};
