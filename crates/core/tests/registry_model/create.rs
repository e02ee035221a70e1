//! Creating objects (`Segment::create_named`, `Registry::enter`).

use crate::explore::Violation;
use crate::faults::Fault;
use crate::model::Model;
use crate::objects::Found;
use crate::state::{ARENA, After, Born, Entry, File, Free, Live, State, Step};

impl Model {
    /// Takes a step of a creation. Returns false if `step` is another one.
    pub(crate) fn create_step(self, s: &mut State, p: u8, step: Step) -> Result<bool, Violation> {
        let mapped = s.seen_by(p);
        let all = *s;
        let me = &mut s.processes[usize::from(p)];
        let entries = &mut s.controls[mapped].entries;
        let bit = 1 << me.slot.unwrap_or_default();
        me.step = match step {
            Step::Refuse { name } => match self.find(&all, p, name) {
                Found::Object(_) => Step::Unlock { to: After::Idle },
                Found::Nothing => Step::Unlock { to: After::Stage { name } },
                Found::Stale(index) => {
                    me.step = Step::Unlock { to: After::Stage { name } };
                    self.erase(s, p, index, false);
                    return Ok(true);
                }
            },
            Step::RefuseAgain { name } => match self.find(&all, p, name) {
                Found::Object(_) => {
                    me.staged = File::default();
                    Step::Unlock { to: After::Idle }
                }
                Found::Nothing => Step::Fields { name },
                Found::Stale(index) => {
                    me.step = Step::Fields { name };
                    self.erase(s, p, index, false);
                    return Ok(true);
                }
            },
            Step::Fields { name } => {
                match entries.iter().position(|entry| !entry.listed && entry.phase == Free) {
                    None => {
                        me.staged = File::default();
                        Step::Unlock { to: After::Idle }
                    }
                    Some(index) => {
                        entries[index] =
                            Entry { phase: Free, listed: false, id: me.staged.id, name, attached: bit };
                        let index = index as u8;
                        match self.fault {
                            Some(Fault::LinkBeforeBorn) => Step::Link { name, index },
                            Some(Fault::ArenaBeforeBorn) => Step::LinkArena { name, index },
                            _ => Step::Bear { name, index },
                        }
                    }
                }
            }
            Step::Bear { name, index } => {
                entries[usize::from(index)].phase = Born;
                Step::List { name, index }
            }
            Step::List { name, index } => {
                entries[usize::from(index)].listed = true;
                match self.fault {
                    Some(Fault::LinkBeforeBorn | Fault::LiveBeforeLink) => Step::Live { name, index },
                    Some(Fault::ArenaBeforeBorn | Fault::ArenaAfterLive) => Step::Link { name, index },
                    _ if self.arenas => Step::LinkArena { name, index },
                    _ => Step::Link { name, index },
                }
            }
            Step::LinkArena { name, index } => {
                s.files[ARENA] = File { id: me.staged.id, whole: true };
                match self.fault {
                    Some(Fault::ArenaBeforeBorn) => Step::Bear { name, index },
                    Some(Fault::ArenaAfterLive) => Step::Unlock { to: After::Opened { name, index } },
                    _ => Step::Link { name, index },
                }
            }
            Step::Link { name, index } => {
                if s.files[usize::from(name)].id != 0 {
                    return Err("a name is taken, but no entry has it");
                }
                s.files[usize::from(name)] = me.staged;
                match self.fault {
                    Some(Fault::LinkBeforeBorn) => Step::Bear { name, index },
                    Some(Fault::LiveBeforeLink) => Step::Unlock { to: After::Opened { name, index } },
                    Some(Fault::UnlockBeforeLive) => Step::Unlock { to: After::Late { name, index } },
                    _ => Step::Live { name, index },
                }
            }
            Step::Live { name, index } => {
                entries[usize::from(index)].phase = Live;
                match self.fault {
                    Some(Fault::LiveBeforeLink) => Step::Link { name, index },
                    Some(Fault::ArenaAfterLive) => Step::LinkArena { name, index },
                    Some(Fault::UnlockBeforeLive) => {
                        s.opened(p, name, index);
                        return Ok(true);
                    }
                    _ => Step::Unlock { to: After::Opened { name, index } },
                }
            }
            _ => return Ok(false),
        };
        Ok(true)
    }
}
