//! An explicit-state model of the MPMC queue, under sequential consistency.
//!
//! Every interleaving of a few processes is explored, one shared access at a time, with no bound on the number of
//! operations or of deaths. An idle process may begin a put (its claim scan from any chunk; half written, it may be
//! cancelled), a get, the reap of a dead process, or the end of the queue. Any process but the last may die before
//! any access; its id is used again after its reap. Of laps and positions only the distance from the head matters,
//! and of a generation only whether the owner word is still the one that was read: so the states are finitely many.
//! Of those that differ just in the names of processes one is kept.
//!
//! Asserted on every transition: the abstract FIFO (linked, not yet claimed) changes only by a link, at its back, and
//! by a claim, at its front; EMPTY is returned only when it is empty; once a reader has concluded that an ended queue
//! is done, nothing is linked. In every state:
//!
//! * A chunk is in at most one slot, and in none unless it is queued or being taken. It is free, queued, or held by a
//!   dead process or by one that knows it, hence never leaked. Queued or taken, it is wholly written.
//! * Head and tail are within one ring of each other, and a link always has room.
//! * Each live process alone, the dead unreaped, completes its operation and then any other. When it has reaped the
//!   dead, the queue holds exactly the messages due, drains, and takes as many as there are chunks less those that
//!   other live processes hold (ended, it is done, unless one of those may still bring a message).
//!
//! [`Fault`] lists what the algorithm cannot do without; the model finds each. That a reap changes the owner word of
//! a chunk that the dead held by a CAS is not among them: under the mutex nobody else changes it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;

const PROCESSES: usize = 3;
const CHUNKS: usize = 2;
const SLOTS: usize = 4;
/// How processes may be renamed; the first two are for two of them.
const NAMES: [[u8; PROCESSES]; 6] = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
/// More accesses than any operation needs that runs alone.
const ALONE: usize = 64;

