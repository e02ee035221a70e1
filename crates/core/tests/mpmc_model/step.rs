//! The steps of a process: each is one shared access.

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::{Effect, Model};
use crate::state::{Free, Link, Payload, Process, Queued, Reading, Seen, State, Step::*, Writing};

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
        } else if choice == self.ending() && self.ends && !s.ended {
            s.ended = true;
            return Ok(Effect::Internal);
        } else if choice > self.ending() {
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
                LinkTail(Link { chunk, marked: false, seen: None })
            }

            LinkTail(link) => LinkSlot { at: s.tail, link },
            LinkSlot { at, link } => {
                let last = self.last(s, at);
                if last + self.slots < at {
                    return Err("a link has no room");
                } else if last + self.slots > at {
                    let stays = self.has(Fault::NoTailHelp);
                    if stays { LinkTail(link) } else { LinkSlot { at: last + 1, link } }
                } else if self.has(Fault::TailBeforeLink) && s.tail != at + 1 {
                    s.tail = at + 1;
                    LinkSlot { at, link }
                } else if self.has(Fault::LinkBeforeQueued) || link.marked && self.has(Fault::MarkedOnce) {
                    LinkCas { chunk: link.chunk, at }
                } else {
                    LinkMark { at, link }
                }
            }
            LinkMark { link: Link { chunk, seen: Some(Seen { same: false, .. }), .. }, .. }
                if !self.has(Fault::ReapStoresQueued) =>
            {
                self.next_reap(chunk)
            }
            LinkMark { at, link: Link { chunk, .. } } => {
                self.mark(s, chunk, at, name);
                LinkCas { chunk, at }
            }
            LinkCas { chunk, at } => {
                let from = self.slot(s, at);
                let is_vacant = from.lap + 1 == at / self.slots;
                if is_vacant && self.cas(s, at, from, self.filled(at, chunk)) {
                    effect = Effect::Linked(chunk);
                    let late = self.has(Fault::LinkBeforeQueued);
                    if late { LinkMarkLate { chunk, at } } else { LinkAdvance { chunk, at } }
                } else {
                    LinkSlot { at: at + 1, link: Link { chunk, marked: true, seen: None } }
                }
            }
            LinkMarkLate { chunk, at } => {
                self.mark(s, chunk, at, name);
                LinkAdvance { chunk, at }
            }
            LinkAdvance { chunk, at } => {
                s.tail = self.advanced(s.tail, at + 1);
                if victim.is_some() { self.next_reap(chunk) } else { Idle }
            }

            TakeHead => TakeSlot { at: s.head },
            TakeSlot { at } => {
                let last = self.last(s, at);
                if last + self.slots < at {
                    return Err("the head is beyond the tail");
                } else if last + self.slots == at {
                    effect = Effect::Empty;
                    if self.ends { GetEnded } else { Idle }
                } else if last > at {
                    let skips = self.has(Fault::HeadSkipsLap);
                    TakeSlot { at: if skips { last + 1 } else { last - (self.slots - 1) } }
                } else {
                    match self.slot(s, at).chunk {
                        Some(chunk) if self.has(Fault::HeadBeforeClaim) && s.head != at + 1 => {
                            s.head = at + 1;
                            TakeOwner { at, chunk }
                        }
                        Some(chunk) => TakeOwner { at, chunk },
                        None => return Err("a position has no chunk"),
                    }
                }
            }
            TakeOwner { at, chunk } => {
                let seen = s.look(chunk);
                let is_there = seen.owner.at == at && !self.is_old(at) || self.has(Fault::PositionIgnored);
                if seen.owner.phase == Queued && is_there {
                    TakeClaim { at, seen }
                } else if self.has(Fault::NoHeadHelp) {
                    TakeHead
                } else {
                    TakeSlot { at: at + 1 }
                }
            }
            TakeClaim { at, seen: Seen { chunk, same: true, .. } } => {
                self.own(s, chunk, Reading, me);
                effect = Effect::Claimed(chunk);
                TakeAdvance { at, mine: Some(chunk) }
            }
            TakeClaim { at, .. } => TakeSlot { at: at + 1 },
            TakeAdvance { at, mine } => {
                s.head = self.advanced(s.head, at + 1);
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
                    Queued if !self.has(Fault::ReapWithoutLook) => ReapSlot { seen },
                    Reading if self.redeliver => LinkTail(Link { chunk, marked: false, seen: Some(seen) }),
                    Queued => LinkTail(Link { chunk, marked: false, seen: Some(seen) }),
                    _ => ReapCas { seen },
                }
            }
            ReapSlot { seen } if self.slot(s, seen.owner.at) == self.filled(seen.owner.at, seen.chunk) => {
                self.next_reap(seen.chunk)
            }
            ReapSlot { seen } => LinkTail(Link { chunk: seen.chunk, marked: false, seen: Some(seen) }),
            ReapCas { seen: Seen { chunk, same, .. } } => {
                if same {
                    self.own(s, chunk, Free, me);
                }
                self.next_reap(chunk)
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

    /// Moves all positions back by whole laps, so that the end of the ring is in the third lap. Of
    /// a position that is older than every slot, only the slot is kept.
    fn rebase(self, s: &mut State) {
        let laps = (self.end(s) / self.slots).saturating_sub(2);
        let rebased = |at: u8| if at / self.slots >= laps { at - laps * self.slots } else { at % self.slots };
        for slot in &mut s.slots[..usize::from(self.slots)] {
            slot.lap -= laps;
        }
        (s.head, s.tail) = (rebased(s.head), rebased(s.tail));
        for owner in s.owners.iter_mut().filter(|owner| owner.phase == Queued) {
            owner.at = rebased(owner.at);
        }
        for process in &mut s.processes {
            if let Some(at) = process.position() {
                *at = rebased(*at);
            }
            if let Some(seen) = process.seen().filter(|seen| seen.owner.phase == Queued) {
                seen.owner.at = rebased(seen.owner.at);
            }
        }
    }
}
