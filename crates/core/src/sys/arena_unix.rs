//! What arenas are on Linux and macOS: an open file with holes.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};

use super::lock_ofd::out_of_the_way;

/// An open file with holes.
pub(crate) struct Arena {
    file: File,
    /// Device and inode.
    identity: (u64, u64),
}

impl Arena {
    pub(super) fn of(file: File) -> io::Result<Arena> {
        let identity = identity(&file)?;
        Ok(Arena { file: out_of_the_way(file), identity })
    }

    /// The file. Native code may have closed the descriptor, as code that closes all descriptors
    /// does, and its number may lead to a file of another program by now.
    pub(super) fn file(&self) -> io::Result<&File> {
        if identity(&self.file).is_ok_and(|now| now == self.identity) {
            return Ok(&self.file);
        }
        Err(io::Error::other("other code of this process closed the descriptor of a queue's large messages"))
    }

    /// Reads bytes that were written. Holes read as zeros; behind the end of the file it fails with
    /// `UnexpectedEof`.
    pub(crate) fn read(&self, at: u64, to: &mut [u8]) -> io::Result<()> {
        self.file()?.read_exact_at(to, at)
    }

    /// Whether there is no hole in that range, nor the end of the file.
    pub(crate) fn holds(&self, at: u64, len: u64) -> io::Result<bool> {
        holds(self.file()?, at, len)
    }
}

pub(super) fn holds(file: &File, at: u64, len: u64) -> io::Result<bool> {
    Ok(seek(file, at, libc::SEEK_HOLE)?.is_some_and(|hole| hole >= at + len))
}

/// The first place from `at` on that `whence` names. `None`: the file ends before.
pub(super) fn seek(file: &File, at: u64, whence: libc::c_int) -> io::Result<Option<u64>> {
    // SAFETY: a valid descriptor, whose position no call uses.
    let found = unsafe { libc::lseek(file.as_raw_fd(), at as i64, whence) };
    let error = io::Error::last_os_error();
    match u64::try_from(found) {
        Ok(found) => Ok(Some(found)),
        Err(_) if error.raw_os_error() == Some(libc::ENXIO) => Ok(None),
        Err(_) => Err(error),
    }
}

fn identity(file: &File) -> io::Result<(u64, u64)> {
    let meta = file.metadata()?;
    Ok((meta.dev(), meta.ino()))
}
