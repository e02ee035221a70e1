//! The steps of a process: each is one shared access.

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::{Effect, Model};
use crate::state::{Free, Payload, Process, Queued, Reading, Seen, Slot, State, Step::*, Writing};

impl Model {
    /// An idle process begins what `choice` says, with its first access.
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
    pub(crate) fn step(self, s: &mut State, me: u8, choice: u8) -> Result<Effect, Violation> {
        let Process { step, victim } = s.processes[usize::from(me)];
        // A chunk that a reaper requeues keeps the dead process's name. If the reaper dies, the
        // next one finds it.
        let name = victim.unwrap_or(me);
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
                self.own(s, chunk, Queued, name);
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
            Read { chunk } if *s.payload(chunk) == Payload::Whole => match choice {
                1 if self.has(Fault::RemoveWithoutRetire) => RemoveSegment { chunk },
                1 => Retire { chunk },
                _ => Release { chunk },
            },
            Retire { chunk } => {
                self.own(s, chunk, Writing, me);
                RemoveSegment { chunk }
            }
            RemoveSegment { chunk } => {
                *s.payload(chunk) = Payload::Blank;
                Cancel { chunk }
            }
            Read { .. } => return Err("a torn or consumed payload is read"),
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
                    self.own(s, chunk, Queued, name);
                    LinkTail { chunk }
                } else {
                    self.own(s, chunk, Free, me);
                    self.next_reap(chunk)
                }
            }
            ReapEntry => {
                let victim = &mut s.processes[usize::from(name)];
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

    /// Moves all positions back by whole laps, so that the head is in the third lap. A position
    /// that is older than every slot becomes 0.
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
}
