//! Finds an entry by its name, and a free one, at a cost that doesn't grow with their number.
//!
//! An entry in use is in the list of its name's hash, and a free one in the list of free entries.
//! `Entry::next` links both. Only the owner of the registry's mutex reads or changes lists. They
//! tell nothing that the states and names of the entries don't tell, so `rebuild` can always make
//! them again. The next owner does so when one has died:
//!
//! | after this store | a death leaves |
//! | --- | --- |
//! | `take_free`: `free` leads to the second free entry | the first one in no list |
//! | `insert`: `next` of the entry | the entry in no list |
//! | `insert`: the head | sound lists |
//! | `remove`: the link before the entry | the entry in no list |
//! | `give_free`: `next` of the entry | the entry in no list |
//! | `give_free`: `free` | sound lists |
//! | `rebuild`: any | some lists as they were, some as they will be |
//!
//! `rebuild` makes the same lists of the same entries, and stores only what differs. So one that
//! begins again goes on where the last one died. It reads no head of a list without entries: a
//! death leaves no such head that isn't 0, since an entry leaves its list before it is free.
//!
//! A link is checked before it is followed, and no walk takes more steps than there are entries. If
//! another program has overwritten a list, the walk fails, and the caller rebuilds, that list too.

use super::state::{FREE, LIVE};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::hash::hash_32;
use crate::layout::{Control, Entry, OBJECTS};
use crate::sync::AtomicU32;
use crate::sync::Ordering::{Acquire, Relaxed};

/// A list is not what the entries say: that of a hash, or `None` for the free entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged(Option<usize>);

/// The lists of entries.
pub(super) struct Index<'a> {
    /// One for each hash: a power of two.
    heads: &'a [AtomicU32],
    free: &'a AtomicU32,
    /// All that may be touched.
    entries: &'a [Entry],
    /// How many of them were ever used.
    used: usize,
}

