//! Arenas: the file of a queue's large messages, or of a map's entries. Its name is made of the
//! control segment's and of the object's id. It appears while the object is `BORN`, before the
//! object's own name does, and is removed while the object is `DYING`. The entry has the file's
//! identity before the file has its name. So `erase` removes the file after a death at any of these
//! steps, and never a file that another program put there.
//!
//! A map's arena has a table of readers beside it, whose name is made of the arena's. It appears
//! before the arena and goes before it, so it is removed whether or not the arena is there.

use std::io::{self, ErrorKind};

use super::table::Registry;
use crate::domain::control::Domain;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{Entry, Kind};
use crate::sync::Ordering::Relaxed;
use crate::sys::{Arena, Found, Place, StagedArena};

impl Registry<'_> {
    /// Gives the arena of a new object its name. If a file has that name, the object gets the next
    /// id.
    pub(super) fn publish_arena(&self, entry: &Entry, arena: &StagedArena) -> io::Result<Arena> {
        loop {
            match arena.publish(&name_of(self.seat.domain(), entry)) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => entry.id.store(self.next_id(), Relaxed),
                published => {
                    fail::point("create.arena-linked");
                    return published;
                }
            }
        }
    }

    /// Opens the object's arena, if the object has one.
    pub(crate) fn open_arena(&self, entry: &Entry) -> Result<Option<Arena>> {
        let Some(name) = arena_of(self.seat.domain(), entry) else { return Ok(None) };
        let opened = self.place().open_arena(&name, entry.arena.load(Relaxed));
        match opened.map_err(|e| Error::os("opening the file of large messages or of a map", &e))? {
            None => Err(Error::new(
                Code::NotFound,
                format!("another program removed {} in this moment", self.place().shown(&name)),
            )),
            arena => Ok(arena),
        }
    }

    /// Whether the object has no arena, or its arena still has its name.
    pub(super) fn arena_is_there(&self, entry: &Entry) -> Result<bool> {
        let Some(name) = arena_of(self.seat.domain(), entry) else { return Ok(true) };
        let found = found(self.place(), &name, entry);
        Ok(found.map_err(|e| Error::os(&format!("looking for {}", self.place().shown(&name)), &e))?.is_some())
    }

    pub(super) fn remove_arena(&self, entry: &Entry) -> Result<()> {
        let arena = arena_of(self.seat.domain(), entry).filter(|_| !seeded(Fault::ArenaStays));
        let Some(name) = arena else { return Ok(()) };
        fail::point("erase.segment-removed");
        let is_map = entry.kind.load(Relaxed) == Kind::SharedMap as u32;
        let readers_removed = if is_map { self.place().remove_readers(&name) } else { Ok(()) };
        fail::point("erase.readers-removed");
        let removed = readers_removed.and_then(|()| match found(self.place(), &name, entry)? {
            Some(_) => self.place().remove_arena(&name),
            None => Ok(()),
        });
        removed.map_err(|e| Error::os(&format!("removing {}", self.place().shown(&name)), &e))
    }
}

/// The bytes of an object: of its segment, and of its arena as far as messages lie in it.
pub(crate) fn bytes_of(domain: &Domain, entry: &Entry) -> u64 {
    let arena = arena_of(domain, entry).and_then(|name| found(&domain.place, &name, entry).ok().flatten());
    entry.size.load(Relaxed) + arena.map_or(0, |arena| arena.size)
}

/// The file of that name, if it is the entry's arena.
fn found(place: &Place, name: &str, entry: &Entry) -> io::Result<Option<Found>> {
    let is_ours = |now: &Found| now.file == entry.arena.load(Relaxed) || seeded(Fault::ForeignArenaRemoved);
    Ok(place.identify_arena(name)?.filter(is_ours))
}

/// The name of the entry's arena, if there is one.
fn arena_of(domain: &Domain, entry: &Entry) -> Option<String> {
    (entry.arena.load(Relaxed) != 0).then(|| name_of(domain, entry))
}

fn name_of(domain: &Domain, entry: &Entry) -> String {
    arena_name(domain, entry.id.load(Relaxed))
}

/// The name of the arena of the object with that id. `+` is in no domain's name.
pub(crate) fn arena_name(domain: &Domain, id: u64) -> String {
    format!("{}+{id:x}", domain.file_name)
}
