//! Removes objects: with their last user, or by their name.

use super::state::{DYING, FREE, LIVE};
use super::table::{ObjectRef, Registry, name_of};
use crate::error::{Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::Entry;
use crate::sync::Ordering::{Relaxed, Release};
use crate::wait::{Sleepers, tell};

impl Registry<'_> {
    /// Removes the object, and its names if they still lead to it.
    pub(crate) fn erase(&self, index: usize) -> Result<()> {
        let entry = self.entry(index);
        if seeded(Fault::FreeBeforeRemoval) {
            self.free(index);
        }
        entry.state.store(DYING, Release);
        fail::point("erase.dying");
        if let Err(e) = self.remove_segment(entry).and_then(|()| self.remove_arena(entry)) {
            if !seeded(Fault::RefusalForgotten) {
                self.control.header.unswept.store(1, Relaxed);
            }
            fail::point("erase.refused");
            entry.state.store(LIVE, Release);
            return Err(e);
        }
        fail::point("erase.removed");
        self.free(index);
        Ok(())
    }

    pub(super) fn free(&self, index: usize) {
        let lists = self.index();
        let removed = lists.remove(index);
        self.entry(index).state.store(FREE, Release);
        fail::point("erase.freed");
        self.tell_users(self.entry(index), Fault::RemovalUntold);
        match removed {
            Ok(()) => lists.give_free(index),
            Err(damaged) => self.rebuild_index(Some(damaged)),
        }
    }

    /// Detaches the caller from the object. The last agent to detach erases it.
    pub(crate) fn detach(&self, object: ObjectRef) -> Result<()> {
        let Some(entry) = self.entry_of(object) else { return Ok(()) };
        entry.attached.remove(self.me());
        fail::point("close.detached");
        self.tell_users(entry, Fault::DepartureUntold);
        let is_wanted = self.is_wanted(entry) && !seeded(Fault::AnyCloseErases);
        if is_wanted { Ok(()) } else { self.erase(object.index) }
    }

    /// Tells the agents that have the object open that its users or its name changed.
    pub(crate) fn tell_users(&self, entry: &Entry, untold: Fault) {
        if !seeded(untold) {
            tell(self.seat, entry.attached.iter());
        }
    }

    fn remove_segment(&self, entry: &Entry) -> Result<()> {
        let Some(name) = name_of(entry) else { return Ok(()) };
        let file = entry.file.load(Relaxed);
        let removed = match self.place().identify(&name) {
            Ok(Some(now)) if now.file == file || seeded(Fault::RemoveWhateverHasTheName) => {
                self.place().remove(&name)
            }
            other => other.map(drop),
        };
        removed.map_err(|e| Error::os(&format!("removing \"{name}\""), &e))
    }
}
