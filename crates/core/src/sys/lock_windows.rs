//! Locks on bytes of a file, by `LockFileEx`: see `lock_ofd.rs`. They belong to the handle, and the
//! system drops them when it closes the handles of a process, after its last thread ("Remarks").
//! Other handles can't read bytes that are locked exclusively, nor write bytes that are locked at
//! all.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::io::AsRawHandle;
use std::path::Path;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_LOCK_VIOLATION, ERROR_NOT_SUPPORTED, GetLastError, TRUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

use super::file::ByteRange;

/// Opens a file to lock its bytes: a handle of its own, not inherited, and never truncated. Windows
/// has no modes.
pub(crate) fn open_to_lock(path: &Path, create: bool, _mode: u32) -> io::Result<File> {
    let open = |write: bool| {
        OpenOptions::new().read(true).write(write).create(write && create).truncate(false).open(path)
    };
    // For a lock, the permission to read is enough.
    open(true).or_else(|e| if e.kind() == io::ErrorKind::PermissionDenied { open(false) } else { Err(e) })
}

/// Locks the bytes for this handle. `false`: another handle has a lock in the way.
pub(crate) fn try_lock(file: &File, range: ByteRange, shared: bool) -> io::Result<bool> {
    let how = LOCKFILE_FAIL_IMMEDIATELY | if shared { 0 } else { LOCKFILE_EXCLUSIVE_LOCK };
    let ((low, high), mut place) = (halves(length(range)), place(range));
    // SAFETY: a valid handle and a whole structure, not used after the call since the handle is
    // synchronous.
    if unsafe { LockFileEx(file.as_raw_handle(), how, 0, low, high, &raw mut place) } == TRUE {
        return Ok(true);
    }
    // SAFETY: no arguments, no failure.
    match unsafe { GetLastError() } {
        ERROR_LOCK_VIOLATION => Ok(false),
        error => Err(io::Error::from_raw_os_error(error as i32)),
    }
}

/// Locks the bytes for this handle and for others that share them, and blocks this thread until
/// that is possible.
pub(super) fn lock_shared(file: &File, range: ByteRange) -> io::Result<()> {
    let ((low, high), mut place) = (halves(length(range)), place(range));
    // SAFETY: a valid handle and a whole structure, as in `try_lock`.
    if unsafe { LockFileEx(file.as_raw_handle(), 0, 0, low, high, &raw mut place) } == TRUE {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// Unlocks the bytes. Windows counts each lock, so those in `_keep` stay locked; but `range` must
/// be exactly the range of one lock.
pub(crate) fn unlock(file: &File, range: ByteRange, _keep: &[ByteRange]) -> io::Result<()> {
    let ((low, high), mut place) = (halves(length(range)), place(range));
    // SAFETY: a valid handle and a whole structure, as in `try_lock`.
    if unsafe { UnlockFileEx(file.as_raw_handle(), 0, low, high, &raw mut place) } == TRUE {
        return Ok(());
    }
    Err(io::Error::last_os_error())
}

/// Whether the error means that there are no locks for this file.
pub(crate) fn says_no_locks(error: &io::Error) -> bool {
    let says = |code| matches!(code as u32, ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED);
    error.raw_os_error().is_some_and(says)
}

/// A range to the end goes to the last byte that a file could have: Windows refuses one that goes
/// beyond 2^64.
fn length(range: ByteRange) -> u64 {
    range.end() - range.start
}

fn place(range: ByteRange) -> OVERLAPPED {
    let mut place = OVERLAPPED::default();
    (place.Anonymous.Anonymous.Offset, place.Anonymous.Anonymous.OffsetHigh) = halves(range.start);
    place
}

fn halves(number: u64) -> (u32, u32) {
    (number as u32, (number >> 32) as u32)
}
