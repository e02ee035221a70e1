//! Windows: files in the temp folder.
//!
//! `shared_memory` backs its segments with files in `%TEMP%\shared_memory-rs`, so everything is as
//! on Linux with `/dev/shm`. An object is staged as a file that the system deletes if this process
//! dies. It gets its name by one hard link, so whenever the name leads to it, it is whole and of
//! exact size. The temp folder is the user's own. A file has an identity for life, and its bytes
//! can be locked while it is mapped, as `SQLite` does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::os::windows::io::AsRawHandle;
use std::path::PathBuf;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, DELETE, FILE_ATTRIBUTE_TEMPORARY, FILE_FLAG_DELETE_ON_CLOSE,
    GetDiskFreeSpaceExW, GetFileInformationByHandle,
};

use super::file::{Found, Part};
use super::mapping::Mapping;
use super::room::{Headroom, Limit, Shortage};
use crate::hash::hash_64;

/// The folder of the files of `shared_memory`.
fn directory() -> io::Result<PathBuf> {
    let directory = std::env::temp_dir().join("shared_memory-rs");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// The plain names in the folder.
pub(super) fn names() -> Vec<String> {
    let entries = directory().and_then(fs::read_dir).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
    files.filter_map(|file| file.strip_prefix("cm-").map(str::to_owned)).collect()
}

/// Windows compares names without case, and forbids many. A plain name is kept, any other is
/// replaced by its hash. The two never meet, since `#` isn't plain.
fn file_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    if name.len() <= 100 && name.chars().all(plain) && !name.ends_with('.') {
        format!("cm-{name}")
    } else {
        format!("cm#{:016x}", hash_64(name.as_bytes()))
    }
}

pub(super) fn path(name: &str) -> io::Result<PathBuf> {
    Ok(directory()?.join(file_name(name)))
}

/// A name that no other file has.
fn temporary(prefix: &str) -> io::Result<PathBuf> {
    let random = getrandom::u64().map_err(|e| io::Error::other(e.to_string()))?;
    Ok(directory()?.join(format!("{prefix}{random:016x}")))
}

impl Mapping {
    /// Maps the segment of that name, whole, for reading and writing.
    ///
    /// `shared_memory` names the system's mapping object like the file. While a process has an
    /// unlinked object mapped, that name still leads to it, and a new object of the same name would
    /// get the old bytes. So the name here has the file's identity, in a part of the path that
    /// Windows drops again.
    pub(crate) fn open(name: &str) -> io::Result<Mapping> {
        loop {
            let Some(found) = identify(name)? else { return Err(ErrorKind::NotFound.into()) };
            let mapping = Mapping::open_id(&format!("{:x}/../{}", found.file, file_name(name)));
            // If another file got the name meanwhile, its bytes are mapped with a wrong identity:
            // drop them.
            if identify(name)? == Some(found) {
                return Ok(mapping?.exactly(found.size));
            }
        }
    }
}

/// A file that the system deletes when it is closed, also by this process's death. `publish` gives
/// it a second name that stays.
pub(crate) struct Staged {
    file: File,
    path: PathBuf,
}

impl Staged {
    /// Reserves `size` zeroed bytes: NTFS allocates them unless the folder is compressed.
    /// Fails with a `Shortage` if there is no room.
    pub(crate) fn new(size: u64) -> io::Result<Staged> {
        Shortage::unless_fits(size, headroom()?)?;
        let path = temporary("cm~")?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).access_mode(GENERIC_READ | GENERIC_WRITE | DELETE);
        let file = options
            .attributes(FILE_ATTRIBUTE_TEMPORARY)
            .custom_flags(FILE_FLAG_DELETE_ON_CLOSE)
            .open(&path)?;
        file.set_len(size)?;
        Ok(Staged { file, path })
    }

    pub(crate) fn write(&self, part: &Part<'_>) -> io::Result<()> {
        part.for_each_piece(|mut offset, mut bytes| {
            while !bytes.is_empty() {
                let written = self.file.seek_write(bytes, offset)?;
                (offset, bytes) = (offset + written as u64, &bytes[written..]);
            }
            Ok(())
        })
    }

    /// Gives it the name. `AlreadyExists`: the name is taken.
    pub(crate) fn publish(&self, name: &str) -> io::Result<()> {
        fs::hard_link(&self.path, path(name)?)
    }

    pub(super) fn as_file(&self) -> &File {
        &self.file
    }

    /// Identity of the file, the same before and after `publish`.
    pub(crate) fn file(&self) -> io::Result<u64> {
        Ok(found(&self.file)?.file)
    }
}

pub(super) fn found(file: &File) -> io::Result<Found> {
    let mut info = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: a valid handle and a whole structure.
    if unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut info) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    Ok(Found {
        file: wide(info.nFileIndexHigh, info.nFileIndexLow),
        size: wide(info.nFileSizeHigh, info.nFileSizeLow),
    })
}

/// The file behind a name now.
pub(super) fn identify(name: &str) -> io::Result<Option<Found>> {
    match OpenOptions::new().access_mode(0).open(path(name)?) {
        Ok(file) => found(&file).map(Some),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Prefix of files whose object was unlinked.
const GONE: &str = "cm!";

/// Removes the name; fine if it is gone already. While a process has the file mapped, Windows would
/// keep the name: so the file is renamed first, and deleted when the last process closes it.
pub(super) fn remove(name: &str) -> io::Result<()> {
    let gone = temporary(GONE)?;
    match fs::rename(path(name)?, &gone) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    crate::fail::point("remove.renamed");
    delete_when_closed(gone);
    Ok(())
}

fn delete_when_closed(path: PathBuf) {
    // Fails if the deletion was requested before, which is fine.
    let _ = OpenOptions::new().access_mode(DELETE).custom_flags(FILE_FLAG_DELETE_ON_CLOSE).open(path);
}

/// Finishes the work of processes that were killed in `remove`.
pub(super) fn tidy() -> io::Result<()> {
    for entry in fs::read_dir(directory()?)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(GONE) {
            delete_when_closed(entry.path());
        }
    }
    Ok(())
}

/// The system has no such call.
pub fn at_exit_without_destructors(_: extern "C" fn()) {}

pub(crate) fn headroom() -> io::Result<Headroom> {
    let folder: Vec<u16> = directory()?.as_os_str().encode_wide().chain([0]).collect();
    let (mut free, mut total) = (0, 0);
    // SAFETY: a NUL-terminated path and two private numbers.
    let asked =
        unsafe { GetDiskFreeSpaceExW(folder.as_ptr(), &raw mut free, &raw mut total, std::ptr::null_mut()) };
    if asked != 0 {
        Ok(Headroom { limit: Limit::SharedMemory, total, free })
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Its files lie on a disk, which `headroom` tells of.
pub(crate) fn memory_limit() -> Option<Headroom> {
    None
}
