//! Arenas on Windows: sparse files beside the segments.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::FileExt;
use std::os::windows::io::AsRawHandle;
use std::path::PathBuf;
use std::ptr;

use windows_sys::Win32::Foundation::ERROR_MORE_DATA;
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    FILE_ALLOCATED_RANGE_BUFFER, FILE_ZERO_DATA_INFORMATION, FSCTL_QUERY_ALLOCATED_RANGES, FSCTL_SET_SPARSE,
    FSCTL_SET_ZERO_DATA,
};

use super::access::Access;
use super::file::{Found, Pages};
use super::place_elsewhere::Place;
use super::room::Shortage;
use super::windows::{Staged, found, headroom, path};
use crate::fail;

/// Sends a request with `input` to the file. Returns how many bytes of `output` the system filled.
fn control<I, O>(file: &File, request: u32, input: &I, output: &mut O) -> io::Result<usize> {
    let mut filled = 0;
    // SAFETY: a valid handle, and two whole structures with their sizes.
    let done = unsafe {
        DeviceIoControl(
            file.as_raw_handle(),
            request,
            ptr::from_ref(input).cast(),
            size_of::<I>() as u32,
            ptr::from_mut(output).cast(),
            size_of::<O>() as u32,
            &raw mut filled,
            ptr::null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(filled as usize) }
}

/// A file that the system deletes unless it is published.
pub(crate) struct StagedArena(Staged);

impl StagedArena {
    /// Identity of the file, the same before and after `publish`; never 0.
    pub(crate) fn file(&self) -> io::Result<u64> {
        self.0.file()
    }

    /// Gives it the name. `AlreadyExists`: the name is taken.
    pub(crate) fn publish(&self, name: &str) -> io::Result<Arena> {
        self.0.publish(name)?;
        open(name, self.file()?)?.ok_or_else(|| ErrorKind::NotFound.into())
    }
}

fn open(name: &str, file: u64) -> io::Result<Option<Arena>> {
    match OpenOptions::new().read(true).write(true).open(path(name)?) {
        Ok(opened) => Ok((found(&opened)?.file == file).then_some(Arena(opened))),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

impl Place {
    /// An arena for this place.
    pub(crate) fn stage_arena(&self, access: Access) -> io::Result<StagedArena> {
        let staged = self.stage(0, access, Pages::Usual)?;
        control(staged.as_file(), FSCTL_SET_SPARSE, &(), &mut ())?;
        Ok(StagedArena(staged))
    }

    /// The file of a map; LMDB makes the table of its readers.
    pub(crate) fn stage_map(&self, access: Access) -> io::Result<StagedArena> {
        self.stage_arena(access)
    }

    /// Where the arena of that name lies.
    pub(crate) fn path_of_arena(&self, name: &str) -> io::Result<PathBuf> {
        path(name)
    }

    /// `None`: the name doesn't lead to that file.
    #[allow(clippy::unused_self, reason = "signatures as on Linux")]
    pub(crate) fn open_arena(&self, name: &str, file: u64) -> io::Result<Option<Arena>> {
        open(name, file)
    }

    /// The file behind a name now. What a sparse file takes isn't asked for: 0.
    pub(crate) fn identify_arena(&self, name: &str) -> io::Result<Option<Found>> {
        Ok(self.identify(name)?.map(|found| Found { size: 0, ..found }))
    }

    /// Removes the name; fine if it is gone already.
    pub(crate) fn remove_arena(&self, name: &str) -> io::Result<()> {
        self.remove(name)
    }
}

/// An open sparse file.
pub(crate) struct Arena(File);

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

    /// Writes to a hole. Fails with a `Shortage` if there is no room; a part may be written then.
    pub(crate) fn write(&self, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
        Shortage::unless_fits(bytes.len() as u64, headroom()?)?;
        while !bytes.is_empty() {
            let written = self.0.seek_write(bytes, at)?;
            (at, bytes) = (at + written as u64, &bytes[written..]);
            fail::point("arena.piece-written");
        }
        Ok(())
    }

    /// Reads bytes that were written. Holes read as zeros; behind the end of the file it fails with
    /// `UnexpectedEof`.
    pub(crate) fn read(&self, mut at: u64, to: &mut [u8]) -> io::Result<()> {
        let mut done = 0;
        while done < to.len() {
            match self.0.seek_read(&mut to[done..], at)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => (at, done) = (at + read as u64, done + read),
            }
        }
        Ok(())
    }

    /// Whether there is no hole in that range, nor the end of the file.
    pub(crate) fn holds(&self, at: u64, len: u64) -> io::Result<bool> {
        let wanted = FILE_ALLOCATED_RANGE_BUFFER { FileOffset: at as i64, Length: len as i64 };
        let mut first = FILE_ALLOCATED_RANGE_BUFFER::default();
        let filled = match control(&self.0, FSCTL_QUERY_ALLOCATED_RANGES, &wanted, &mut first) {
            // There are several parts, with holes between them.
            Err(e) if e.raw_os_error() == Some(ERROR_MORE_DATA as i32) => return Ok(false),
            filled => filled?,
        };
        let reaches = |range: &FILE_ALLOCATED_RANGE_BUFFER| {
            range.FileOffset <= wanted.FileOffset && range.FileOffset + range.Length >= (at + len) as i64
        };
        Ok(filled == size_of_val(&first) && reaches(&first) && at + len <= found(&self.0)?.size)
    }

    /// Makes a range a hole.
    pub(crate) fn punch(&self, at: u64, len: u64) -> io::Result<()> {
        let zeros = FILE_ZERO_DATA_INFORMATION { FileOffset: at as i64, BeyondFinalZero: (at + len) as i64 };
        control(&self.0, FSCTL_SET_ZERO_DATA, &zeros, &mut ()).map(drop)
    }
}
