//! Opening and unlinking objects (`segment.rs`, `Registry::find`).

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::Model;
use crate::state::{ARENA, After, ENTRIES, File, Handle, Live, Lock, Standing, State, Step, Word};

/// What a name leads to.
pub(crate) enum Found {
    Nothing,
    /// An object that no live agent has.
    Stale(u8),
    Object(u8),
}

impl Model {
    /// Finds what a name leads to. This is one step, since names change under the mutex only.
    pub(crate) fn find(self, s: &State, p: u8, name: u8) -> Found {
        match s.entered_as(p, name) {
            None => Found::Nothing,
            Some(index) => {
                let id = s.entry(p, index).id;
                let there = s.files[usize::from(name)].id == id && (!self.arenas || s.files[ARENA].id == id);
                if there && self.is_wanted(s, p, index) { Found::Object(index) } else { Found::Stale(index) }
            }
        }
    }

    /// Takes a step with objects. Returns false if `step` is another one.
    pub(crate) fn object_step(self, s: &mut State, p: u8, step: Step) -> Result<bool, Violation> {
        let mapped = s.seen_by(p);
        let all = *s;
        let me = &mut s.processes[usize::from(p)];
        let entries = &mut s.controls[mapped].entries;
        let bit = 1 << me.slot.unwrap_or_default();
        me.step = match step {
            Step::Find { name } => match self.find(&all, p, name) {
                Found::Object(index) => Step::MapObject { name, index },
                Found::Nothing => Step::Unlock { to: After::Idle },
                Found::Stale(index) => {
                    me.step = Step::Unlock { to: After::Idle };
                    self.erase(s, p, index, false);
                    return Ok(true);
                }
            },
            Step::MapObject { name, index } => {
                if s.files[usize::from(name)] != (File { id: entries[usize::from(index)].id, whole: true }) {
                    return Err("the mapped file is not the object's, or is torn");
                }
                let late = self.has(Fault::AttachAfterUnlock);
                if late {
                    Step::Unlock { to: After::Late { name, index } }
                } else {
                    Step::Attach { name, index }
                }
            }
            Step::Attach { name, index } => {
                entries[usize::from(index)].attached |= bit;
                if self.has(Fault::AttachAfterUnlock) {
                    s.opened(p, name, index);
                    return Ok(true);
                }
                Step::Unlock { to: After::Opened { name, index } }
            }

            Step::Unlink { name } => {
                let Handle { id, index, .. } = me.handles[usize::from(name)];
                me.step = Step::Unlock { to: After::Idle };
                let ours = |index: &u8| all.entry(p, *index).phase == Live && all.entry(p, *index).id == id;
                let found = if id == 0 { all.entered_as(p, name) } else { Some(index).filter(ours) };
                if let Some(index) = found {
                    self.erase(s, p, index, true);
                }
                return Ok(true);
            }
            Step::Closed => Step::Unlock { to: After::Idle },
            Step::Unlock { to } => {
                self.unlock(s, p, to);
                return Ok(true);
            }
            _ => return self.create_step(s, p, step),
        };
        Ok(true)
    }

    /// Releases the mutex, and goes on with what comes then.
    pub(crate) fn unlock(self, s: &mut State, p: u8, to: After) {
        let (mapped, new_id) = (s.seen_by(p), s.new_id());
        let me = &mut s.processes[usize::from(p)];
        let word = &mut s.controls[mapped].word;
        if word.owner == me.instance {
            *word = Word { owner: 0, died: word.died };
        }
        me.inside = false;
        me.step = match to {
            After::Idle => Step::Idle,
            After::Member => {
                me.standing = Standing::Member;
                me.inherits = false;
                Step::Idle
            }
            After::Stage { name } => {
                me.staged = File { id: new_id, whole: !self.has(Fault::LinkBeforeWritten) };
                me.lock = Lock::Look;
                Step::RefuseAgain { name }
            }
            After::Opened { name, index } => return s.opened(p, name, index),
            After::Late { name, index } if self.has(Fault::AttachAfterUnlock) => Step::Attach { name, index },
            After::Late { name, index } => Step::Live { name, index },
            After::Drop { again } => Step::Drop { again },
        };
    }
}

impl State {
    /// Notes that the process has the object open.
    pub(crate) fn opened(&mut self, p: u8, name: u8, index: u8) {
        let id = self.entry(p, index).id;
        let me = &mut self.processes[usize::from(p)];
        me.staged = File::default();
        me.handles[usize::from(name)] = Handle { id, index, unlinked: false };
        me.step = Step::Idle;
    }

    fn entered_as(&self, p: u8, name: u8) -> Option<u8> {
        let is_it = |index: &u8| {
            let entry = self.entry(p, *index);
            entry.listed && entry.phase == Live && entry.name == name
        };
        (0..ENTRIES as u8).find(is_it)
    }
}