type Violation = &'static str;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Phase {
    Free,
    Writing,
    Queued,
    Reading,
}
use Phase::{Free, Queued, Reading, Writing};

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Owner {
    phase: Phase,
    by: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Slot {
    lap: u8,
    chunk: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Payload {
    Blank,
    Half,
    Whole,
}

/// An owner word that a process has read; `same` while it has not changed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Seen {
    chunk: u8,
    owner: Owner,
    same: bool,
}

/// The access that a process performs next, and what it remembers for it; `at` is a head or tail that it has read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Step {
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
struct Process {
    step: Step,
    /// Whom it reaps.
    victim: Option<u8>,
}

impl Process {
    const fn new(step: Step) -> Self {
        Self { step, victim: None }
    }

    fn holds(self) -> Option<(u8, Phase)> {
        match self.step {
            PutEnded { chunk }
            | WriteHalf { chunk }
            | WriteRest { chunk }
            | Cancel { chunk }
            | Queue { chunk } => Some((chunk, Writing)),
            LinkTail { chunk }
            | LinkSlot { chunk, .. }
            | LinkCas { chunk, .. }
            | LinkAdvance { chunk, linked: false, .. } => Some((chunk, Queued)),
            TakeFree { chunk, .. }
            | TakeRemove { chunk, mine: true, .. }
            | TakeAdvance { mine: Some(chunk), .. }
            | Read { chunk }
            | Release { chunk } => Some((chunk, Reading)),
            _ => None,
        }
    }

    fn seen(&mut self) -> Option<&mut Seen> {
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

    fn position(&mut self) -> Option<&mut u8> {
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
struct State {
    head: u8,
    tail: u8,
    slots: [Slot; SLOTS],
    owners: [Owner; CHUNKS],
    payloads: [Payload; CHUNKS],
    /// Who holds the reap mutex.
    reaper: Option<u8>,
    ended: bool,
    done: bool,
    processes: [Process; PROCESSES],
}

impl State {
    fn step(&self, id: u8) -> Step {
        self.processes[usize::from(id)].step
    }

    fn dead(&self, id: u8) -> bool {
        self.step(id) == Dead
    }

    fn owner(&self, chunk: u8) -> Owner {
        self.owners[usize::from(chunk)]
    }

    fn look(&self, chunk: u8) -> Seen {
        Seen { chunk, owner: self.owner(chunk), same: true }
    }

    fn payload(&mut self, chunk: u8) -> &mut Payload {
        &mut self.payloads[usize::from(chunk)]
    }

    fn slots_with(&self, chunk: u8) -> usize {
        self.slots.iter().filter(|slot| slot.chunk == Some(chunk)).count()
    }
}

/// What a step means to the abstract queue.
#[derive(Clone, Copy, PartialEq)]
enum Effect {
    Internal,
    Linked(u8),
    Claimed(u8),
    Empty,
    Impossible,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    TakeWithoutSecondLook,
    NoGeneration,
    NoHelpForClaimed,
    NoTailHelp,
    NoHeadHelp,
    LinkBeforeQueued,
    SlotLeftToHelpers,
    FreeBeforeRemoval,
    ReapWithoutScan,
    ReapStoresQueued,
    ReapLeavesSlot,
    /// Harms only the bound on tail - head.
    ReapLeavesHead,
    ReapWithoutMutex,
    EndedLoadBeforeClaim,
    DoneDespiteWriting,
    DoneDespiteQueued,
    DoneDespiteReading,
}

#[derive(Clone, Copy, Debug)]
struct Model {
    processes: u8,
    chunks: u8,
    slots: u8,
    redeliver: bool,
    /// Whether the queue may be ended.
    ends: bool,
    fault: Option<Fault>,
}

impl Model {
    fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn initial(self) -> State {
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

    // What an idle process may begin: a put, from any chunk, or
    fn get(self) -> u8 {
        self.chunks
    }

    fn end(self) -> u8 {
        self.chunks + 1
    }

    fn reap(self, victim: u8) -> u8 {
        self.chunks + 2 + victim
    }

    fn choices(self, step: Step) -> u8 {
        match step {
            Dead => 0,
            Idle => self.reap(self.processes),
            WriteRest { .. } => 2,
            _ => 1,
        }
    }

    fn slot(self, s: &State, at: u8) -> Slot {
        s.slots[usize::from(at % self.slots)]
    }

    fn filled(self, at: u8, chunk: u8) -> Slot {
        Slot { lap: at / self.slots, chunk: Some(chunk) }
    }

    fn empty(self, at: u8) -> Slot {
        Slot { lap: at / self.slots, chunk: None }
    }

    fn cas(self, s: &mut State, at: u8, from: Slot, to: Slot) -> bool {
        let slot = &mut s.slots[usize::from(at % self.slots)];
        let same = *slot == from;
        if same {
            *slot = to;
        }
        same
    }

    fn own(self, s: &mut State, chunk: u8, phase: Phase, by: u8) {
        let owner = Owner { phase, by: if phase == Free { 0 } else { by } };
        s.owners[usize::from(chunk)] = owner;
        if phase == Free {
            *s.payload(chunk) = Payload::Blank;
        }
        for seen in s.processes.iter_mut().filter_map(Process::seen).filter(|seen| seen.chunk == chunk) {
            seen.same = self.has(Fault::NoGeneration) && seen.owner == owner;
        }
    }

    fn next_visit(self, chunk: u8, visited: u8) -> Step {
        let (chunk, visited) = ((chunk + 1) % self.chunks, visited + 1);
        if visited < self.chunks { ClaimLoad { chunk, visited } } else { Idle }
    }

    fn next_reap(self, chunk: u8) -> Step {
        if chunk + 1 < self.chunks { ReapOwner { chunk: chunk + 1 } } else { ReapEntry }
    }

    fn taking(self, at: u8, seen: Seen) -> Step {
        match seen.owner.phase {
            Queued => TakeClaim { at, seen },
            _ if self.has(Fault::NoHelpForClaimed) => TakeHead,
            _ => TakeRemove { at, chunk: seen.chunk, mine: false },
        }
    }

    /// May a chunk in this phase still bring a message to an ended queue?
    fn pending(self, phase: Phase) -> bool {
        match phase {
            Free => false,
            Writing => !self.has(Fault::DoneDespiteWriting),
            Queued => !self.has(Fault::DoneDespiteQueued),
            Reading => self.redeliver && !self.has(Fault::DoneDespiteReading),
        }
    }

    /// An idle process begins something, with its first access.
    fn begin(self, s: &mut State, me: u8, choice: u8) -> Result<Effect, Violation> {
        let early = self.has(Fault::EndedLoadBeforeClaim);
        let process = &mut s.processes[usize::from(me)];
        if choice < self.chunks && !(early && s.ended) {
            process.step = ClaimLoad { chunk: choice, visited: 0 };
            return self.step(s, me, 0);
        } else if choice == self.get() {
            process.step = TakeHead;
            return self.step(s, me, 0);
        } else if choice == self.end() && self.ends && !s.ended {
            s.ended = true;
            return Ok(Effect::Internal);
        } else if choice > self.end() {
            let victim = choice - self.reap(0);
            if s.dead(victim) && s.reaper.is_none_or(|p| s.dead(p)) {
                s.reaper = (!self.has(Fault::ReapWithoutMutex)).then_some(me);
                s.processes[usize::from(me)] = Process { step: ReapOwner { chunk: 0 }, victim: Some(victim) };
                return Ok(Effect::Internal);
            }
        }
        Ok(Effect::Impossible)
    }

    /// Performs the next access of process `me`.
    #[allow(clippy::too_many_lines)]
    fn step(self, s: &mut State, me: u8, choice: u8) -> Result<Effect, Violation> {
        let Process { step, victim } = s.processes[usize::from(me)];
        let mut effect = Effect::Internal;
        let next = match step {
            Idle => return self.begin(s, me, choice),
            Dead => return Ok(Effect::Impossible),

            ClaimLoad { chunk, visited } if s.owner(chunk).phase == Free => {
                ClaimCas { seen: s.look(chunk), visited }
            }
            ClaimLoad { chunk, visited } => self.next_visit(chunk, visited),
            ClaimCas { seen: Seen { chunk, same: true, .. }, .. } => {
                self.own(s, chunk, Writing, me);
                let check = self.ends && !self.has(Fault::EndedLoadBeforeClaim);
                if check { PutEnded { chunk } } else { WriteHalf { chunk } }
            }
            ClaimCas { seen, visited } => self.next_visit(seen.chunk, visited),
            PutEnded { chunk } if s.ended => Cancel { chunk },
            PutEnded { chunk } => WriteHalf { chunk },
            WriteHalf { chunk } => {
                *s.payload(chunk) = Payload::Half;
                WriteRest { chunk }
            }
            WriteRest { chunk } if choice == 1 => Cancel { chunk },
            WriteRest { chunk } => {
                if std::mem::replace(s.payload(chunk), Payload::Whole) != Payload::Half {
                    return Err("a payload changes while it is written");
                }
                if self.has(Fault::LinkBeforeQueued) { LinkTail { chunk } } else { Queue { chunk } }
            }
            Queue { chunk } => {
                self.own(s, chunk, Queued, me);
                LinkTail { chunk }
            }

            LinkTail { chunk } => LinkSlot { chunk, at: s.tail },
            LinkSlot { chunk, at } => match self.slot(s, at) {
                slot if slot == self.empty(at) => LinkCas { chunk, at },
                slot if slot.lap < at / self.slots => return Err("a link has no room"),
                slot if slot.lap == at / self.slots || slot == self.empty(at + self.slots) => {
                    let help = LinkAdvance { chunk, at, linked: false };
                    if self.has(Fault::NoTailHelp) { LinkTail { chunk } } else { help }
                }
                _ => LinkTail { chunk },
            },
            LinkCas { chunk, at } if self.cas(s, at, self.empty(at), self.filled(at, chunk)) => {
                effect = Effect::Linked(chunk);
                let late = self.has(Fault::LinkBeforeQueued);
                if late { LinkQueue { chunk, at } } else { LinkAdvance { chunk, at, linked: true } }
            }
            LinkCas { chunk, .. } => LinkTail { chunk },
            LinkQueue { chunk, at } => {
                self.own(s, chunk, Queued, me);
                LinkAdvance { chunk, at, linked: true }
            }
            LinkAdvance { chunk, at, linked } => {
                s.tail += u8::from(s.tail == at);
                match victim {
                    _ if !linked => LinkTail { chunk },
                    Some(_) => self.next_reap(chunk),
                    None => Idle,
                }
            }

            TakeHead => TakeSlot { at: s.head },
            TakeSlot { at } => match self.slot(s, at) {
                slot if slot == self.empty(at) => {
                    effect = Effect::Empty;
                    if self.ends { GetEnded } else { Idle }
                }
                Slot { lap, .. } if lap == at / self.slots + 1 && !self.has(Fault::NoHeadHelp) => {
                    TakeAdvance { at, mine: None }
                }
                Slot { lap, chunk: Some(chunk) } if lap == at / self.slots => TakeOwner { at, chunk },
                _ => TakeHead,
            },
            TakeOwner { at, chunk } => {
                let seen = s.look(chunk);
                if self.has(Fault::TakeWithoutSecondLook) {
                    self.taking(at, seen)
                } else {
                    TakeAgain { at, seen }
                }
            }
            TakeAgain { at, seen } if self.slot(s, at) == self.filled(at, seen.chunk) => {
                self.taking(at, seen)
            }
            TakeClaim { at, seen: Seen { chunk, same: true, .. } } => {
                self.own(s, chunk, Reading, me);
                effect = Effect::Claimed(chunk);
                match self.fault {
                    Some(Fault::SlotLeftToHelpers) => Read { chunk },
                    Some(Fault::FreeBeforeRemoval) => TakeFree { at, chunk },
                    _ => TakeRemove { at, chunk, mine: true },
                }
            }
            TakeAgain { .. } | TakeClaim { .. } => TakeHead,
            TakeFree { at, chunk } => {
                self.own(s, chunk, Free, me);
                TakeRemove { at, chunk, mine: false }
            }
            TakeRemove { at, chunk, mine } => {
                self.cas(s, at, self.filled(at, chunk), self.empty(at + self.slots));
                TakeAdvance { at, mine: mine.then_some(chunk) }
            }
            TakeAdvance { at, mine } => {
                s.head += u8::from(s.head == at);
                mine.map_or(TakeHead, |chunk| Read { chunk })
            }
            Read { chunk } if *s.payload(chunk) == Payload::Whole => Release { chunk },
            Read { .. } => return Err("a torn or a consumed payload is read"),
            Cancel { chunk } | Release { chunk } => {
                self.own(s, chunk, Free, me);
                Idle
            }
            GetEnded if s.ended => DoneScan { chunk: 0 },
            DoneScan { chunk } if !self.pending(s.owner(chunk).phase) => {
                let last = chunk + 1 == self.chunks;
                s.done |= last;
                if last { Idle } else { DoneScan { chunk: chunk + 1 } }
            }
            GetEnded | DoneScan { .. } => Idle,

            ReapOwner { chunk } => {
                let seen = s.look(chunk);
                match seen.owner.phase {
                    phase if phase == Free || Some(seen.owner.by) != victim => self.next_reap(chunk),
                    Reading if !self.has(Fault::ReapLeavesSlot) => ReapHead { seen },
                    Queued if !self.has(Fault::ReapWithoutScan) => ReapScan { seen, slot: 0 },
                    _ => ReapCas { seen },
                }
            }
            ReapHead { seen } => ReapSlot { at: s.head, seen },
            ReapSlot { at, seen } => match self.slot(s, at) {
                slot if slot == self.filled(at, seen.chunk) => ReapRemove { at, seen },
                Slot { lap, .. } if lap == at / self.slots + 1 && !self.has(Fault::ReapLeavesHead) => {
                    ReapAdvance { at, seen }
                }
                _ => ReapCas { seen },
            },
            ReapRemove { at, seen } => {
                self.cas(s, at, self.filled(at, seen.chunk), self.empty(at + self.slots));
                ReapAdvance { at, seen }
            }
            ReapAdvance { at, seen } => {
                s.head += u8::from(s.head == at);
                ReapCas { seen }
            }
            ReapScan { seen, slot } if self.slot(s, slot).chunk == Some(seen.chunk) => {
                self.next_reap(seen.chunk)
            }
            ReapScan { seen, slot } if slot + 1 < self.slots => ReapScan { seen, slot: slot + 1 },
            ReapScan { seen, .. } => ReapCas { seen },
            ReapCas { seen: Seen { chunk, owner, same } } => {
                let stores = owner.phase == Queued && self.has(Fault::ReapStoresQueued);
                let again = owner.phase == Queued || owner.phase == Reading && self.redeliver;
                if !same && !stores {
                    self.next_reap(chunk)
                } else if again {
                    self.own(s, chunk, Queued, me);
                    LinkTail { chunk }
                } else {
                    self.own(s, chunk, Free, me);
                    self.next_reap(chunk)
                }
            }
            ReapEntry => {
                let victim = &mut s.processes[usize::from(victim.unwrap_or(me))];
                if victim.step == Dead {
                    *victim = Process::new(Idle);
                }
                Unlock
            }
            Unlock => {
                s.reaper = None;
                Idle
            }
        };
        s.processes[usize::from(me)] =
            Process { step: next, victim: if next == Idle { None } else { victim } };
        self.rebase(s);
        Ok(effect)
    }

    /// Keeps the head in the third lap; a position that is older than every slot becomes 0.
    fn rebase(self, s: &mut State) {
        let laps = s.head / self.slots - 2;
        let back = laps * self.slots;
        (s.head, s.tail) = (s.head - back, s.tail - back);
        for slot in &mut s.slots[..usize::from(self.slots)] {
            slot.lap -= laps;
        }
        for at in s.processes.iter_mut().filter_map(Process::position) {
            *at = at.saturating_sub(back);
            *at = if *at < self.slots { 0 } else { *at };
        }
    }

    /// Linked and not yet claimed.
    fn fifo(self, s: &State) -> Result<Vec<u8>, Violation> {
        let claimed = |chunk: u8| s.owner(chunk).phase != Queued;
        let first = self.slot(s, s.head);
        let taking = first.chunk.is_some_and(|chunk| first == self.filled(s.head, chunk) && claimed(chunk));
        let front = s.head + u8::from(taking || first.lap == s.head / self.slots + 1);
        let linked =
            |&at: &u8| self.slot(s, at).chunk.filter(|&chunk| self.slot(s, at) == self.filled(at, chunk));
        let fifo: Vec<u8> = (front..front + self.slots).map_while(|at| linked(&at)).collect();
        let full = s.slots.iter().filter(|slot| slot.chunk.is_some()).count();
        if full != fifo.len() + usize::from(taking) || fifo.iter().any(|&chunk| claimed(chunk)) {
            return Err("a full slot outside the queue, or a claimed one behind the front");
        }
        Ok(fifo)
    }

    /// What holds of a transition, and of the state after it.
    fn check(self, before: &State, effect: Effect, s: &State) -> Result<(), Violation> {
        let mut fifo = self.fifo(before)?;
        match effect {
            Effect::Linked(_) if before.done => return Err("a message is linked after the queue was done"),
            Effect::Linked(chunk) => fifo.push(chunk),
            Effect::Claimed(chunk) if fifo.first() != Some(&chunk) => return Err("a claim not at the front"),
            Effect::Claimed(_) => drop(fifo.remove(0)),
            Effect::Empty if !fifo.is_empty() => return Err("EMPTY, but it is not"),
            _ => (),
        }
        if self.fifo(s)? != fifo {
            return Err("the queue changes by other than a link or a claim");
        } else if s.tail + 1 < s.head || s.tail > s.head + self.slots {
            return Err("head and tail are too far apart");
        }
        for (chunk, owner) in (0..self.chunks).zip(s.owners) {
            let (phase, slots) = (owner.phase, s.slots_with(chunk));
            let settled = phase == Free || phase == Queued && slots == 1 || s.dead(owner.by);
            if slots > usize::from(phase == Queued || phase == Reading) {
                return Err("a chunk in two slots, or in one while it is free or written");
            } else if (phase == Queued || phase == Reading)
                && s.payloads[usize::from(chunk)] != Payload::Whole
            {
                return Err("a torn or a consumed payload is queued or taken");
            } else if !settled && s.processes[usize::from(owner.by)].holds() != Some((chunk, phase)) {
                return Err("a chunk is leaked: its holder does not know it");
            }
        }
        for (by, process) in (0..).zip(s.processes) {
            let keeps = |(chunk, phase)| {
                s.owner(chunk) == Owner { phase, by } && (phase != Queued || s.slots_with(chunk) == 0)
            };
            if !process.holds().is_none_or(keeps) {
                return Err("a live process's chunk is taken from it");
            }
        }
        Ok(())
    }

    /// Process `me` takes one step, with this choice, and runs alone until it is idle.
    fn alone(self, s: &mut State, me: u8, choice: u8) -> Result<(), Violation> {
        self.step(s, me, choice)?;
        for _ in 0..ALONE {
            if s.step(me) == Idle {
                return Ok(());
            }
            self.step(s, me, 0)?;
        }
        Err("a process that runs alone does not complete")
    }

    /// Process `me` alone completes, reaps all the dead, drains and refills the queue.
    fn recover(self, mut s: State, me: u8) -> Result<(), Violation> {
        if s.step(me) != Idle {
            self.alone(&mut s, me, 0)?;
        }
        for choice in 0..=self.get() {
            self.alone(&mut s.clone(), me, choice)?;
        }
        if s.reaper.is_some_and(|p| !s.dead(p)) {
            return Ok(());
        }
        let (mut due, mut held, mut pending) = (self.fifo(&s)?, 0, false);
        for (chunk, Owner { phase, by }) in
            (0..self.chunks).zip(s.owners).filter(|(_, owner)| owner.phase != Free)
        {
            let again = phase == Queued || phase == Reading && self.redeliver;
            if s.processes[usize::from(by)].holds().is_some_and(|(held, _)| held == chunk) {
                held += 1;
                pending |= self.pending(phase);
            } else if s.dead(by) && again && !due.contains(&chunk) {
                due.push(chunk);
            }
        }
        for victim in (0..self.processes).filter(|&p| s.dead(p)).collect::<Vec<_>>() {
            self.alone(&mut s, me, self.reap(victim))?;
        }
        let mut queued = self.fifo(&s)?;
        queued.sort_unstable();
        due.sort_unstable();
        if queued != due {
            return Err("a reap loses a message, or makes one up");
        }
        for choice in [self.get(); CHUNKS + 1].into_iter().chain(0..self.chunks) {
            if choice == 0 && !self.fifo(&s)?.is_empty() {
                return Err("the queue does not drain");
            }
            self.alone(&mut s, me, choice)?;
        }
        match self.fifo(&s)?.len() {
            0 if s.ended && (s.done || pending) => Ok(()),
            _ if s.ended => Err("an ended queue takes a message, or is not done when it could be"),
            filled if filled + held == usize::from(self.chunks) => Ok(()),
            _ => Err("capacity is lost"),
        }
    }

    /// The least of the states that differ from this in the names of processes only.
    fn canonical(self, s: &State) -> State {
        let renamed = |names: &[u8; PROCESSES]| {
            let mut renamed = *s;
            let name = |id: u8| names[usize::from(id)];
            let rename = |owner: &mut Owner| owner.by = if owner.phase == Free { 0 } else { name(owner.by) };
            renamed.owners.iter_mut().for_each(rename);
            renamed.reaper = s.reaper.map(name);
            for (id, mut process) in (0..).zip(s.processes) {
                process.victim = process.victim.map(name);
                if let Some(seen) = process.seen() {
                    rename(&mut seen.owner);
                    if !self.has(Fault::NoGeneration) {
                        seen.owner.by = 0;
                    }
                }
                renamed.processes[usize::from(name(id))] = process;
            }
            renamed
        };
        let count = if self.processes == 2 { 2 } else { NAMES.len() };
        NAMES[..count].iter().map(renamed).min().unwrap_or(*s)
    }

    /// All transitions from a state: who moves, whether by choice, the state after it and what is wrong.
    fn transitions(self, s: &State) -> Vec<(u8, bool, State, Result<(), Violation>)> {
        let mut all = Vec::new();
        let live: Vec<u8> = (0..self.processes).filter(|&p| !s.dead(p)).collect();
        for &me in &live {
            let choices = self.choices(s.step(me));
            for choice in 0..choices {
                let mut after = *s;
                match self.step(&mut after, me, choice) {
                    Ok(Effect::Impossible) => (),
                    Ok(effect) => all.push((me, choices > 1, after, self.check(s, effect, &after))),
                    Err(wrong) => all.push((me, true, after, Err(wrong))),
                }
            }
            if live.len() > 1 {
                let mut after = *s;
                after.processes[usize::from(me)] = Process::new(Dead);
                all.push((me, true, after, Ok(())));
            }
        }
        all
    }

    /// Explores, breadth first, every state that can be reached; the number of them, or a violation and its story.
    fn explore(self) -> Result<usize, String> {
        let mut before = HashMap::from([(self.canonical(&self.initial()), None)]);
        let (mut level, mut next) = (vec![self.canonical(&self.initial())], Vec::new());
        while !level.is_empty() {
            for s in level.drain(..) {
                for (mover, chose, after, mut verdict) in self.transitions(&s) {
                    let canonical = self.canonical(&after);
                    if let Entry::Vacant(entry) = before.entry(canonical) {
                        entry.insert(Some(s));
                        next.push(canonical);
                        // by the mover the run alone from `s` has been checked, and this goes on with it
                        for p in (0..self.processes).filter(|&p| !after.dead(p) && (p != mover || chose)) {
                            verdict = verdict.and_then(|()| self.recover(after, p));
                        }
                    }
                    verdict.map_err(|wrong| self.story(&before, s, &after, wrong))?;
                }
            }
            std::mem::swap(&mut level, &mut next);
        }
        Ok(before.len())
    }

    fn story(
        self,
        before: &HashMap<State, Option<State>>,
        s: State,
        last: &State,
        wrong: Violation,
    ) -> String {
        let mut path: Vec<State> = std::iter::successors(Some(s), |s| before[s]).collect();
        path.reverse();
        path.push(self.canonical(last));
        let mut story = format!("{wrong}: {self:?}\n");
        let mut s = self.initial();
        for to in &path[1..] {
            let mut all = self.transitions(&s).into_iter();
            let Some((id, _, after, _)) = all.find(|(_, _, after, _)| self.canonical(after) == *to) else {
                break;
            };
            let (from, to) = (s.step(id), after.step(id));
            let slots = &after.slots[..usize::from(self.slots)];
            let owners = &after.owners[..usize::from(self.chunks)];
            let (head, tail) = (after.head, after.tail);
            let _ = writeln!(story, "{id}: {from:?} -> {to:?}; {head}..{tail} {slots:?} {owners:?}");
            s = after;
        }
        story
    }
}

fn models(processes: u8, sizes: &[(u8, u8)]) -> impl Iterator<Item = Model> {
    let variants = [(false, false), (true, false), (false, true), (true, true)];
    let model = move |(chunks, slots)| {
        variants.map(|(redeliver, ends)| Model { processes, chunks, slots, redeliver, ends, fault: None })
    };
    sizes.iter().copied().flat_map(model)
}

fn explore_all(models: impl Iterator<Item = Model>) {
    for model in models {
        match model.explore() {
            Ok(states) => println!("{states} states: {model:?}"),
            Err(story) => panic!("{story}"),
        }
    }
}

#[test]
fn two_processes() {
    explore_all(models(2, &[(1, 1), (1, 2), (2, 2), (2, 4)]));
}

#[test]
fn three_processes() {
    explore_all(models(3, &[(1, 1), (1, 2)]));
}

#[test]
#[ignore = "two minutes and more than a gigabyte"]
fn three_processes_with_two_chunks() {
    explore_all(models(3, &[(2, 2)]));
}

#[test]
fn every_fault_is_found() {
    let found = |fault: Fault| {
        let sizes = models(2, &[(1, 1)]).chain(models(3, &[(1, 1)]));
        sizes.map(|model| Model { fault: Some(fault), ..model }).find_map(|model| model.explore().err())
    };
    for fault in [
        Fault::TakeWithoutSecondLook,
        Fault::NoGeneration,
        Fault::NoHelpForClaimed,
        Fault::NoTailHelp,
        Fault::NoHeadHelp,
        Fault::LinkBeforeQueued,
        Fault::SlotLeftToHelpers,
        Fault::FreeBeforeRemoval,
        Fault::ReapWithoutScan,
        Fault::ReapStoresQueued,
        Fault::ReapLeavesSlot,
        Fault::ReapLeavesHead,
        Fault::ReapWithoutMutex,
        Fault::EndedLoadBeforeClaim,
        Fault::DoneDespiteWriting,
        Fault::DoneDespiteQueued,
        Fault::DoneDespiteReading,
    ] {
        let story = found(fault).unwrap_or_else(|| panic!("{fault:?} is not found"));
        println!("{}, {} steps", story.lines().next().unwrap_or_default(), story.lines().count() - 1);
    }
}
