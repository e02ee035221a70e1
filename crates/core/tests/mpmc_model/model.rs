//! A configuration of the queue, and the parts of its steps: ring, claims, and the choice of the
//! next step.

use crate::faults::Fault;
use crate::state::{
    CHUNKS, Free, Owner, PROCESSES, Payload, Phase, Process, Queued, Reading, SLOTS, Slot, State,
    Step::{self, *},
    Writing,
};

/// What a step does to the abstract FIFO.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Effect {
    Internal,
    Linked(u8),
    Claimed(u8),
    Empty,
    Impossible,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) processes: u8,
    pub(crate) chunks: u8,
    pub(crate) slots: u8,
    pub(crate) redeliver: bool,
    /// Whether the queue may be ended.
    pub(crate) ends: bool,
    /// Whether a stopped process may store an old head or tail.
    pub(crate) late: bool,
    pub(crate) fault: Option<Fault>,
}

impl Model {
    pub(crate) fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(crate) fn beginning(self) -> State {
        State {
            head: 2 * self.slots,
            tail: 2 * self.slots,
            slots: [Slot { lap: 1, chunk: None }; SLOTS],
            owners: [Owner { phase: Free, by: 0, at: 0 }; CHUNKS],
            payloads: [Payload::Blank; CHUNKS],
            reaper: None,
            ended: false,
            done: false,
            processes: [Process::new(Idle); PROCESSES],
        }
    }

    // The choices of an idle process: a put that scans from that chunk on, or one of these.
    pub(crate) fn get(self) -> u8 {
        self.chunks
    }

    pub(crate) fn ending(self) -> u8 {
        self.chunks + 1
    }

    pub(crate) fn reap(self, victim: u8) -> u8 {
        self.chunks + 2 + victim
    }

    pub(crate) fn choices(self, step: Step) -> u8 {
        match step {
            Dead => 0,
            Idle => self.reap(self.processes),
            WriteRest { .. } | Read { .. } => 2,
            _ => 1,
        }
    }

    pub(crate) fn slot(self, s: &State, at: u8) -> Slot {
        s.slots[usize::from(at % self.slots)]
    }

    pub(crate) fn filled(self, at: u8, chunk: u8) -> Slot {
        Slot { lap: at / self.slots, chunk: Some(chunk) }
    }

    /// The head or tail `from`, after a process advanced it to `to`.
    pub(crate) fn advanced(self, from: u8, to: u8) -> u8 {
        if self.late { to } else { from.max(to) }
    }

    /// Where the last chunk was linked in the slot of that position.
    pub(crate) fn last(self, s: &State, at: u8) -> u8 {
        self.slot(s, at).lap * self.slots + at % self.slots
    }

    /// The position of the next link.
    pub(crate) fn end(self, s: &State) -> u8 {
        (0..self.slots).map(|slot| self.last(s, slot) + 1).max().unwrap_or(0)
    }

    /// Whether that chunk is linked at the position in its owner word.
    pub(crate) fn is_linked(self, s: &State, chunk: u8) -> bool {
        let Owner { phase, at, .. } = s.owner(chunk);
        phase == Queued && self.slot(s, at) == self.filled(at, chunk)
    }

    pub(crate) fn cas(self, s: &mut State, at: u8, from: Slot, to: Slot) -> bool {
        let slot = &mut s.slots[usize::from(at % self.slots)];
        let same = *slot == from;
        if same {
            *slot = to;
        }
        same
    }

    pub(crate) fn own(self, s: &mut State, chunk: u8, phase: Phase, by: u8) {
        self.set_owner(s, chunk, Owner { phase, by: if phase == Free { 0 } else { by }, at: 0 });
    }

    /// Marks a chunk as queued at that position.
    pub(crate) fn mark(self, s: &mut State, chunk: u8, at: u8, by: u8) {
        self.set_owner(s, chunk, Owner { phase: Queued, by, at });
    }

    fn set_owner(self, s: &mut State, chunk: u8, owner: Owner) {
        s.owners[usize::from(chunk)] = owner;
        if owner.phase == Free {
            *s.payload(chunk) = Payload::Blank;
        }
        // Of positions that are older than every slot, only the slot is kept; no two are the same.
        let comes_back = owner.phase != Queued || !self.is_old(owner.at);
        for seen in s.processes.iter_mut().filter_map(Process::seen).filter(|seen| seen.chunk == chunk) {
            seen.same = seen.owner == owner && comes_back;
        }
    }

    /// Whether a position is older than every slot.
    pub(crate) fn is_old(self, at: u8) -> bool {
        at < self.slots
    }

    pub(crate) fn next_visit(self, chunk: u8, visited: u8) -> Step {
        let (chunk, visited) = ((chunk + 1) % self.chunks, visited + 1);
        if visited < self.chunks { ClaimLoad { chunk, visited } } else { Idle }
    }

    pub(crate) fn next_reap(self, chunk: u8) -> Step {
        if chunk + 1 < self.chunks { ReapOwner { chunk: chunk + 1 } } else { ReapEntry }
    }

    /// Whether a chunk in this phase may still bring a message to an ended queue.
    pub(crate) fn pending(self, phase: Phase) -> bool {
        match phase {
            Free => false,
            Writing => !self.has(Fault::DoneDespiteWriting),
            Queued => !self.has(Fault::DoneDespiteQueued),
            Reading => self.redeliver && !self.has(Fault::DoneDespiteReading),
        }
    }
}
