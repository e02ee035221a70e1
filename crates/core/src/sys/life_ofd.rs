//! Who is alive, by open-file-description locks (Linux fcntl(2), "Open file description locks").
//!
//! An agent holds a write lock on the byte `BASE + instance` of a descriptor of its own. The kernel drops it
//! when the description is gone, and that is after the process's address space: the dead can't write any
//! more, and the stopped are not dead. The byte belongs to the *instance*, not to the slot, so a newcomer
//! in a dead agent's slot is never taken for its predecessor.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// Far behind the bytes of any control segment.
const BASE: i64 = 1 << 40;

/// The descriptor whose locks say that we live.
pub(crate) struct Life(File);

impl Life {
    /// Takes a description that nobody shares: opened for this agent, close-on-exec.
    pub(crate) fn new(file: File) -> Life {
        Life(out_of_the_way(file))
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Marks `instance` as alive for as long as this descriptor is open. `false` if someone already did.
    pub(crate) fn claim(&self, instance: u32) -> io::Result<bool> {
        let mut lock = byte_lock(BASE + i64::from(instance));
        // SAFETY: a valid descriptor and a whole flock.
        if unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_OFD_SETLK, &raw mut lock) } == 0 {
            return Ok(true);
        }
        match io::Error::last_os_error() {
            e if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
            e => Err(e),
        }
    }

    /// Whether some *other* agent of that instance lives. Anything unknown counts as alive: only the
    /// kernel's word takes something from an owner.
    pub(crate) fn is_alive(&self, instance: u32) -> bool {
        let mut lock = byte_lock(BASE + i64::from(instance));
        // SAFETY: as in `claim`.
        let asked = unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
        asked != 0 || lock.l_type != libc::F_UNLCK as libc::c_short
    }
}

/// A write lock on that byte, to be taken, asked for, or (with `F_UNLCK`) given back.
pub(super) fn byte_lock(at: i64) -> libc::flock {
    // SAFETY: flock is plain integers; l_pid must be zero for OFD locks.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = at;
    lock.l_len = 1;
    lock
}

/// Programs close descriptors 3, 4, 5… that they think are theirs; a high number is left alone.
fn out_of_the_way(file: File) -> File {
    const HIGH: RawFd = 512;
    // SAFETY: duplicates a valid descriptor; the copy is ours alone, and the same description.
    let copy = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH) };
    if copy < 0 {
        return file;
    }
    // SAFETY: just made, owned by nobody else.
    unsafe { File::from_raw_fd(copy) }
}
