//! Locks on files, as handles. They need no agent, since the operating system keeps them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use crossmem_core::{ByteRange, FileLock, Tried};
use napi_derive::napi;

use crate::error::{Result, closed, js};
use crate::protocol::file;

#[derive(Default)]
struct Files {
    open: HashMap<u32, FileLock>,
    last_handle: u32,
}

thread_local! {
    /// Dropped when the thread ends, so the files of a terminated worker are closed as well.
    static FILES: RefCell<Files> = RefCell::default();
}

/// Runs `act` on this thread's files, or returns `None` when the thread is ending. `act` must not
/// call into JavaScript.
fn with<T>(act: impl FnOnce(&mut Files) -> T) -> Option<T> {
    FILES.try_with(|files| act(&mut files.borrow_mut())).ok()
}

fn with_open<T>(handle: u32, act: impl FnOnce(&mut FileLock) -> crossmem_core::Result<T>) -> Result<T> {
    with(|files| act(files.open.get_mut(&handle).ok_or_else(closed)?).map_err(js))
        .unwrap_or_else(|| Err(closed()))
}

/// Opens a file to lock its bytes, and returns its handle.
///
/// # Errors
/// As `FileLock::open`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn open_file_lock(path: String, create: bool, mode: u32) -> Result<u32> {
    let lock = FileLock::open(Path::new(&path), create, mode).map_err(js)?;
    with(|files| {
        files.last_handle = files.last_handle.wrapping_add(1);
        files.open.insert(files.last_handle, lock);
        files.last_handle
    })
    .ok_or_else(closed)
}

/// Tries to lock bytes for at most `slice` milliseconds. Returns the number of the lock,
/// `HELD_ELSEWHERE` or `HELD_HERE`.
///
/// # Errors
/// As `FileLock::try_lock`.
#[napi(catch_unwind)]
pub fn try_file_lock(handle: u32, start: f64, length: f64, shared: bool, slice: u32) -> Result<f64> {
    // JavaScript has checked that both are whole numbers from 0 up.
    let range = ByteRange { start: start as u64, len: length as u64 };
    with_open(handle, |file| {
        Ok(match file.try_lock(range, shared, Duration::from_millis(slice.into()))? {
            Tried::Locked(number) => f64::from(number),
            Tried::HeldElsewhere => file::HELD_ELSEWHERE.into(),
            Tried::HeldHere => file::HELD_HERE.into(),
        })
    })
}

/// Releases a lock.
///
/// # Errors
/// As `FileLock::unlock`.
#[napi(catch_unwind)]
pub fn release_file_lock(handle: u32, number: u32) -> Result<()> {
    with_open(handle, |file| file.unlock(number))
}

/// Closes the handle and releases all its locks. Closing a closed handle does nothing.
#[napi(catch_unwind)]
pub fn close_file_lock(handle: u32) {
    drop(with(|files| files.open.remove(&handle)));
}

/// The handle was collected: the file is closed unless it has locks. A lock must not end because of
/// when a garbage collector runs.
#[napi(catch_unwind)]
pub fn forget_file_lock(handle: u32) {
    drop(with(|files| files.open.get(&handle)?.is_idle().then(|| files.open.remove(&handle))));
}
