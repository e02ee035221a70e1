//! Arenas on Linux: files with holes, where the other files of their domain lie.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use super::access::Access;
use super::arena_unix::{Arena, holds, seek};
use super::directory_linux::directory;
use super::file::{Found, Pages};
use super::linux::Staged;
use super::map_file::{READERS_BYTES, readers_of};
use super::place_linux::Place;
use super::room_linux::{memory_has_room, refuse_beyond_largest_file, refuse_to_grow, refuse_without_room};
use crate::fail;
use crate::layout::ARENA_BYTES;

/// The file's lock is held for so many bytes at a time, so that no writer waits long for another.
const PIECE: usize = 1 << 20;
/// So many pieces are written without asking for memory again.
const UNASKED: usize = 64;

/// A file without a name, with no memory reserved.
pub(crate) struct StagedArena {
    file: Staged,
    /// The table of a map's readers, with all of its memory: LMDB would map a file with holes, and
    /// a store to a hole ends the process if shared memory is full.
    readers: Option<Staged>,
}

impl StagedArena {
    /// Identity of the file, the same before and after `publish`; never 0.
    pub(crate) fn file(&self) -> io::Result<u64> {
        self.file.file()
    }

    /// Gives it the name, after the table of readers has its own. `AlreadyExists`: a name is taken.
    pub(crate) fn publish(&self, name: &str) -> io::Result<Arena> {
        if let Some(readers) = &self.readers {
            readers.publish(&readers_of(name))?;
            fail::point("create.readers-linked");
        }
        match self.file.publish(name) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists && self.readers.is_some() => {
                fs::remove_file(self.file.directory().join(readers_of(name)))?;
                Err(e)
            }
            published => published.and_then(|()| self.file.duplicate().and_then(Arena::of)),
        }
    }
}

impl Place {
    /// An arena for this place, with no memory reserved.
    pub(crate) fn stage_arena(&self, access: Access) -> io::Result<StagedArena> {
        Ok(StagedArena { file: self.stage(0, access, Pages::Usual)?, readers: None })
    }

    /// The file of a map, and the table of its readers.
    pub(crate) fn stage_map(&self, access: Access) -> io::Result<StagedArena> {
        let readers = self.stage(READERS_BYTES, access, Pages::Usual)?;
        Ok(StagedArena { file: self.stage(0, access, Pages::Usual)?, readers: Some(readers) })
    }

    /// Where the arena of that name lies.
    #[allow(clippy::unnecessary_wraps, reason = "as on macOS")]
    pub(crate) fn path_of_arena(&self, name: &str) -> io::Result<PathBuf> {
        Ok(self.path(name))
    }

    /// `None`: the name doesn't lead to that file.
    pub(crate) fn open_arena(&self, name: &str, file: u64) -> io::Result<Option<Arena>> {
        match self.open(name) {
            Ok(opened) if opened.metadata()?.ino() == file => Arena::of(opened).map(Some),
            Ok(_) => Ok(None),
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::ELOOP)) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The file behind a name now; its size is the memory that it takes.
    pub(crate) fn identify_arena(&self, name: &str) -> io::Result<Option<Found>> {
        match fs::symlink_metadata(self.path(name)) {
            Ok(meta) if meta.is_file() => Ok(Some(Found { file: meta.ino(), size: meta.blocks() * 512 })),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes the name; fine if it is gone already.
    pub(crate) fn remove_arena(&self, name: &str) -> io::Result<()> {
        self.remove(name)
    }
}

impl Arena {
    /// Whether a part may keep its memory: `next_data` finds it.
    pub(crate) const KEEPS: bool = true;

    /// Writes a message. Fails with a `Shortage` if there is no room; a part may be written then.
    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let len = bytes.len() as u64;
        // Whatever `at` is: some messages would fit, depending on their chunks.
        refuse_beyond_largest_file(ARENA_BYTES)?;
        let file = self.file()?;
        let has_memory = holds(file, at, len)?;
        if !has_memory {
            refuse_without_room(directory(), len)?;
        }
        for (i, piece) in bytes.chunks(PIECE).enumerate() {
            let done = (i * PIECE) as u64;
            if i > 0 && i % UNASKED == 0 && !has_memory {
                memory_has_room(len - done)?;
            }
            file.write_all_at(piece, at + done)?;
            fail::point("arena.piece-written");
        }
        Ok(())
    }

    /// Takes the memory of a range, so that writing there can't fail. The file's length stays.
    /// Fails with a `Shortage` if there is no room.
    pub(crate) fn reserve(&self, from: u64, to: u64) -> io::Result<()> {
        refuse_to_grow(directory(), from, to.saturating_sub(from))?;
        let file = self.file()?;
        let mut done = from;
        while done < to {
            let now = (UNASKED * PIECE).min((to - done) as usize) as u64;
            // SAFETY: a valid descriptor; offsets are positive.
            let taken = unsafe {
                libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, done as i64, now as i64)
            };
            match io::Error::last_os_error() {
                _ if taken == 0 => done += now,
                e if e.kind() == ErrorKind::Interrupted => {}
                e => return Err(e),
            }
            if done < to {
                memory_has_room(to - done)?;
            }
        }
        Ok(())
    }

    /// Where the first memory is from `at` on, if there is any.
    pub(crate) fn next_data(&self, at: u64) -> io::Result<Option<u64>> {
        seek(self.file()?, at, libc::SEEK_DATA)
    }

    /// Makes a range a hole.
    pub(crate) fn punch(&self, at: u64, len: u64) -> io::Result<()> {
        let file = self.file()?;
        let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        loop {
            // SAFETY: a valid descriptor; offsets are positive.
            if unsafe { libc::fallocate(file.as_raw_fd(), mode, at as i64, len as i64) } == 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            if error.kind() != ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }
}
