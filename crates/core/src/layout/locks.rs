//! The state of locks.

use super::shared::{AGENTS, Shared, SlotSet};
use crate::sync::{AtomicU32, AtomicU64};

/// A robust mutex: see `mutex.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct MutexWords {
    /// `{ instance: 32 | waiters: 1 | died: 1 | hungry: 1 | 0: 13 | slot+1: 16 }`, see `owner.rs`.
    pub owner: AtomicU64,
    /// Agents that sleep until the mutex is released. A stale bit costs its agent one spurious
    /// wake-up.
    pub sleepers: SlotSet,
}

/// Entries of a `Table`.
pub(crate) const TABLE: usize = if cfg!(loom) { 3 } else { AGENTS };

/// Each agent's share of an object, by slot: `{ instance: 32 | count: 32 }`. If the instance isn't
/// that of the agent in the slot, the entry belongs to a dead agent.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct Table(pub [AtomicU64; TABLE]);

/// Many readers or one writer: see `rwlock.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct RwLockWords {
    /// A writer holds it while it writes or waits for the readers to leave, a reader while it
    /// enters.
    pub gate: MutexWords,
    /// 1 while a writer is inside. Written by the holder of the gate.
    pub writing: AtomicU32,
    /// 1 from the death of a writer inside until a writer marks the data consistent. Written by the
    /// holder of the gate.
    pub torn: AtomicU32,
    /// The writer that waits for the readers to leave.
    pub draining: SlotSet,
    /// How often each agent is inside as a reader. Written by that agent; the holder of the gate
    /// clears it if the agent is dead.
    pub readers: Table,
}

/// Permits, given out and taken back: see `semaphore.rs`. All but `sleepers` changes under `mutex`.
#[repr(C)]
pub(crate) struct SemaphoreWords {
    pub mutex: MutexWords,
    pub sleepers: SlotSet,
    /// All permits, free and taken.
    pub total: AtomicU64,
    /// Sum of `held`; recomputed after a death.
    pub taken: AtomicU64,
    /// 1: a sleeper woke without success, so newcomers let the sleepers go first.
    pub hungry: AtomicU32,
    _pad: u32,
    pub held: Table,
}

/// A flag that agents can wait for: see `event.rs`.
#[cfg_attr(all(loom, test), derive(Default))]
#[repr(C)]
pub(crate) struct EventWords {
    /// `{ times it was set: 31 | is set: 1 }`
    pub state: AtomicU32,
    _pad: u32,
    pub sleepers: SlotSet,
}

/// A mutex, and waiting that releases it for as long as it lasts: see `condition.rs`.
#[repr(C)]
pub(crate) struct ConditionWords {
    pub mutex: MutexWords,
    pub sleepers: SlotSet,
    /// `{ instance: 32 | waiting: 16 | notified: 16 }` by slot, `notified <= waiting`.
    pub waiters: Table,
}

/// A meeting point: see `barrier.rs`. All but `sleepers` changes under `mutex`.
#[repr(C)]
pub(crate) struct BarrierWords {
    pub mutex: MutexWords,
    pub sleepers: SlotSet,
    /// Meetings that have ended, met or broken off.
    pub generation: AtomicU64,
    /// The meeting that `arrived` counts. It is less than `generation` if a process died before it
    /// cleared the table.
    pub arriving: AtomicU64,
    /// Bit `g % 64`: meeting `g` was broken off.
    pub outcomes: AtomicU64,
    /// One more than the last meeting that was broken off, 0 for none.
    pub last_broken: AtomicU64,
    /// 1: broken until an agent resets it.
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

/// Requests for named locks: see `locks/named`. Everything changes under `mutex`.
#[repr(C)]
pub(crate) struct NamedLocksWords {
    pub mutex: MutexWords,
    /// The ticket of the next request. Requests are served in the order of their tickets.
    pub next_ticket: AtomicU64,
    /// Runs of cells, each a request or free. The rows from here on describe a run at the index of
    /// its first cell, so that a walk touches little memory. First `{ cells: 32 | flags: 24 |
    /// state: 8 }`,
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

// SAFETY: repr(C) and atomics (and padding that is never read) throughout, for each of these.
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
