//! Opening and unlinking objects, and spilled messages (`segment.rs`, `Registry::find`,
//! `spill.rs`).

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::Model;
use crate::state::{After, ENTRIES, File, Handle, Live, Lock, Message, SPILL, Standing, State, Step, Word};

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
                let there = s.files[usize::from(name)].id == s.entry(p, index).id;
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
                    self.opened(s, p, name, index);
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
            Step::Spilled { id, linked } => Step::Unlock { to: After::Put { id, linked } },

            Step::Company => {
                let queue = me.handles[0];
                let entry = entries[usize::from(queue.index)];
                let linked = entry.phase == Live && entry.id == queue.id;
                if linked || !self.has(Fault::CloseForgetsParent) {
                    let spill = &mut me.handles[usize::from(SPILL)];
                    let id = spill.id;
                    me.leaving[usize::from(SPILL)] = std::mem::take(spill);
                    me.lock = Lock::Look;
                    Step::Spilled { id, linked }
                } else {
                    // The segment is not closed, so the agent stays attached to it.
                    let id = std::mem::take(&mut me.handles[usize::from(SPILL)]).id;
                    s.message = Message { queue: queue.id, id, writer: me.instance };
                    Step::Idle
                }
            }
            Step::Take { message } => {
                if s.files[usize::from(SPILL)].id == message.id {
                    me.read = message.id;
                    me.lock = Lock::Look;
                    Step::Closed
                } else if all.is_kept(message) {
                    return Err("a message is lost");
                } else {
                    Step::Idle
                }
            }

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
                Step::Idle
            }
            After::Stage { name } => {
                me.staged = File { id: new_id, whole: !self.has(Fault::LinkBeforeWritten) };
                me.lock = Lock::Look;
                Step::RefuseAgain { name }
            }
            After::Opened { name, index } => return self.opened(s, p, name, index),
            After::Put { id, linked } => {
                let writer = if linked { 0 } else { me.instance };
                s.message = Message { queue: me.handles[0].id, id, writer };
                Step::Idle
            }
            After::Late { name, index } if self.has(Fault::AttachAfterUnlock) => Step::Attach { name, index },
            After::Late { name, index } => Step::Live { name, index },
            After::Drop { again } => Step::Drop { again },
        };
    }

    /// Notes that the process has the object open.
    pub(crate) fn opened(self, s: &mut State, p: u8, name: u8, index: u8) {
        let id = s.entry(p, index).id;
        let me = &mut s.processes[usize::from(p)];
        me.staged = File::default();
        me.handles[usize::from(name)] = Handle { id, index, unlinked: false };
        me.step = if self.spills && name == SPILL { Step::Company } else { Step::Idle };
    }
}

impl State {
    /// Whether a message's segment must still be there, if an agent has the queue open.
    pub(crate) fn is_kept(&self, message: Message) -> bool {
        message.writer == 0
            || self.processes.iter().any(|q| q.instance == message.writer && q.handles[0].id == message.queue)
    }

    fn entered_as(&self, p: u8, name: u8) -> Option<u8> {
        let is_it = |index: &u8| {
            let entry = self.entry(p, *index);
            entry.tag && entry.phase == Live && entry.name == name
        };
        (0..ENTRIES as u8).find(is_it)
    }
}
