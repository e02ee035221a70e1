//! The registry: the table of named objects, changed only under its mutex.
//!
//! | state | meaning | after a death here, the next owner of the mutex |
//! | --- | --- | --- |
//! | `FREE` | no object | keeps it |
//! | `BORN` | all fields are written; the files may have their names | erases it: no agent knows of it |
//! | `LIVE` | the object exists | keeps it; erases it if no living agent is attached |
//! | `DYING` | the files may have lost their names | erases it |
//!
//! First it makes the index of names and free entries again: `index.rs`. `repair` is idempotent: if
//! the repairing agent dies, the next owner starts it again.
//!
//! Entries are used from the first on. `create` reserves a block of them when those that are
//! reserved are all in use, and counts one more as used before it uses it. A death in between
//! leaves more reserved than used, or one more free entry.

mod arena;
mod erase;
mod index;
mod lives;
mod repair;
mod state;
mod table;

pub(crate) use arena::arena_name;
pub(super) use arena::bytes_of;
pub use index::list_of;
pub use repair::Swept;
pub(super) use state::LIVE;
pub use table::ObjectRef;
pub(super) use table::name_of;
pub(crate) use table::{Birth, Registry};

use std::io::ErrorKind;
use std::time::Duration;

use self::lives::Lives;
use self::state::{BORN, FREE};
use super::limits::too_many;
use super::seat::Seat;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::OBJECTS;
use crate::locks::{Acquired, acquire_short};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sys::{Arena, StagedArena};
use crate::wait::Sleepers;

impl<'a> Registry<'a> {
    pub(crate) fn lock(seat: &'a Seat, timeout: Duration) -> Result<Registry<'a>> {
        let control = seat.domain().control();
        let acquired = acquire_short(&control.header.registry, seat, timeout, "the registry")?;
        fail::point("registry.locked");
        let registry = Registry { seat, control, lives: Lives::default() };
        if acquired == Acquired::OwnerDied && !seeded(Fault::RegistryUnrepaired) {
            registry.repair();
            fail::point("registry.repaired");
            control.header.registry.mark_consistent();
        }
        Ok(registry)
    }

    /// The living object of that name. Erases it, and returns `None`, if only dead agents are
    /// attached, or if another program removed or took the name.
    pub(crate) fn find(&self, name: &str) -> Result<Option<usize>> {
        let Some(index) = self.entered_as(name) else { return Ok(None) };
        let entry = self.entry(index);
        let file = entry.file.load(Relaxed);
        let now =
            self.place().identify(name).map_err(|e| Error::os(&format!("looking for \"{name}\""), &e))?;
        let there = now.is_some_and(|now| now.file == file || seeded(Fault::FindWhateverHasTheName));
        let is_shunned = seeded(Fault::FoundDeadBesideTheDead)
            && entry.attached.iter().any(|slot| !self.seat.domain().is_alive_in(slot));
        if there && self.arena_is_there(entry)? && self.is_wanted(entry) && !is_shunned {
            return Ok(Some(index));
        }
        self.erase(index)?;
        Ok(None)
    }

    /// Enters an object, attaches the caller, gives the arena its name, and calls `publish`, which
    /// gives the segment its name.
    pub(crate) fn enter<T>(
        &self,
        birth: &Birth<'_>,
        publish: impl FnOnce() -> std::io::Result<T>,
    ) -> Result<(ObjectRef, Option<Arena>, T)> {
        let arena = birth.arena.map_or(Ok(0), StagedArena::file);
        let arena = arena.map_err(|e| Error::os("asking for the new file's identity", &e))?;
        let index = self.claim_entry()?;
        let entry = self.entry(index);
        entry.kind.store(birth.kind as u32, Relaxed);
        entry.id.store(self.next_id(), Relaxed);
        entry.size.store(birth.size, Relaxed);
        entry.file.store(birth.file, Relaxed);
        entry.persist.store(u32::from(birth.persist), Relaxed);
        entry.arena.store(arena, Relaxed);
        entry.name_len.store(birth.name.len() as u32, Relaxed);
        for (to, from) in entry.name.iter().zip(birth.name.bytes()) {
            to.store(from, Relaxed);
        }
        if !seeded(Fault::PredecessorsAttached) {
            entry.attached.clear();
        }
        entry.attached.insert(self.me());
        fail::point("create.written");
        entry.state.store(if seeded(Fault::LiveBeforeFile) { LIVE } else { BORN }, Release);
        fail::point("create.born");
        self.index().insert(index);
        let arena = birth.arena.map(|arena| self.publish_arena(entry, arena)).transpose();
        match arena.and_then(|arena| Ok((arena, publish()?))) {
            Ok((arena, made)) => {
                fail::point("create.published");
                entry.state.store(LIVE, Release);
                fail::point("create.live");
                Ok((ObjectRef { index, id: entry.id.load(Relaxed) }, arena, made))
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                if !seeded(Fault::RefusedStayEntered) {
                    self.remove_arena(entry)?;
                    self.free(index);
                }
                Err(Error::new(
                    Code::Exists,
                    format!(
                        "\"{}\" is taken by shared memory that this domain didn't make (another program, or another \
                         CROSSMEM_DOMAIN); choose another name or remove it",
                        birth.name
                    ),
                ))
            }
            Err(e) => {
                self.erase(index)?;
                Err(Error::os(&format!("publishing \"{}\"", birth.name), &e))
            }
        }
    }

    /// An id that no object of the domain had before.
    fn next_id(&self) -> u64 {
        self.control.header.next_object.fetch_add(1, Relaxed).wrapping_add(1)
    }

    /// A free entry, which is in no list: one that was used before, or the next one.
    fn claim_entry(&self) -> Result<usize> {
        for _ in 0..2 {
            match self.index().take_free() {
                Ok(Some(index)) => return Ok(index),
                Ok(None) => {
                    if let Some(index) = self.claim_unused()? {
                        return Ok(index);
                    }
                }
                Err(_) => {}
            }
            self.rebuild_index(None);
        }
        Err(Error::new(
            Code::Corrupt,
            format!(
                "the control segment {} is being overwritten by another program",
                self.seat.domain().file_name
            ),
        ))
    }

    /// The first entry that was never used; `None` if it is in use nevertheless.
    fn claim_unused(&self) -> Result<Option<usize>> {
        let index = self.used_entries().len();
        if index == OBJECTS {
            return Err(too_many("objects"));
        }
        self.seat.domain().reserve_entry(index)?;
        fail::point("create.reserved");
        if self.entry(index).state.load(Acquire) != FREE {
            return Ok(None);
        }
        if !seeded(Fault::EntryUnannounced) {
            self.control.header.entries_used.store(index as u64 + 1, Release);
            fail::point("create.entry-used");
        }
        Ok(Some(index))
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        fail::point("registry.unlocking");
        self.control.header.registry.unlock(self.seat);
        fail::point("registry.unlocked");
    }
}
