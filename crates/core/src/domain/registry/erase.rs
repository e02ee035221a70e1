//! Removes objects: with their last user, by their name, or with their parent.

use super::table::{DYING, FREE, LIVE, ObjectRef, Registry, name_of, parent_of};
use crate::error::{Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::Kind;
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sys;
use crate::wait::Sleepers;

impl Registry<'_> {
    /// Removes the object, and its name if the name still leads to it. Its children are removed
    /// too, unless living agents still have the object open: then these agents become users of the
    /// children.
    pub(crate) fn erase(&self, index: usize) -> Result<()> {
        let children = self.children(index);
        for &child in children.iter().filter(|_| !seeded(Fault::ChildrenLoseUsers)) {
            for slot in self.entry(index).attached.iter() {
                self.entry(child).attached.insert(slot);
            }
        }
        fail::point("erase.children");
        self.erase_one(index)?;
        children
            .into_iter()
            .filter(|child| !self.is_wanted(self.entry(*child)))
            .try_for_each(|child| self.erase_one(child))
    }

    /// The entries of the object's children: spilled messages of a queue.
    fn children(&self, index: usize) -> Vec<usize> {
        let parent = self.entry(index);
        let may_have = Kind::from_stored(parent.kind.load(Relaxed)).is_some_and(Kind::has_children);
        if may_have && !seeded(Fault::ChildrenStay) {
            self.children_of(parent.id.load(Relaxed)).collect()
        } else {
            Vec::new()
        }
    }

    fn children_of(&self, id: u64) -> impl Iterator<Item = usize> + '_ {
        self.control.used_entries().filter(move |&index| {
            self.control.tags[index].load(Relaxed) != 0
                && self.entry(index).state.load(Acquire) == LIVE
                && self.entry(index).parent.load(Relaxed) == id
        })
    }

    /// Removes the segment of a spilled message.
    pub(crate) fn erase_spill(&self, name: &str) -> Result<()> {
        let is_spill = |index: &usize| self.entry(*index).kind.load(Relaxed) == Kind::Spill as u32;
        self.entered_as(name).filter(is_spill).map_or(Ok(()), |index| self.erase_one(index))
    }

    fn erase_one(&self, index: usize) -> Result<()> {
        let entry = self.entry(index);
        if seeded(Fault::FreeBeforeRemoval) {
            self.free(index);
        }
        entry.state.store(DYING, Release);
        fail::point("erase.dying");
        if let Some(name) = name_of(entry) {
            let file = entry.file.load(Relaxed);
            let removed = match sys::identify(&name) {
                Ok(Some(now)) if now.file == file || seeded(Fault::RemoveWhateverHasTheName) => {
                    sys::remove(&name)
                }
                other => other.map(drop),
            };
            if let Err(e) = removed {
                entry.state.store(LIVE, Release);
                return Err(Error::os(&format!("removing \"{name}\""), &e));
            }
        }
        fail::point("erase.removed");
        self.free(index);
        Ok(())
    }

    pub(super) fn free(&self, index: usize) {
        self.entry(index).state.store(FREE, Release);
        fail::point("erase.freed");
        self.control.tags[index].store(0, Release);
    }

    /// Detaches the caller from the object. The last agent to detach erases it. If the parent was
    /// unlinked and `has_open` says that the caller has it open, the caller stays attached until it
    /// closes the parent.
    pub(crate) fn detach(&self, object: ObjectRef, has_open: impl Fn(ObjectRef) -> bool) -> Result<()> {
        let Some(entry) = self.entry_of(object) else { return self.detach_children(object) };
        let is_kept = has_open(parent_of(entry)) && !self.parent_lives(entry);
        if is_kept && !seeded(Fault::SpillWithoutKeeper) {
            return Ok(());
        }
        entry.attached.remove(self.me());
        fail::point("close.detached");
        let is_wanted = self.is_wanted(entry) && !seeded(Fault::AnyCloseErases);
        if is_wanted { Ok(()) } else { self.erase(object.index) }
    }

    /// For an unlinked object: detaches the caller from its children, of which `erase` made it a
    /// user.
    fn detach_children(&self, object: ObjectRef) -> Result<()> {
        for index in self.children_of(object.id) {
            let entry = self.entry(index);
            entry.attached.remove(self.me());
            if !self.is_wanted(entry) && !seeded(Fault::OrphanedChildrenStay) {
                self.erase_one(index)?;
            }
        }
        Ok(())
    }
}