impl<'a> Index<'a> {
    pub(super) fn of(control: &'a Control, entries: &'a [Entry], used: usize) -> Index<'a> {
        Index { heads: &control.heads, free: &control.header.free, entries, used }
    }

    /// The living object of that name.
    pub(super) fn find(&self, name: &str) -> Result<Option<usize>, Damaged> {
        let is_it = |_, entry: &Entry| entry.state.load(Acquire) == LIVE && has_name(entry, name);
        Ok(self.walk(self.list(name.bytes()), is_it)?.map(|(_, index)| index))
    }

    /// Puts an entry that is in no list into the list of its name.
    pub(super) fn insert(&self, index: usize) {
        let entry = &self.entries[index];
        let head = &self.heads[self.list(name_bytes(entry))];
        entry.next.store(head.load(Relaxed), Relaxed);
        fail::point("index.next");
        head.store(link_to(index), Relaxed);
        fail::point("index.inserted");
    }

    /// Takes an entry out of the list of its name.
    pub(super) fn remove(&self, index: usize) -> Result<(), Damaged> {
        let entry = &self.entries[index];
        let list = self.list(name_bytes(entry));
        let (link, _) = self.walk(list, |at, _| at == index)?.ok_or(Damaged(Some(list)))?;
        if !seeded(Fault::RemovedStayListed) {
            link.store(entry.next.load(Relaxed), Relaxed);
        }
        fail::point("index.removed");
        Ok(())
    }

    /// Takes an entry out of the list of free ones. `None`: there is none.
    pub(super) fn take_free(&self) -> Result<Option<usize>, Damaged> {
        let Some(index) = target(self.free) else { return Ok(None) };
        let entry = self.entries[..self.used].get(index).ok_or(Damaged(None))?;
        if entry.state.load(Acquire) != FREE && !seeded(Fault::FreeListTrusted) {
            return Err(Damaged(None));
        }
        if !seeded(Fault::TakenStayFree) {
            self.free.store(entry.next.load(Relaxed), Relaxed);
        }
        fail::point("index.taken");
        Ok(Some(index))
    }

    /// Puts a free entry that is in no list into the list of free ones.
    pub(super) fn give_free(&self, index: usize) {
        if seeded(Fault::FreedAreLost) {
            return;
        }
        self.entries[index].next.store(self.free.load(Relaxed), Relaxed);
        fail::point("index.next");
        self.free.store(link_to(index), Relaxed);
        fail::point("index.given");
        if seeded(Fault::FreedTwice) {
            self.entries[index].next.store(link_to(index), Relaxed);
        }
    }

    /// Makes all lists from the states and names of the entries; and `damaged`, if that has none.
    pub(super) fn rebuild(&self, damaged: Option<Damaged>) {
        if seeded(Fault::ListsNotRebuilt) {
            return;
        }
        let mut firsts = vec![0; self.heads.len()];
        let mut free = 0;
        let in_use = |entry: &Entry| entry.state.load(Acquire) != FREE;
        for (index, entry) in self.entries[..self.used].iter().enumerate().rev() {
            let first = if in_use(entry) { &mut firsts[self.list(name_bytes(entry))] } else { &mut free };
            correct(&entry.next, std::mem::replace(first, link_to(index)));
        }
        correct(self.free, free);
        let lists = self.entries[..self.used].iter().filter(|entry| in_use(entry));
        let lists = lists.map(|entry| self.list(name_bytes(entry)));
        for list in lists.chain(damaged.and_then(|Damaged(list)| list)) {
            correct(&self.heads[list], firsts[list]);
        }
    }

    /// Follows a list. Returns the first entry that `is_it`, and the link to it.
    fn walk(
        &self,
        list: usize,
        is_it: impl Fn(usize, &Entry) -> bool,
    ) -> Result<Option<(&'a AtomicU32, usize)>, Damaged> {
        let mut link = &self.heads[list];
        for _ in 0..=self.entries.len() {
            let Some(index) = target(link) else { return Ok(None) };
            let entry = self.entries.get(index).ok_or(Damaged(Some(list)))?;
            if entry.state.load(Acquire) == FREE && !seeded(Fault::ListedFreeUnnoticed) {
                return Err(Damaged(Some(list)));
            }
            if is_it(index, entry) {
                return Ok(Some((link, index)));
            }
            link = &entry.next;
        }
        if seeded(Fault::LoopTakenForEnd) { Ok(None) } else { Err(Damaged(Some(list))) }
    }

    /// Which list a name is in.
    fn list(&self, name: impl Iterator<Item = u8>) -> usize {
        hash(name, self.heads.len())
    }
}

/// Which of the registry's lists a name is in, for tests that need names that share one.
#[must_use]
pub fn list_of(name: &str) -> usize {
    hash(name.bytes(), OBJECTS)
}

/// FNV-1a, folded to the number of lists as RFC 9923 advises. That number is a power of two.
fn hash(name: impl Iterator<Item = u8>, lists: usize) -> usize {
    let hash = hash_32(name);
    (hash >> 16 ^ hash) as usize & (lists - 1)
}

/// What a link to this entry says.
fn link_to(index: usize) -> u32 {
    index as u32 + 1
}

/// The index that a link says.
fn target(link: &AtomicU32) -> Option<usize> {
    link.load(Relaxed).checked_sub(1).map(|index| index as usize)
}

fn correct(link: &AtomicU32, value: u32) {
    if link.load(Relaxed) != value {
        link.store(value, Relaxed);
        fail::point("index.corrected");
    }
}

/// The bytes of an entry's name, whether or not they are a valid name.
fn name_bytes(entry: &Entry) -> impl Iterator<Item = u8> + '_ {
    entry.name.iter().take(entry.name_len.load(Relaxed) as usize).map(|byte| byte.load(Relaxed))
}

fn has_name(entry: &Entry, name: &str) -> bool {
    entry.name_len.load(Relaxed) as usize == name.len() && name_bytes(entry).eq(name.bytes())
}

#[cfg(all(test, not(loom)))]
mod tests;
