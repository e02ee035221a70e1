//! The table of objects: its entries, their names and states.

use super::index::{Damaged, Index};
use super::lives::Lives;
use super::state::{FREE, LIVE};
use crate::domain::name::{self, NAME_MAX};
use crate::domain::seat::Seat;
use crate::faults::{Fault, seeded};
use crate::layout::{Control, Entry, Kind};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sys::{Place, StagedArena};
use crate::wait::Peers;

/// An object as its handles know it: its entry, and its id, which no other object of the domain
/// ever has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    pub(crate) index: usize,
    pub(crate) id: u64,
}

/// A new object.
pub(crate) struct Birth<'a> {
    pub name: &'a str,
    pub kind: Kind,
    pub size: u64,
    pub file: u64,
    pub persist: bool,
    /// The file of a queue's large messages.
    pub arena: Option<&'a StagedArena>,
}

/// The registry, while the caller holds its mutex.
pub(crate) struct Registry<'a> {
    pub(super) seat: &'a Seat,
    pub(super) control: &'a Control,
    pub(super) lives: Lives,
}

impl<'a> Registry<'a> {
    pub(crate) fn control(&self) -> &'a Control {
        self.control
    }

    pub(crate) fn entry(&self, index: usize) -> &'a Entry {
        &self.seat.domain().entries()[index]
    }

    /// All entries that were ever used.
    pub(super) fn used_entries(&self) -> &'a [Entry] {
        self.seat.domain().used_entries()
    }

    pub(super) fn index(&self) -> Index<'a> {
        // First, so that this process knows of all entries that a link may lead to.
        let used = self.used_entries().len();
        Index::of(self.control, self.seat.domain().entries(), used)
    }

    /// Makes the index from the entries. No entry that is in use is left behind `entries_used`, if
    /// another program has overwritten that.
    pub(super) fn rebuild_index(&self, damaged: Option<Damaged>) {
        let used = self.used_entries().len();
        let (entries, said) = (self.seat.domain().entries(), &self.control.header.entries_used);
        let more = entries[used..].iter().take_while(|entry| entry.state.load(Acquire) != FREE).count();
        if said.load(Relaxed) != (used + more) as u64 {
            said.store((used + more) as u64, Release);
        }
        Index::of(self.control, entries, used + more).rebuild(damaged);
    }

    /// The entry of the object; `None` if the object was unlinked.
    pub(crate) fn entry_of(&self, object: ObjectRef) -> Option<&'a Entry> {
        let entry = self.seat.domain().entries().get(object.index)?;
        (entry.state.load(Acquire) == LIVE
            && (entry.id.load(Relaxed) == object.id || seeded(Fault::StaleHandles)))
        .then_some(entry)
    }

    /// The entry with that name, whether or not its object is wanted and its file is there.
    pub(crate) fn entered_as(&self, name: &str) -> Option<usize> {
        let found = self.index().find(name).or_else(|damaged| {
            self.rebuild_index(Some(damaged));
            self.index().find(name)
        });
        found.unwrap_or(None)
    }

    /// Whether a living agent is attached, or none is needed. The table of named locks stays until
    /// the last agent leaves the domain: it reports the death of a holder to later requests.
    pub(super) fn is_wanted(&self, entry: &Entry) -> bool {
        let lives = |slot: usize| slot == self.me() || self.lives.in_slot(self.seat.domain(), slot);
        let mut users = entry.attached.iter();
        entry.persist.load(Relaxed) != 0
            || is_lock_manager(entry) && !seeded(Fault::NamedLocksForgotten)
            || if seeded(Fault::FirstUserDecides) {
                users.next().is_some_and(lives)
            } else {
                users.any(lives)
            }
    }

    pub(super) fn place(&self) -> &'a Place {
        &self.seat.domain().place
    }

    pub(super) fn me(&self) -> usize {
        usize::from(self.seat.me().slot)
    }
}

pub(super) fn is_lock_manager(entry: &Entry) -> bool {
    entry.kind.load(Relaxed) == Kind::LockManager as u32
}

/// The entry's name; `None` if its bytes are no valid name.
pub(crate) fn name_of(entry: &Entry) -> Option<String> {
    let len = entry.name_len.load(Relaxed) as usize;
    if len == 0 || len > NAME_MAX {
        return None;
    }
    let bytes = entry.name[..len].iter().map(|byte| byte.load(Relaxed)).collect();
    String::from_utf8(bytes).ok().filter(|name| name::check_name(name).is_ok())
}
