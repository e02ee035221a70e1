//! macOS: POSIX shared memory, `os_sync_wait_on_address`.
//!
//! What POSIX shared memory lacks here (XNU, `bsd/kern/posix_shm.c`): a directory, renaming, byte
//! locks, identity (`st_ino` is 0), exact sizes (they are whole pages), names of more than 31
//! bytes. So no object can be published at once. `publish` runs under the registry's lock: if a
//! process dies in it, the next owner of that lock removes the half-made object.

#![allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "signatures as on the other systems")]

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_int, c_void};
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::FromRawFd;
use std::sync::OnceLock;
use std::time::Duration;

use super::file::{Found, Part};
use super::mapping::{Mapping, os_id};
use super::poll::poll;
use super::room::{Headroom, Limit, Shortage};
use crate::sync::AtomicU32;

/// A size, and contents in private memory: the system has no object that could get its name later.
pub(crate) struct Staged {
    size: u64,
    /// Offset, bytes, and how many bytes they cover by repetition.
    parts: RefCell<Vec<(u64, Vec<u8>, u64)>>,
}

impl Staged {
    /// Fails with a `Shortage` if there is no room.
    pub(crate) fn new(size: u64) -> io::Result<Staged> {
        Shortage::unless_fits(size, headroom()?)?;
        Ok(Staged { size, parts: RefCell::default() })
    }

    pub(crate) fn write(&self, part: &Part<'_>) -> io::Result<()> {
        self.parts.borrow_mut().push((part.offset, part.bytes.to_vec(), part.len));
        Ok(())
    }

    /// Creates the object with that name and fills it. `AlreadyExists`: the name is taken.
    pub(crate) fn publish(&self, name: &str) -> io::Result<()> {
        let mapping = Mapping::create(name, self.size as usize)?;
        crate::fail::point("create.sized");
        for (offset, bytes, len) in self.parts.borrow().iter() {
            let part = Part { offset: *offset, bytes, len: *len };
            part.for_each_piece(|offset, bytes| copy_in(&mapping, offset, bytes))?;
        }
        Ok(())
    }

    /// The system has no identity of files: 0.
    pub(crate) fn file(&self) -> io::Result<u64> {
        Ok(0)
    }
}

pub(super) fn copy_in(mapping: &Mapping, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let region = mapping.region();
    if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > region.len() as u64) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "contents lie outside the segment"));
    }
    // SAFETY: inside the mapping, as just checked; `bytes` is private memory; and no other thread
    // of this process knows this mapping.
    unsafe { region.as_ptr().add(offset as usize).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    Ok(())
}

pub(super) fn stat(name: &str) -> io::Result<Option<Metadata>> {
    let id = CString::new(os_id(name))?;
    // SAFETY: a NUL-terminated name.
    let descriptor = unsafe { libc::shm_open(id.as_ptr(), libc::O_RDONLY) };
    if descriptor < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == ErrorKind::NotFound { Ok(None) } else { Err(error) };
    }
    // SAFETY: just opened, with no other owner.
    unsafe { File::from_raw_fd(descriptor) }.metadata().map(Some)
}

/// The file behind a name now. Its size is in whole pages.
pub(super) fn identify(name: &str) -> io::Result<Option<Found>> {
    Ok(stat(name)?.map(|meta| Found { file: 0, size: meta.len() }))
}

/// Removes the name; fine if it is gone already.
pub(super) fn remove(name: &str) -> io::Result<()> {
    let id = CString::new(os_id(name))?;
    // SAFETY: a NUL-terminated name.
    if unsafe { libc::shm_unlink(id.as_ptr()) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// The system has no such call.
pub fn at_exit_without_destructors(_: extern "C" fn()) {}

/// Shared memory is paged like other memory, and the system doesn't tell how much of it there may
/// be. The physical memory is an upper limit.
pub(crate) fn headroom() -> io::Result<Headroom> {
    let (mut total, mut len) = (0_u64, size_of::<u64>());
    // SAFETY: a NUL-terminated name, and room for the eight bytes of `hw.memsize` (sysctl(3)).
    let asked = unsafe {
        libc::sysctlbyname(
            c"hw.memsize".as_ptr(),
            (&raw mut total).cast(),
            &raw mut len,
            std::ptr::null_mut(),
            0,
        )
    };
    if asked == 0 {
        Ok(Headroom { limit: Limit::Machine, total, free: total })
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Nothing else limits it that the system would tell of.
pub(crate) fn memory_limit() -> Option<Headroom> {
    None
}

type Wait = unsafe extern "C" fn(*mut c_void, u64, usize, u32, u32, u64) -> c_int;
type Wake = unsafe extern "C" fn(*mut c_void, usize, u32) -> c_int;

/// The calls to sleep and to wake, which macOS has since 14.4 (`os/os_sync_wait_on_address.h`).
fn os_sync() -> Option<(Wait, Wake)> {
    static CALLS: OnceLock<Option<(Wait, Wake)>> = OnceLock::new();
    fn find(name: &CStr) -> *mut c_void {
        // SAFETY: a NUL-terminated name.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
    }
    *CALLS.get_or_init(|| {
        let wait = find(c"os_sync_wait_on_address_with_timeout");
        let wake = find(c"os_sync_wake_by_address_all");
        // SAFETY: found under these names, they have these signatures; null becomes `None`.
        let wait = unsafe { std::mem::transmute::<*mut c_void, Option<Wait>>(wait) };
        // SAFETY: as above.
        let wake = unsafe { std::mem::transmute::<*mut c_void, Option<Wake>>(wake) };
        Some((wait?, wake?))
    })
}

/// An agent sleeps on an address that other processes know as well.
pub(crate) struct Bell;

impl Bell {
    /// Sleeps while `word` is `expected`, for at most `slice`. May return for no reason.
    pub(crate) fn park(word: &AtomicU32, expected: u32, slice: Duration) {
        let Some((wait, _)) = os_sync() else { return poll(word, expected, slice) };
        let nanoseconds = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX).max(1);
        let (flag, clock) = (libc::OS_SYNC_WAIT_ON_ADDRESS_SHARED, libc::OS_CLOCK_MACH_ABSOLUTE_TIME);
        // SAFETY: a live, aligned word of four bytes; every way to return is fine with the caller.
        unsafe { wait(word.as_ptr().cast(), u64::from(expected), 4, flag, clock, nanoseconds) };
    }

    /// Wakes the threads that sleep on `word`.
    pub(crate) fn ring(word: &AtomicU32) {
        if let Some((_, wake)) = os_sync() {
            // SAFETY: a live, aligned word of four bytes.
            unsafe { wake(word.as_ptr().cast(), 4, libc::OS_SYNC_WAKE_BY_ADDRESS_SHARED) };
        }
    }
}
