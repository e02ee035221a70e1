//! What is asserted of every transition and of every state.

use crate::explore::Violation;
use crate::model::{Effect, Model};
use crate::state::{CHUNKS, Free, Owner, Payload, Queued, Reading, State, Step::Idle};

/// More accesses than any operation of a process that runs alone needs.
const ALONE: usize = 64;

impl Model {
    /// The abstract FIFO: chunks that are linked and not yet claimed.
    fn fifo(self, s: &State) -> Result<Vec<u8>, Violation> {
        let end = self.end(s);
        let linked = |at: u8| {
            self.slot(s, at).chunk.filter(|&chunk| s.owner(chunk).at == at && self.is_linked(s, chunk))
        };
        let last = (end - self.slots..end).map(linked);
        let fifo: Vec<u8> = last.skip_while(Option::is_none).map_while(|chunk| chunk).collect();
        let queued = (0..self.chunks).filter(|&chunk| self.is_linked(s, chunk)).count();
        if queued != fifo.len() || !fifo.is_empty() && linked(end - 1).is_none() {
            return Err("a claimed chunk is behind the front");
        } else if (0..self.slots).any(|slot| self.last(s, slot) + self.slots < end) {
            return Err("a link leaves out a slot");
        }
        Ok(fifo)
    }

    /// Checks a transition and the state after it.
    pub(crate) fn check(self, before: &State, effect: Effect, s: &State) -> Result<(), Violation> {
        let mut fifo = self.fifo(before)?;
        match effect {
            Effect::Linked(_) if before.done => return Err("a message is linked after the queue was done"),
            Effect::Linked(chunk) => fifo.push(chunk),
            Effect::Claimed(chunk) if fifo.first() != Some(&chunk) => {
                return Err("a chunk is claimed that is not at the front");
            }
            Effect::Claimed(_) => drop(fifo.remove(0)),
            Effect::Empty if !fifo.is_empty() => return Err("EMPTY is returned, but a message is queued"),
            _ => (),
        }
        if self.fifo(s)? != fifo {
            return Err("the queue changes, but not by a link or a claim");
        } else if s.tail > self.end(s) || usize::from(s.head) + fifo.len() > usize::from(self.end(s)) {
            return Err("a hint is beyond what was linked or taken");
        }
        for (chunk, owner) in (0..self.chunks).zip(s.owners) {
            let phase = owner.phase;
            let settled = phase == Free || self.is_linked(s, chunk) || s.dead(owner.by);
            if (phase == Queued || phase == Reading) && s.payloads[usize::from(chunk)] != Payload::Whole {
                return Err("a torn or consumed payload is queued or taken");
            } else if !settled && s.processes[usize::from(owner.by)].holds() != Some((chunk, phase)) {
                return Err("a chunk is leaked: its holder does not know it");
            }
        }
        for (by, process) in (0..).zip(s.processes) {
            let by = process.victim.unwrap_or(by);
            let keeps = |(chunk, phase)| {
                let owner = s.owner(chunk);
                (owner.phase, owner.by) == (phase, by) && !self.is_linked(s, chunk)
            };
            if !process.holds().is_none_or(keeps) {
                return Err("a live process's chunk is taken from it");
            }
        }
        Ok(())
    }

    /// Process `me` takes a step with this choice, and then runs alone until it is idle.
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

    /// Process `me` alone completes its operation, reaps all dead processes, drains the queue and
    /// refills it.
    pub(crate) fn recover(self, mut s: State, me: u8) -> Result<(), Violation> {
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
        for (chunk, Owner { phase, by, .. }) in
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
            return Err("a reap loses or invents a message");
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
}
