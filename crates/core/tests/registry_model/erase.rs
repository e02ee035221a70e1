//! Erasing entries, and which objects are needed (`Registry::erase`, `free`, `is_wanted`).

use crate::faults::Fault;
use crate::model::Model;
use crate::state::{ARENA, Dying, Entry, Erase, Erasing, File, Free, SLOTS, State};

impl Model {
    /// Whether process `p` finds that a live agent has the object, or that the object needs none.
    /// This is one step, though the core asks about one agent at a time: under the mutex only
    /// deaths can come in between, and newcomers that have nothing yet.
    pub(crate) fn is_wanted(self, s: &State, p: u8, index: u8) -> bool {
        let control = &s.controls[s.seen_by(p)];
        let entry = &control.entries[usize::from(index)];
        let mut attached = (0..SLOTS as u8).filter(|slot| entry.attached & 1 << slot != 0);
        self.persist
            || attached.any(|slot| {
                Some(slot) == s.process(p).slot || s.is_alive(p, control.slots[usize::from(slot)])
            })
    }

    /// Begins to erase an object.
    pub(crate) fn erase(self, s: &mut State, p: u8, index: u8, asked: bool) {
        let first = if self.has(Fault::RemoveBeforeDying) { Erasing::Identify } else { Erasing::Dying };
        s.processes[usize::from(p)].erase = Some(Erase { index, asked, step: first });
    }

    /// Takes the next step of an erasure.
    pub(crate) fn erase_step(self, s: &mut State, p: u8, erase: Erase) -> bool {
        let control = s.seen_by(p);
        let Entry { id, name, .. } = *s.entry(p, erase.index);
        let entry = &mut s.controls[control].entries[usize::from(erase.index)];
        let next = match erase.step {
            Erasing::Dying => {
                entry.phase = Dying;
                if erase.asked {
                    let handles =
                        s.processes.iter_mut().flat_map(|q| q.handles.iter_mut().chain(&mut q.leaving));
                    handles.filter(|handle| handle.id == id).for_each(|handle| handle.unlinked = true);
                }
                match self.fault {
                    Some(Fault::RemoveBeforeDying | Fault::FreeBeforeRemoved) => Some(Erasing::Unlist),
                    _ => Some(Erasing::Identify),
                }
            }
            Erasing::Identify if s.files[usize::from(name)].id == id => Some(Erasing::Remove),
            Erasing::Identify => Some(Erasing::IdentifyArena),
            Erasing::Remove => {
                s.files[usize::from(name)] = File::default();
                Some(Erasing::IdentifyArena)
            }
            Erasing::IdentifyArena if s.files[ARENA].id == id && !self.has(Fault::EraseForgetsArena) => {
                Some(Erasing::RemoveArena)
            }
            Erasing::IdentifyArena | Erasing::RemoveArena => {
                if erase.step == Erasing::RemoveArena {
                    s.files[ARENA] = File::default();
                }
                match self.fault {
                    Some(Fault::RemoveBeforeDying) => Some(Erasing::Dying),
                    Some(Fault::FreeBeforeRemoved) => {
                        *entry = Entry::default();
                        None
                    }
                    _ => Some(Erasing::Unlist),
                }
            }
            Erasing::Unlist => {
                entry.listed = false;
                Some(Erasing::Free)
            }
            Erasing::Free if self.has(Fault::FreeBeforeRemoved) => {
                entry.phase = Free;
                Some(Erasing::Identify)
            }
            Erasing::Free => {
                *entry = Entry::default();
                None
            }
        };
        s.processes[usize::from(p)].erase = next.map(|step| Erase { step, ..erase });
        true
    }
}
