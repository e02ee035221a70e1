//! A configuration of the queue, and the parts of its steps: ring, claims, and the choice of the
//! next step.

use crate::faults::Fault;
use crate::state::{
    CHUNKS, Free, Owner, PROCESSES, Payload, Phase, Process, Queued, Reading, SLOTS, Seen, Slot, State,
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
            slots: [Slot { lap: 2, chunk: None }; SLOTS],
            owners: [Owner { phase: Free, by: 0 }; CHUNKS],
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

    pub(crate) fn end(self) -> u8 {
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

    pub(crate) fn empty(self, at: u8) -> Slot {
        Slot { lap: at / self.slots, chunk: None }
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
        let owner = Owner { phase, by: if phase == Free { 0 } else { by } };
        s.owners[usize::from(chunk)] = owner;
        if phase == Free {
            *s.payload(chunk) = Payload::Blank;
        }
        for seen in s.processes.iter_mut().filter_map(Process::seen).filter(|seen| seen.chunk == chunk) {
            seen.same = self.has(Fault::NoGeneration) && seen.owner == owner;
        }
    }

    pub(crate) fn next_visit(self, chunk: u8, visited: u8) -> Step {
        let (chunk, visited) = ((chunk + 1) % self.chunks, visited + 1);
        if visited < self.chunks { ClaimLoad { chunk, visited } } else { Idle }
    }

    pub(crate) fn next_reap(self, chunk: u8) -> Step {
        if chunk + 1 < self.chunks { ReapOwner { chunk: chunk + 1 } } else { ReapEntry }
    }

    pub(crate) fn taking(self, at: u8, seen: Seen) -> Step {
        match seen.owner.phase {
            Queued => TakeClaim { at, seen },
            _ if self.has(Fault::NoHelpForClaimed) => TakeHead,
            _ => TakeRemove { at, chunk: seen.chunk, mine: false },
        }
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
