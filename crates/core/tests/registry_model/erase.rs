//! Erasing entries, and which objects are needed (`Registry::erase`, `erase_one`, `free`,
//! `is_wanted`).

use crate::faults::Fault;
use crate::model::Model;
use crate::state::{Dying, ENTRIES, Entry, Erase, Erasing, File, Free, Live, SLOTS, SPILL, State};

impl Entry {
    pub(crate) fn is_child_of(self, id: u8) -> bool {
        self.tag && self.phase == Live && self.parent == id
    }
}

impl Model {
    /// Whether process `p` finds that a live agent has the object, or that the object needs none.
    /// This is one step, though the core asks about one agent at a time: under the mutex only
    /// deaths can come in between, and newcomers that have nothing yet.
    pub(crate) fn is_wanted(self, s: &State, p: u8, index: u8) -> bool {
        let control = &s.controls[s.seen_by(p)];
        let entry = &control.entries[usize::from(index)];
        let mut attached = (0..SLOTS as u8).filter(|slot| entry.attached & 1 << slot != 0);
        self.persist && entry.name != SPILL
            || s.has_parent(p, index)
            || attached.any(|slot| {
                Some(slot) == s.process(p).slot || s.is_alive(p, control.slots[usize::from(slot)])
            })
    }

    /// Begins to erase an object and its children.
    pub(crate) fn erase(self, s: &mut State, p: u8, index: u8, asked: bool) {
        self.erase_one(s, p, index, asked);
        let id = s.entry(p, index).id;
        let is_child = |child: &u8| self.spills && s.entry(p, *child).is_child_of(id);
        let children = (0..ENTRIES as u8).filter(is_child).fold(0, |all, child| all | 1 << child);
        if let Some(erase) = &mut s.processes[usize::from(p)].erase {
            erase.children = children;
            let first = if self.has(Fault::DyingBeforeShared) { Erasing::Dying } else { Erasing::Share };
            erase.step = if children == 0 { erase.step } else { first };
        }
    }

    pub(crate) fn erase_one(self, s: &mut State, p: u8, index: u8, asked: bool) {
        let first = if self.has(Fault::RemoveBeforeDying) { Erasing::Identify } else { Erasing::Dying };
        s.processes[usize::from(p)].erase = Some(Erase { index, children: 0, asked, step: first });
    }

    /// Takes the next step of an erasure.
    pub(crate) fn erase_step(self, s: &mut State, p: u8, erase: Erase) -> bool {
        let control = s.seen_by(p);
        let Entry { id, name, attached, .. } = *s.entry(p, erase.index);
        let entry = &mut s.controls[control].entries[usize::from(erase.index)];
        let file = &mut s.files[usize::from(name)];
        let next = match erase.step {
            Erasing::Share => {
                let children = (0..ENTRIES as u8).filter(|child| erase.children & 1 << child != 0);
                let mut missing = children.flat_map(|child| (0..SLOTS as u8).map(move |slot| (child, slot)));
                let entries = &mut s.controls[control].entries;
                let lacks = |&(child, slot): &(u8, u8)| {
                    attached & !entries[usize::from(child)].attached & 1 << slot != 0
                };
                match missing.find(lacks).filter(|_| !self.has(Fault::UnlinkForgetsChildren)) {
                    Some((child, slot)) => {
                        entries[usize::from(child)].attached |= 1 << slot;
                        Erasing::Share
                    }
                    None if self.has(Fault::DyingBeforeShared) => Erasing::Identify,
                    None => return s.erase_goes_on(p, Erasing::Dying) && self.step_of_erasure(s, p),
                }
            }
            Erasing::Dying => {
                entry.phase = Dying;
                if erase.asked {
                    let handles =
                        s.processes.iter_mut().flat_map(|q| q.handles.iter_mut().chain(&mut q.leaving));
                    handles.filter(|handle| handle.id == id).for_each(|handle| handle.unlinked = true);
                }
                match self.fault {
                    Some(Fault::RemoveBeforeDying | Fault::FreeBeforeRemoved) => Erasing::Free,
                    Some(Fault::DyingBeforeShared) if erase.children != 0 => Erasing::Share,
                    _ => Erasing::Identify,
                }
            }
            Erasing::Identify if file.id == id => Erasing::Remove,
            Erasing::Remove | Erasing::Identify => {
                if erase.step == Erasing::Remove {
                    *file = File::default();
                }
                match self.fault {
                    Some(Fault::RemoveBeforeDying) => Erasing::Dying,
                    Some(Fault::FreeBeforeRemoved) => Erasing::Untag,
                    _ => Erasing::Free,
                }
            }
            Erasing::Free => {
                entry.phase = Free;
                if self.has(Fault::FreeBeforeRemoved) { Erasing::Identify } else { Erasing::Untag }
            }
            Erasing::Untag => {
                *entry = Entry::default();
                Erasing::Next
            }
            Erasing::Next => {
                let unwanted = |child: &u8| erase.children & 1 << child != 0 && !self.is_wanted(s, p, *child);
                match (0..ENTRIES as u8).find(unwanted) {
                    Some(child) => {
                        self.erase_one(s, p, child, false);
                        if let Some(next) = &mut s.processes[usize::from(p)].erase {
                            next.children = erase.children & !(1 << child);
                        }
                    }
                    None => s.processes[usize::from(p)].erase = None,
                }
                return true;
            }
        };
        s.erase_goes_on(p, next)
    }

    fn step_of_erasure(self, s: &mut State, p: u8) -> bool {
        let erase = s.process(p).erase;
        erase.is_some_and(|erase| self.erase_step(s, p, erase))
    }
}

impl State {
    pub(crate) fn has_parent(&self, p: u8, index: u8) -> bool {
        let entries = &self.controls[self.seen_by(p)].entries;
        let parent = entries[usize::from(index)].parent;
        parent != 0 && entries.iter().any(|entry| entry.phase == Live && entry.id == parent)
    }

    fn erase_goes_on(&mut self, p: u8, next: Erasing) -> bool {
        if let Some(erase) = &mut self.processes[usize::from(p)].erase {
            erase.step = next;
            if next == Erasing::Next && erase.children == 0 {
                self.processes[usize::from(p)].erase = None;
            }
        }
        true
    }
}
