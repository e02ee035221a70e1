//! Who is alive, by byte locks of Windows: as `life_ofd.rs` tells it, in other words.

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;

use windows_sys::Win32::Foundation::ERROR_LOCK_VIOLATION;
use windows_sys::Win32::Storage::FileSystem::{
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx, UnlockFileEx,
};
use windows_sys::Win32::System::IO::OVERLAPPED;

/// The file whose locks say that we live. The system drops them when it closes the handles of a process, and
/// that is after its last thread (`LockFileEx`, "Remarks").
pub(crate) struct Life(File);

impl Life {
    /// Takes a file that was opened for this agent alone: locks belong to the handle.
    pub(crate) fn new(file: File) -> Life {
        Life(file)
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Marks `instance` as alive for as long as this handle is open. `false` if someone already did.
    pub(crate) fn claim(&self, instance: u32) -> io::Result<bool> {
        self.try_lock(instance, LOCKFILE_EXCLUSIVE_LOCK)
    }

    /// Whether an agent of that instance lives. Anything unknown counts as alive: only the system's word takes
    /// something from an owner. The question is a shared lock, so those who ask don't mistake each other.
    pub(crate) fn is_alive(&self, instance: u32) -> bool {
        if !matches!(self.try_lock(instance, 0), Ok(true)) {
            return true;
        }
        let mut place = byte(instance);
        // SAFETY: a valid handle and a whole structure, as in `try_lock`.
        unsafe { UnlockFileEx(self.0.as_raw_handle(), 0, 1, 0, &raw mut place) };
        false
    }

    fn try_lock(&self, instance: u32, how: u32) -> io::Result<bool> {
        let (how, mut place) = (how | LOCKFILE_FAIL_IMMEDIATELY, byte(instance));
        // SAFETY: a valid handle and a whole structure, not used after the call since the handle is synchronous.
        if unsafe { LockFileEx(self.0.as_raw_handle(), how, 0, 1, 0, &raw mut place) } != 0 {
            return Ok(true);
        }
        match io::Error::last_os_error() {
            e if e.raw_os_error() == Some(ERROR_LOCK_VIOLATION as i32) => Ok(false),
            e => Err(e),
        }
    }
}

/// The byte of an instance, 2^40 behind the beginning of the file.
fn byte(instance: u32) -> OVERLAPPED {
    let mut place = OVERLAPPED::default();
    place.Anonymous.Anonymous.Offset = instance;
    place.Anonymous.Anonymous.OffsetHigh = 1 << 8;
    place
}
