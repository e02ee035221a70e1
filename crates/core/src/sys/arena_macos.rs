//! Arenas on macOS: files with holes in the user's own directory, since POSIX shared memory can't
//! be written to or punched there. APFS has holes.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use super::access::Access;
use super::arena_unix::Arena;
use super::control_macos::directory;
use super::file::Found;
use super::place_elsewhere::Place;
use crate::fail;

/// The directory is the user's own, so a name alone is an identity.
const OURS: u64 = 1;
/// Holes begin and end at multiples of a block.
const BLOCK: u64 = 4096;

fn path(name: &str) -> io::Result<PathBuf> {
    Ok(directory()?.join(name))
}

/// Nothing yet: `publish` makes the file.
pub(crate) struct StagedArena(());

#[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "signatures as on the other systems")]
impl StagedArena {
    /// Identity of the file, the same before and after `publish`; never 0.
    pub(crate) fn file(&self) -> io::Result<u64> {
        Ok(OURS)
    }

    /// Makes the file. `AlreadyExists`: the name is taken.
    pub(crate) fn publish(&self, name: &str) -> io::Result<Arena> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600).open(path(name)?).and_then(Arena::of)
    }
}

#[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "signatures as on the other systems")]
impl Place {
    /// An arena for this place. `stage` has refused any other access.
    pub(crate) fn stage_arena(&self, _access: Access) -> io::Result<StagedArena> {
        Ok(StagedArena(()))
    }

    /// The file of a map; LMDB makes the table of its readers.
    pub(crate) fn stage_map(&self, access: Access) -> io::Result<StagedArena> {
        self.stage_arena(access)
    }

    /// Where the arena of that name lies.
    pub(crate) fn path_of_arena(&self, name: &str) -> io::Result<PathBuf> {
        path(name)
    }

    /// `None`: there is no such file.
    pub(crate) fn open_arena(&self, name: &str, _: u64) -> io::Result<Option<Arena>> {
        let mut options = OpenOptions::new();
        match options.read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path(name)?) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            opened => opened.and_then(Arena::of).map(Some),
        }
    }

    /// The file behind a name now; its size is what it takes.
    pub(crate) fn identify_arena(&self, name: &str) -> io::Result<Option<Found>> {
        match fs::symlink_metadata(path(name)?) {
            Ok(meta) => Ok(Some(Found { file: OURS, size: meta.blocks() * 512 })),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Removes the name; fine if it is gone already.
    pub(crate) fn remove_arena(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(path(name)?) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

impl Arena {
    /// A part keeps no memory.
    pub(crate) const KEEPS: bool = false;

    /// Nothing here: the disk takes what is written.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(crate) fn reserve(&self, _from: u64, _to: u64) -> io::Result<()> {
        Ok(())
    }

    /// As on Linux; no part keeps memory here, so none is found.
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on Linux")]
    pub(crate) fn next_data(&self, _at: u64) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Writes to a hole. If that fails, a part may be written.
    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file()?.write_all_at(bytes, at)?;
        fail::point("arena.piece-written");
        Ok(())
    }

    /// Makes a range a hole, as far as the file goes.
    pub(crate) fn punch(&self, at: u64, len: u64) -> io::Result<()> {
        let file = self.file()?;
        let end = (at + len).min(file.metadata()?.len().next_multiple_of(BLOCK));
        let Some(length) = end.checked_sub(at).filter(|length| *length > 0) else { return Ok(()) };
        let hole =
            libc::fpunchhole_t { fp_flags: 0, reserved: 0, fp_offset: at as i64, fp_length: length as i64 };
        // SAFETY: a valid descriptor and a whole structure.
        let punched = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_PUNCHHOLE, &raw const hole) };
        if punched == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
