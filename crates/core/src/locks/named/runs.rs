//! Runs of cells: each free, or a request with its name.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::hash::hash_32;
use crate::layout::{CELL, CELLS, NamedLocksWords};
use crate::sync::AtomicU64;
use crate::sync::Ordering::{Relaxed, Release};
use crate::wait::Peers;

pub(super) const FREE: u8 = 0;
pub(super) const PENDING: u8 = 1;
pub(super) const HELD: u8 = 2;
pub(super) const STOLEN: u8 = 3;
pub(super) const SHARED: u32 = 1;
pub(super) const RECOVERED: u32 = 2;
/// The requester knows that it holds the lock.
pub(super) const NOTICED: u32 = 4;
const FLAGS: u32 = SHARED | RECOVERED | NOTICED;

/// The first word of a run.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub cells: u32,
    pub flags: u32,
    pub state: u8,
}

impl Head {
    pub(super) fn of(word: u64) -> Head {
        Head { cells: (word >> 32) as u32, flags: (word >> 8) as u32 & 0xff_ffff, state: word as u8 }
    }

    pub(super) fn word(self) -> u64 {
        u64::from(self.cells) << 32 | u64::from(self.flags) << 8 | u64::from(self.state)
    }
}

/// The table, while the caller holds its mutex.
pub(crate) struct NamedLocks<'a, P: Peers> {
    pub(super) words: &'a NamedLocksWords,
    pub(super) peers: &'a P,
    /// Whether an agent is dead, by instance: the kernel is asked once.
    pub(super) dead: RefCell<HashMap<u32, bool>>,
    /// How much news there is for the caller.
    pub(super) news: Cell<u32>,
}

impl NamedLocksWords {
    /// The first word of a new table: all cells in one free run.
    pub(crate) fn initial() -> u64 {
        Head { cells: CELLS as u32, flags: 0, state: FREE }.word()
    }

    /// The words in which a run has its name, up to the end of the table.
    fn name_words(&self, at: usize) -> impl Iterator<Item = &AtomicU64> {
        self.names[at..].iter().flatten()
    }

    /// The name in a run of so many cells; `None` if it doesn't fit its tag.
    pub(super) fn name_at(&self, at: usize, cells: u32) -> Option<Vec<u8>> {
        let written = self.tags[at].load(Relaxed);
        let len = written as u32 as usize;
        if len > cells as usize * CELL * 8 {
            return None;
        }
        let words = self.name_words(at).take(len.div_ceil(8));
        let mut name: Vec<u8> = words.flat_map(|word| word.load(Relaxed).to_le_bytes()).collect();
        name.truncate(len);
        (tag(&name) == written).then_some(name)
    }
}

impl<'a, P: Peers> NamedLocks<'a, P> {
    /// The caller holds the mutex.
    pub(super) fn new(words: &'a NamedLocksWords, peers: &'a P) -> Self {
        NamedLocks { words, peers, dead: RefCell::default(), news: Cell::new(0) }
    }
}

impl<P: Peers> NamedLocks<'_, P> {
    pub(super) fn head(&self, at: usize) -> Result<Head> {
        let word = self.words.heads.get(at).ok_or_else(corrupt)?.load(Relaxed);
        let head = Head::of(word);
        let sound = head.cells >= 1
            && at + head.cells as usize <= CELLS
            && head.state <= STOLEN
            && head.flags & !FLAGS == 0;
        if sound { Ok(head) } else { Err(corrupt()) }
    }

    /// Publishes the state of a run.
    pub(super) fn put(&self, at: usize, head: Head) {
        // Release: for the agent that takes the mutex over if the caller dies.
        self.words.heads[at].store(head.word(), Release);
    }

    pub(super) fn free(&self, at: usize) -> Result<()> {
        let head = self.head(at)?;
        self.put(at, Head { state: FREE, flags: 0, ..head });
        fail::point("locks.freed");
        Ok(())
    }

    /// The first free run that is long enough, cut to length. Free neighbours are joined on the
    /// way.
    pub(super) fn find_run(&self, cells: u32) -> Result<Option<usize>> {
        let mut at = 0;
        while at < CELLS {
            let head = self.join(at)?;
            if head.state == FREE && head.cells >= cells {
                if head.cells > cells {
                    if seeded(Fault::SplitFrontFirst) {
                        self.put(at, Head { cells, ..head });
                        fail::point("locks.split");
                    }
                    self.put(at + cells as usize, Head { cells: head.cells - cells, ..head });
                    fail::point("locks.split");
                    self.put(at, Head { cells, ..head });
                }
                return Ok(Some(at));
            }
            at += head.cells as usize;
        }
        Ok(None)
    }

    /// Joins a free run with the free ones behind it.
    fn join(&self, at: usize) -> Result<Head> {
        let mut head = self.head(at)?;
        while head.state == FREE && at + (head.cells as usize) < CELLS {
            let next = self.head(at + head.cells as usize)?;
            if next.state != FREE {
                break;
            }
            head = Head { cells: head.cells + next.cells, flags: 0, state: FREE };
            self.put(at, head);
            fail::point("locks.joined");
        }
        Ok(head)
    }

    pub(super) fn write_name(&self, at: usize, name: &[u8]) {
        self.words.tags[at].store(tag(name), Relaxed);
        for (word, piece) in self.words.name_words(at).zip(name.chunks(8)) {
            word.store(whole_word(piece), Relaxed);
        }
    }

    /// Whether a request with the tag of that name has the name, too.
    pub(super) fn is_named(&self, at: usize, name: &[u8]) -> bool {
        let pieces = name.chunks(8).map(whole_word);
        self.words.name_words(at).map(|word| word.load(Relaxed)).take(name.len().div_ceil(8)).eq(pieces)
    }

    pub(super) fn name(&self, at: usize) -> Result<Vec<u8>> {
        self.words.name_at(at, self.head(at)?.cells).ok_or_else(corrupt)
    }
}

impl<P: Peers> Drop for NamedLocks<'_, P> {
    fn drop(&mut self) {
        self.words.mutex.unlock(self.peers);
    }
}

fn whole_word(piece: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..piece.len()].copy_from_slice(piece);
    u64::from_le_bytes(bytes)
}

/// `{ hash: 32 | bytes: 32 }`
pub(super) fn tag(name: &[u8]) -> u64 {
    u64::from(hash_32(name.iter().copied())) << 32 | name.len() as u64
}

pub(super) fn corrupt() -> Error {
    Error::new(Code::Corrupt, "the domain's table of named locks was overwritten; restart its processes")
}
