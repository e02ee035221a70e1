//! Arenas on Linux: files with holes, where the other files of their domain lie.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::access::Access;
use super::arena_unix::{Arena, holds, seek};
use super::directory_linux::directory;
use super::file::{Found, Pages};
use super::linux::Staged;
use super::place_linux::Place;
use super::room_linux::{memory_has_room, refuse_beyond_largest_file, refuse_without_room};
use crate::fail;
use crate::layout::ARENA_BYTES;

/// The file's lock is held for so many bytes at a time, so that no writer waits long for another.
const PIECE: usize = 1 << 20;
/// So many pieces are written without asking for memory again.
const UNASKED: usize = 64;

/// A file without a name, with no memory reserved.
pub(crate) struct StagedArena(Staged);

impl StagedArena {
    /// Identity of the file, the same before and after `publish`; never 0.
    pub(crate) fn file(&self) -> io::Result<u64> {
        self.0.file()
    }

    /// Gives it the name. `AlreadyExists`: the name is taken.
    pub(crate) fn publish(&self, name: &str) -> io::Result<Arena> {
        self.0.publish(name)?;
        self.0.duplicate().and_then(Arena::of)
    }
}

impl Place {
    /// An arena for this place, with no memory reserved.
    pub(crate) fn stage_arena(&self, access: Access) -> io::Result<StagedArena> {
        self.stage(0, access, Pages::Usual).map(StagedArena)
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
