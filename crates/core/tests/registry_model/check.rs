//! What is asserted of every state, and of what each process can do from it alone.

use crate::explore::Violation;
use crate::model::Model;
use crate::state::{ARENA, Entry, Free, Handle, Live, Lock, Process, SLOTS, Standing, State, Step};

/// More steps than any operation of a process that runs alone needs.
const ALONE: usize = 200;

/// The outcome of an operation of a process that runs alone.
#[derive(PartialEq)]
pub(crate) enum Alone {
    Completed,
    /// It waits for a live process that holds the mutex.
    Waits,
}

impl Model {
    pub(crate) fn check(self, s: &State) -> Result<(), Violation> {
        let none = Default::default();
        let entries = s.named.map_or(&none, |named| &s.controls[usize::from(named)].entries);
        let retired = s.named.is_some_and(|named| s.controls[usize::from(named)].retired);
        for (name, file) in (0..).zip(s.files).filter(|(_, file)| file.id != 0) {
            let is_its = |entry: &Entry| {
                entry.phase != Free
                    && entry.id == file.id
                    && (name == ARENA || usize::from(entry.name) == name)
            };
            if !file.whole {
                return Err("a name leads to half a file");
            } else if retired || !entries.iter().any(is_its) {
                return Err("a name leads to a file that no entry knows");
            }
        }
        for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.phase == Live) {
            let is_second = |other: &Entry| other.phase == Live && other.name == entry.name;
            if s.files[usize::from(entry.name)].id != entry.id {
                return Err("an object exists without its file");
            } else if self.arenas && s.files[ARENA].id != entry.id {
                return Err("an object exists without its arena");
            } else if entries[index + 1..].iter().any(is_second) {
                return Err("two objects have one name");
            }
        }
        (0..self.processes).try_for_each(|p| s.check_process(p, retired))
    }

    /// Process `p` takes steps until it is idle or gone.
    pub(crate) fn alone(self, s: &mut State, p: u8) -> Result<Alone, Violation> {
        for _ in 0..ALONE {
            if matches!(s.process(p).step, Step::Idle | Step::Gone) && s.process(p).lock == Lock::Settled {
                return Ok(Alone::Completed);
            } else if !self.step(s, p, 0)? {
                let holder = s.controls[s.seen_by(p)].word.owner;
                let holds = |q: &Process| q.inside && q.instance == holder;
                return if s.processes.iter().any(holds) {
                    Ok(Alone::Waits)
                } else {
                    Err("a process waits for a mutex that no live process holds")
                };
            }
            self.check(s)?;
        }
        Err("a process that runs alone does not complete")
    }

    /// Process `p` alone completes its operation, or joins. After it has swept, nothing of dead
    /// agents is left. After it has left as the last agent, nothing is left.
    pub(crate) fn recover(self, mut s: State, p: u8) -> Result<(), Violation> {
        if !s.process(p).exists() {
            self.step(&mut s, p, 0)?;
        }
        if self.alone(&mut s, p)? == Alone::Waits {
            return Ok(());
        }
        if !s.process(p).exists() {
            // It has left, or found no free slot.
            return Ok(());
        }
        self.step(&mut s, p, Self::COLLECT)?;
        if self.alone(&mut s, p)? == Alone::Waits {
            return Ok(());
        }
        self.is_clean(&s, p)?;
        self.step(&mut s, p, Self::LEAVE)?;
        self.alone(&mut s, p)?;
        let last = s.processes.iter().all(|q| !q.exists());
        if last && !self.persist && s.named.is_some() {
            return Err("the last agent has left, and the domain is still there");
        }
        Ok(())
    }

    /// Checks that nothing of dead agents is left after process `p` has swept.
    fn is_clean(self, s: &State, p: u8) -> Result<(), Violation> {
        let control = &s.controls[s.seen_by(p)];
        let lives = |instance: &u8| s.processes.iter().any(|q| q.alive && q.instance == *instance);
        if control.slots.iter().any(|instance| *instance != 0 && !lives(instance)) {
            return Err("a dead agent has a slot after a sweep");
        } else if control.word.owner != 0 {
            return Err("the mutex is held after a sweep");
        }
        for (index, entry) in (0..).zip(&control.entries) {
            let dead = (0..SLOTS).any(|slot| entry.attached & 1 << slot != 0 && control.slots[slot] == 0);
            let gone = entry.phase == Free && !entry.listed;
            if !gone && (entry.phase != Live || !entry.listed || !self.is_wanted(s, p, index)) {
                return Err("an object that no agent needs is left after a sweep");
            } else if dead {
                return Err("a dead agent is attached after a sweep");
            }
        }
        Ok(())
    }
}

impl State {
    fn check_process(&self, p: u8, retired: bool) -> Result<(), Violation> {
        let me = self.process(p);
        let control = &self.controls[self.seen_by(p)];
        let slot = me.slot.filter(|_| me.standing != Standing::Leaving);
        if slot.is_some_and(|slot| control.slots[usize::from(slot)] != me.instance) {
            return Err("a live agent loses its slot");
        } else if me.inside && control.word.owner != me.instance {
            return Err("a live process loses the mutex that it holds");
        } else if me.standing == Standing::Member && (me.mapped != self.named || retired) {
            return Err("a live agent is left in a domain that is gone");
        }
        let bit = 1 << me.slot.unwrap_or_default();
        for Handle { id, index, unlinked } in me.handles {
            let entry = &control.entries[usize::from(index)];
            let has = entry.attached & bit != 0;
            if id != 0 && !unlinked && (entry.phase != Live || entry.id != id || !has) {
                return Err("a process that has an object open loses it");
            }
        }
        let knows = |number: u8| {
            number != 0 && me.handles.iter().chain(&me.leaving).any(|handle| handle.id == number)
        };
        let mut attached =
            control.entries.iter().filter(|entry| entry.phase == Live && entry.attached & bit != 0);
        let idle = me.standing == Standing::Member && me.step == Step::Idle && me.lock == Lock::Settled;
        if idle && !attached.all(|entry| knows(entry.id)) {
            return Err("an agent is attached to an object that it does not have open");
        }
        Ok(())
    }
}
