//! The registry's mutex: taking it, also from a dead owner, and what the new owner does first
//! (`Registry::lock`, `repair`, `Agent::registry_within`, `detach`).

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::Model;
use crate::state::{Born, ENTRIES, Entry, File, Free, Handle, Live, Lock, State, Step, Word};

impl Model {
    /// Reads the mutex's word. If a live process holds the mutex, process `p` waits, or gives up
    /// with choice 1.
    pub(crate) fn look(self, s: &mut State, p: u8, choice: u8) -> Result<bool, Violation> {
        let seen = s.controls[s.seen_by(p)].word;
        if seen.owner == s.process(p).instance {
            return Err("an agent is taken for the owner of a mutex that it does not hold");
        }
        let held = s.is_alive(p, seen.owner);
        let me = &mut s.processes[usize::from(p)];
        if held == (choice == 0) {
            return Ok(false);
        }
        me.lock = Lock::Cas { seen };
        if held {
            me.lock = Lock::Settled;
            me.staged = File::default();
            match me.step {
                // The process ends without leaving, as if it died here.
                Step::Joined | Step::Others => return Ok(false),
                _ => me.step = Step::Idle,
            }
        } else if !self.has(Fault::TakeByStore) {
            // No step comes in between: if the word had changed, the CAS would only fail.
            self.lock_step(s, p, Lock::Cas { seen });
        }
        Ok(true)
    }

    pub(crate) fn lock_step(self, s: &mut State, p: u8, lock: Lock) -> bool {
        let control = s.seen_by(p);
        let entries = &mut s.controls[control].entries;
        let me = &mut s.processes[usize::from(p)];
        let slot = me.slot.unwrap_or_default();
        match lock {
            Lock::Settled | Lock::Look => return false,
            Lock::Cas { seen } => {
                let word = &mut s.controls[control].word;
                if *word != seen && !self.has(Fault::TakeByStore) {
                    me.lock = Lock::Look;
                    return true;
                }
                let died = seen.died || seen.owner != 0;
                *word = Word { owner: me.instance, died };
                me.inside = true;
                if died && !self.has(Fault::NoRepair) {
                    me.lock = Lock::Repair { index: 0 };
                } else {
                    s.settle(p, 0);
                }
            }
            Lock::Repair { index } => {
                let wanted = self.is_wanted(s, p, index);
                let me = &mut s.processes[usize::from(p)];
                let next = if usize::from(index) + 1 < ENTRIES {
                    Lock::Repair { index: index + 1 }
                } else {
                    Lock::Consistent
                };
                me.lock = next;
                let entry = &mut s.controls[control].entries[usize::from(index)];
                match entry.phase {
                    Free => *entry = Entry::default(),
                    Born if self.has(Fault::BornIsKept) => entry.phase = Live,
                    Live if wanted => entry.listed = true,
                    _ => self.erase(s, p, index, false),
                }
            }
            Lock::Consistent => {
                s.controls[control].word.died = false;
                s.settle(p, 0);
            }
            Lock::Detach { name } => {
                let Handle { id, index, .. } = me.leaving[usize::from(name)];
                let entry = &mut entries[usize::from(index)];
                if entry.phase == Live && entry.id == id {
                    entry.attached &= !(1 << slot);
                    me.lock = Lock::Detached { name };
                } else {
                    s.settle(p, name + 1);
                }
            }
            Lock::Detached { name } => {
                let index = me.leaving[usize::from(name)].index;
                s.settle(p, name + 1);
                if self.has(Fault::CloseErases) || !self.is_wanted(s, p, index) {
                    self.erase(s, p, index, false);
                }
            }
        }
        true
    }
}

impl State {
    /// Goes on with the closed objects, from name `from` on, and then with the step that the mutex
    /// is needed for.
    fn settle(&mut self, p: u8, from: u8) {
        let me = &mut self.processes[usize::from(p)];
        me.leaving[..usize::from(from)].fill(Handle::default());
        me.lock = match me.leaving.iter().position(|handle| handle.id != 0) {
            Some(name) => Lock::Detach { name: name as u8 },
            None => Lock::Settled,
        };
    }
}
