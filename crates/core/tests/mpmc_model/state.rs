//! The state that processes share, and what each process remembers.

pub(crate) const PROCESSES: usize = 3;
pub(crate) const CHUNKS: usize = 2;
pub(crate) const SLOTS: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    Free,
    Writing,
    Queued,
    Reading,
}
pub(crate) use Phase::{Free, Queued, Reading, Writing};

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Owner {
    pub(crate) phase: Phase,
    pub(crate) by: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Slot {
    pub(crate) lap: u8,
    pub(crate) chunk: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Payload {
    Blank,
    Half,
    Whole,
}

/// An owner word that a process has read. `same` is true while the word has not changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Seen {
    pub(crate) chunk: u8,
    pub(crate) owner: Owner,
    pub(crate) same: bool,
}

/// The next access of a process, and what it remembers for it. `at` is a head or tail that it has
/// read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Step {
    Idle,
    Dead,
    ClaimLoad { chunk: u8, visited: u8 },
    ClaimCas { seen: Seen, visited: u8 },
    PutEnded { chunk: u8 },
    WriteHalf { chunk: u8 },
    WriteRest { chunk: u8 },
    Cancel { chunk: u8 },
    Queue { chunk: u8 },
    LinkTail { chunk: u8 },
    LinkSlot { chunk: u8, at: u8 },
    LinkCas { chunk: u8, at: u8 },
    LinkQueue { chunk: u8, at: u8 },
    LinkAdvance { chunk: u8, at: u8, linked: bool },
    TakeHead,
    TakeSlot { at: u8 },
    TakeOwner { at: u8, chunk: u8 },
    TakeAgain { at: u8, seen: Seen },
    TakeClaim { at: u8, seen: Seen },
    TakeFree { at: u8, chunk: u8 },
    TakeRemove { at: u8, chunk: u8, mine: bool },
    TakeAdvance { at: u8, mine: Option<u8> },
    Read { chunk: u8 },
    Retire { chunk: u8 },
    RemoveSegment { chunk: u8 },
    Release { chunk: u8 },
    GetEnded,
    DoneScan { chunk: u8 },
    ReapOwner { chunk: u8 },
    ReapHead { seen: Seen },
    ReapSlot { at: u8, seen: Seen },
    ReapRemove { at: u8, seen: Seen },
    ReapAdvance { at: u8, seen: Seen },
    ReapScan { seen: Seen, slot: u8 },
    ReapCas { seen: Seen },
    ReapEntry,
    Unlock,
}
use Step::*;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Process {
    pub(crate) step: Step,
    /// The dead process that it reaps.
    pub(crate) victim: Option<u8>,
}

impl Process {
    pub(crate) const fn new(step: Step) -> Self {
        Self { step, victim: None }
    }

    pub(crate) fn holds(self) -> Option<(u8, Phase)> {
        match self.step {
            PutEnded { chunk }
            | WriteHalf { chunk }
            | WriteRest { chunk }
            | Cancel { chunk }
            | Queue { chunk }
            | RemoveSegment { chunk } => Some((chunk, Writing)),
            LinkTail { chunk }
            | LinkSlot { chunk, .. }
            | LinkCas { chunk, .. }
            | LinkAdvance { chunk, linked: false, .. } => Some((chunk, Queued)),
            TakeFree { chunk, .. }
            | TakeRemove { chunk, mine: true, .. }
            | TakeAdvance { mine: Some(chunk), .. }
            | Read { chunk }
            | Retire { chunk }
            | Release { chunk } => Some((chunk, Reading)),
            _ => None,
        }
    }

    pub(crate) fn seen(&mut self) -> Option<&mut Seen> {
        match &mut self.step {
            ClaimCas { seen, .. }
            | TakeAgain { seen, .. }
            | TakeClaim { seen, .. }
            | ReapHead { seen }
            | ReapSlot { seen, .. }
            | ReapRemove { seen, .. }
            | ReapAdvance { seen, .. }
            | ReapScan { seen, .. }
            | ReapCas { seen } => Some(seen),
            _ => None,
        }
    }

    pub(crate) fn position(&mut self) -> Option<&mut u8> {
        match &mut self.step {
            LinkSlot { at, .. }
            | LinkCas { at, .. }
            | LinkQueue { at, .. }
            | LinkAdvance { at, .. }
            | TakeSlot { at }
            | TakeOwner { at, .. }
            | TakeAgain { at, .. }
            | TakeClaim { at, .. }
            | TakeFree { at, .. }
            | TakeRemove { at, .. }
            | TakeAdvance { at, .. }
            | ReapSlot { at, .. }
            | ReapRemove { at, .. }
            | ReapAdvance { at, .. } => Some(at),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct State {
    pub(crate) head: u8,
    pub(crate) tail: u8,
    pub(crate) slots: [Slot; SLOTS],
    pub(crate) owners: [Owner; CHUNKS],
    pub(crate) payloads: [Payload; CHUNKS],
    /// The process that holds the mutex of reapers.
    pub(crate) reaper: Option<u8>,
    pub(crate) ended: bool,
    pub(crate) done: bool,
    pub(crate) processes: [Process; PROCESSES],
}

impl State {
    pub(crate) fn step(&self, id: u8) -> Step {
        self.processes[usize::from(id)].step
    }

    pub(crate) fn dead(&self, id: u8) -> bool {
        self.step(id) == Dead
    }

    pub(crate) fn owner(&self, chunk: u8) -> Owner {
        self.owners[usize::from(chunk)]
    }

    pub(crate) fn look(&self, chunk: u8) -> Seen {
        Seen { chunk, owner: self.owner(chunk), same: true }
    }

    pub(crate) fn payload(&mut self, chunk: u8) -> &mut Payload {
        &mut self.payloads[usize::from(chunk)]
    }

    pub(crate) fn slots_with(&self, chunk: u8) -> usize {
        self.slots.iter().filter(|slot| slot.chunk == Some(chunk)).count()
    }
}
