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

/// An owner word. It has a position in other phases, too, where nothing depends on it: there it is
/// 0, so that a word may come back.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Owner {
    pub(crate) phase: Phase,
    pub(crate) by: u8,
    /// Where a queued chunk is linked, or about to be.
    pub(crate) at: u8,
}

/// The last link in a slot: its lap, and the chunk. No chunk was linked before the first lap.
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

/// An owner word that a process has read. `same` is true while the word is as it was, or is so
/// again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Seen {
    pub(crate) chunk: u8,
    pub(crate) owner: Owner,
    pub(crate) same: bool,
}

/// A chunk that a process links.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Link {
    pub(crate) chunk: u8,
    /// Whether the chunk is queued, at a position that another process took.
    pub(crate) marked: bool,
    /// A reaper marks the chunk only if its owner word is as it was seen.
    pub(crate) seen: Option<Seen>,
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
    LinkTail(Link),
    LinkSlot { at: u8, link: Link },
    LinkMark { at: u8, link: Link },
    LinkCas { chunk: u8, at: u8 },
    LinkMarkLate { chunk: u8, at: u8 },
    LinkAdvance { chunk: u8, at: u8 },
    TakeHead,
    TakeSlot { at: u8 },
    TakeOwner { at: u8, chunk: u8 },
    TakeClaim { at: u8, seen: Seen },
    TakeAdvance { at: u8, mine: Option<u8> },
    Read { chunk: u8 },
    Retire { chunk: u8 },
    RemoveSegment { chunk: u8 },
    Release { chunk: u8 },
    GetEnded,
    DoneScan { chunk: u8 },
    ReapOwner { chunk: u8 },
    ReapSlot { seen: Seen },
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
            | RemoveSegment { chunk } => Some((chunk, Writing)),
            LinkTail(link) | LinkSlot { link, .. } | LinkMark { link, .. } => {
                let phase = if link.marked { Queued } else { Writing };
                link.seen.is_none().then_some((link.chunk, phase))
            }
            LinkCas { chunk, .. } => Some((chunk, Queued)),
            TakeAdvance { mine: Some(chunk), .. } | Read { chunk } | Retire { chunk } | Release { chunk } => {
                Some((chunk, Reading))
            }
            _ => None,
        }
    }

    pub(crate) fn seen(&mut self) -> Option<&mut Seen> {
        match &mut self.step {
            ClaimCas { seen, .. } | TakeClaim { seen, .. } | ReapSlot { seen, .. } | ReapCas { seen } => {
                Some(seen)
            }
            LinkTail(link) | LinkSlot { link, .. } | LinkMark { link, .. } => link.seen.as_mut(),
            _ => None,
        }
    }

    pub(crate) fn position(&mut self) -> Option<&mut u8> {
        match &mut self.step {
            LinkSlot { at, .. }
            | LinkMark { at, .. }
            | LinkCas { at, .. }
            | LinkMarkLate { at, .. }
            | LinkAdvance { at, .. }
            | TakeSlot { at }
            | TakeOwner { at, .. }
            | TakeClaim { at, .. }
            | TakeAdvance { at, .. } => Some(at),
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
}
