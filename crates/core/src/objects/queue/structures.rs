//! The structures of a queue: a list of byte strings that only grows. An entry stays at its place,
//! so a message can name it by its number. What an entry means is the codec's affair.
//!
//! An entry is written behind the others, and then `used` is advanced over it, with `Release`. A
//! message that names the entry is put afterwards, so its reader finds it.
//!
//! | died | what others see | what the next owner of the mutex does |
//! | --- | --- | --- |
//! | before `used` is stored | the entries before | writes its own entry to the same place |
//! | afterwards | the new entry, whole | nothing |

use super::member::Member;
use crate::error::Result;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{STRUCTURES_BYTES, StructuresWords};
use crate::locks::ATTEMPT_TIMEOUT;
use crate::objects::object::Object;
use crate::sync::Ordering::{Acquire, Release};
use crate::wait::Wait;

/// Bytes of an entry's length.
const LEN: u64 = size_of::<u32>() as u64;
/// The most entries.
const MOST: usize = 64;
const ROOM: u64 = STRUCTURES_BYTES - size_of::<StructuresWords>() as u64;

/// What became of an entry that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is in the list, perhaps since before, and has this number.
    At(usize),
    /// The list is full, or the queue has none.
    NoRoom,
    /// Another process adds one.
    NotNow,
}

struct List<'a> {
    object: Object<'a>,
    words: &'a StructuresWords,
    entries_at: u64,
}

impl<'a> List<'a> {
    fn of(object: Object<'a>, member: &Member) -> Result<Option<List<'a>>> {
        let Some(at) = member.geometry.structures_at else { return Ok(None) };
        let words = object.segment.region().at(at)?;
        Ok(Some(List { object, words, entries_at: at + size_of::<StructuresWords>() as u64 }))
    }

    /// The entries, and where the next one begins.
    fn entries(&self) -> Result<(Vec<Vec<u8>>, u64)> {
        let used = u64::from(self.words.used.load(Acquire));
        let (mut entries, mut at) = (Vec::new(), 0);
        while at < used {
            let bytes = self.bytes(at + LEN, self.len(at, used)?)?;
            at += LEN + bytes.len() as u64;
            entries.push(bytes);
        }
        if used > ROOM || entries.len() > MOST { Err(self.object.corrupt()) } else { Ok((entries, at)) }
    }

    /// The length of the entry at `at`, which ends at `used` at the latest.
    fn len(&self, at: u64, used: u64) -> Result<u64> {
        let mut len = [0; LEN as usize];
        self.object.segment.region().copy_to(self.entries_at + at, &mut len)?;
        let len = u64::from(u32::from_le_bytes(len));
        let fits = used <= ROOM && at + LEN + len <= used;
        if fits { Ok(len) } else { Err(self.object.corrupt()) }
    }

    fn bytes(&self, at: u64, len: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len as usize];
        self.object.segment.region().copy_to(self.entries_at + at, &mut bytes)?;
        Ok(bytes)
    }

    /// The caller holds the mutex.
    fn add(&self, bytes: &[u8]) -> Result<Added> {
        let (entries, at) = self.entries()?;
        let known = entries.iter().position(|entry| entry == bytes);
        if let Some(number) = known.filter(|_| !seeded(Fault::StructureAddedAgain)) {
            return Ok(Added::At(number));
        }
        let end = at + LEN + bytes.len() as u64;
        if entries.len() == MOST || end > ROOM {
            return Ok(Added::NoRoom);
        }
        if seeded(Fault::StructurePublishedUnwritten) {
            self.words.used.store(end as u32, Release);
        }
        let region = self.object.segment.region();
        region.write(self.entries_at + at, &(bytes.len() as u32).to_le_bytes())?;
        fail::point("structures.measured");
        region.write(self.entries_at + at + LEN, bytes)?;
        fail::point("structures.written");
        self.words.used.store(end as u32, Release);
        fail::point("structures.added");
        Ok(Added::At(entries.len()))
    }
}

impl Object<'_> {
    /// Adds an entry to the queue's structures, unless there is one with these bytes.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn add_structure(&self, member: &Member, bytes: &[u8]) -> Result<Added> {
        let Some(list) = List::of(*self, member)? else { return Ok(Added::NoRoom) };
        let (mutex, peers) = (&list.words.mutex, self.peers());
        if mutex.lock(peers, Wait::For(ATTEMPT_TIMEOUT)).is_err() {
            return Ok(Added::NotNow);
        }
        fail::point("structures.locked");
        // What a dead holder left behind `used` is overwritten.
        mutex.mark_consistent();
        let added = list.add(bytes);
        mutex.unlock(peers);
        added
    }

    /// All entries of the queue's structures.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn structures(&self, member: &Member) -> Result<Vec<Vec<u8>>> {
        List::of(*self, member)?.map_or(Ok(Vec::new()), |list| Ok(list.entries()?.0))
    }
}
