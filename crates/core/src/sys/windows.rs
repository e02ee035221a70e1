//! Windows: files in the temp folder.
//!
//! `shared_memory` backs its segments with files in `%TEMP%\shared_memory-rs`, as `/dev/shm` does on Linux, so
//! this is Linux told in other words: an object is staged as a file that the system deletes if we die, gets its
//! name by one hard link, and is whole and of exact size whenever the name leads to it. The temp folder is the
//! user's own; a file has an identity for life, and its bytes can be locked while it is mapped, as `SQLite` does.

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

use super::file::{Found, Headroom, Part};
use super::mapping::Mapping;
use crate::hash::hash_64;

/// Where `shared_memory` has its files.
fn directory() -> io::Result<PathBuf> {
    let directory = std::env::temp_dir().join("shared_memory-rs");
    fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// Names are compared without case and many are forbidden here. What is plain keeps its name, anything else
/// goes by its hash; the two never meet, since `#` isn't plain.
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

/// A name that nobody else has.
fn temporary(prefix: &str) -> io::Result<PathBuf> {
    let random = getrandom::u64().map_err(|e| io::Error::other(e.to_string()))?;
    Ok(directory()?.join(format!("{prefix}{random:016x}")))
}

impl Mapping {
    /// Maps what has that name now, whole, for reading and writing.
    ///
    /// `shared_memory` names the system's mapping object like the file. While anyone has an object mapped that
    /// was unlinked, that name still leads to it, and a new object of the same name would be given the old
    /// bytes. So ours differs by the file's identity, in a part of the path that Windows drops again.
    pub(crate) fn open(name: &str) -> io::Result<Mapping> {
        loop {
            let Some(found) = identify(name)? else { return Err(ErrorKind::NotFound.into()) };
            let mapping = Mapping::open_id(&format!("{:x}/../{}", found.file, file_name(name)));
            // If another file got the name meanwhile, its bytes go by a wrong identity: drop them.
            if identify(name)? == Some(found) {
                return Ok(mapping?.exactly(found.size));
            }
        }
    }
}

/// A file that goes when it is closed, also because we died. `publish` gives it a second name that stays.
pub(crate) struct Staged {
    file: File,
    path: PathBuf,
}

impl Staged {
    /// Reserves `size` zeroed bytes: NTFS allocates them unless the folder is compressed.
    pub(crate) fn new(size: u64) -> io::Result<Staged> {
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

    /// Gives it the name, if nobody has it: `AlreadyExists` otherwise.
    pub(crate) fn publish(&self, name: &str) -> io::Result<()> {
        fs::hard_link(&self.path, path(name)?)
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
pub(crate) fn identify(name: &str) -> io::Result<Option<Found>> {
    match OpenOptions::new().access_mode(0).open(path(name)?) {
        Ok(file) => found(&file).map(Some),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Begins the names of files that lost theirs.
const GONE: &str = "cm!";

/// Removes the name; fine if it is gone already. A file that someone has mapped is deleted only when it is
/// closed, and would keep its name for so long: it gets another one first.
pub(crate) fn remove(name: &str) -> io::Result<()> {
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
    // Fails when that was asked for already, and that is fine.
    let _ = OpenOptions::new().access_mode(DELETE).custom_flags(FILE_FLAG_DELETE_ON_CLOSE).open(path);
}

/// Finishes what someone was killed over in `remove`.
pub(super) fn tidy() -> io::Result<()> {
    for entry in fs::read_dir(directory()?)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(GONE) {
            delete_when_closed(entry.path());
        }
    }
    Ok(())
}

pub(crate) fn headroom() -> io::Result<Headroom> {
    let folder: Vec<u16> = directory()?.as_os_str().encode_wide().chain([0]).collect();
    let (mut free, mut total) = (0, 0);
    // SAFETY: a NUL-terminated path and two numbers of our own.
    let asked =
        unsafe { GetDiskFreeSpaceExW(folder.as_ptr(), &raw mut free, &raw mut total, std::ptr::null_mut()) };
    if asked != 0 { Ok(Headroom { total, free }) } else { Err(io::Error::last_os_error()) }
}
