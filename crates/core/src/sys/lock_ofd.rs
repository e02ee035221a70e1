//! Locks on bytes of a file, by open file descriptions (Linux fcntl(2), "Open file description
//! locks"; XNU has the same calls). They exclude each other and the classic `fcntl` locks of other
//! programs. Unlike classic locks, they belong to the description: closing another descriptor of
//! the same file doesn't drop them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::file::ByteRange;
use crate::faults::{Fault, seeded};

// The types of these differ between libc's constants and its structure.
const READ: libc::c_short = libc::F_RDLCK as libc::c_short;
const WRITE: libc::c_short = libc::F_WRLCK as libc::c_short;
const NONE: libc::c_short = libc::F_UNLCK as libc::c_short;

/// Opens a file to lock its bytes: a description of its own, close-on-exec, and never truncated.
/// Opening a pipe without a reader, or a terminal, doesn't block.
///
/// If the process may not both read and write the file, it is opened for what is allowed: a shared
/// lock takes the permission to read, an exclusive one the permission to write.
pub(crate) fn open_to_lock(path: &Path, create: bool, mode: u32) -> io::Result<File> {
    let open = |read, write, create| {
        let mut options = OpenOptions::new();
        options.read(read).write(write).create(create).mode(mode);
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
    };
    let file = open(true, true, create).or_else(|e| match e.raw_os_error() {
        // EACCES also for O_CREAT with another user's file in a directory of all users
        // (`fs.protected_regular`); ETXTBSY: a program that runs can't be written to.
        Some(libc::EACCES | libc::EPERM | libc::EROFS | libc::ETXTBSY) => {
            let allowed = [(true, true), (true, false), (false, true)];
            allowed.into_iter().find_map(|(read, write)| open(read, write, false).ok()).ok_or(e)
        }
        _ => Err(e),
    })?;
    Ok(out_of_the_way(file))
}

/// Locks the bytes for this description. `false`: another description has a lock in the way.
pub(crate) fn try_lock(file: &File, range: ByteRange, shared: bool) -> io::Result<bool> {
    let kind = if shared { READ } else { WRITE };
    match set(file, libc::F_OFD_SETLK, kind, range) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        // fcntl(2): the file isn't open for reading, or for writing.
        Err(e) if e.raw_os_error() == Some(libc::EBADF) => {
            let permission = if shared { "read" } else { "write" };
            Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!("this process may not {permission} the file, as such a lock takes"),
            ))
        }
        Err(e) => Err(e),
    }
}

/// Blocks this thread until no other description has an exclusive lock in the range. The file must
/// be open for reading. Leaves a shared lock there, which is in the way of no shared lock and of no
/// question by `may_be_locked`.
pub(super) fn wait_for_unlock(file: &File, range: ByteRange) -> io::Result<()> {
    set(file, libc::F_OFD_SETLKW, READ, range)
}

/// Unlocks the bytes, except those in `keep`: the kernel doesn't count how often a description
/// locked a byte.
pub(crate) fn unlock(file: &File, range: ByteRange, keep: &[ByteRange]) -> io::Result<()> {
    outside(range, keep).into_iter().try_for_each(|part| set(file, libc::F_OFD_SETLK, NONE, part))
}

/// Whether *another* description has an exclusive lock in the range, or the kernel can't tell.
pub(super) fn may_be_locked(file: &File, range: ByteRange) -> bool {
    let kind = if seeded(Fault::WatchCountsAsAgent) { WRITE } else { READ };
    let mut lock = flock(kind, range);
    // SAFETY: a valid descriptor and a whole flock.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &raw mut lock) };
    if asked != 0 {
        return !seeded(Fault::UnknownIsDead);
    }
    lock.l_type != NONE
}

/// Whether the error means that there are no locks for this file: no lock table or daemon, no such
/// call, or no such kind of lock.
pub(crate) fn says_no_locks(error: &io::Error) -> bool {
    // On some systems two of these are one number.
    #[allow(unreachable_patterns)]
    let says = |errno| {
        matches!(
            errno,
            libc::ENOLCK | libc::ENOSYS | libc::EINVAL | libc::EOPNOTSUPP | libc::ENOTSUP | libc::ENOTTY
        )
    };
    error.raw_os_error().is_some_and(says)
}

/// Some programs close descriptors 3, 4, 5…, as if they were theirs. They leave a high number
/// alone.
pub(super) fn out_of_the_way(file: File) -> File {
    const HIGH: RawFd = 512;
    // SAFETY: duplicates a valid descriptor; the copy belongs to this call alone, and is the same
    // description.
    let copy = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, HIGH) };
    if copy < 0 {
        return file;
    }
    // SAFETY: just made, with no other owner.
    unsafe { File::from_raw_fd(copy) }
}

fn set(file: &File, call: libc::c_int, kind: libc::c_short, range: ByteRange) -> io::Result<()> {
    let mut lock = flock(kind, range);
    loop {
        // SAFETY: a valid descriptor and a whole flock.
        if unsafe { libc::fcntl(file.as_raw_fd(), call, &raw mut lock) } == 0 {
            return Ok(());
        }
        // A wait can be interrupted; and so can the call that doesn't wait, on a file system that
        // asks a server.
        match io::Error::last_os_error() {
            e if e.kind() == io::ErrorKind::Interrupted => {}
            e => return Err(e),
        }
    }
}

fn flock(kind: libc::c_short, range: ByteRange) -> libc::flock {
    // SAFETY: flock is plain integers; l_pid must be zero for OFD locks.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock.l_start = range.start as i64;
    lock.l_len = range.len as i64;
    lock
}

/// The bytes of `range` that are not in `keep`, in order.
fn outside(range: ByteRange, keep: &[ByteRange]) -> Vec<ByteRange> {
    let mut keep: Vec<_> = keep.iter().filter(|kept| kept.overlaps(range)).collect();
    keep.sort_by_key(|kept| kept.start);
    let (mut parts, mut from) = (Vec::new(), range.start);
    for kept in keep {
        if kept.start > from {
            parts.push(ByteRange { start: from, len: kept.start - from });
        }
        from = from.max(kept.end());
    }
    if from < range.end() {
        parts.push(ByteRange { start: from, len: if range.len == 0 { 0 } else { range.end() - from } });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::outside;
    use crate::sys::file::ByteRange;

    fn range(start: u64, len: u64) -> ByteRange {
        ByteRange { start, len }
    }

    #[test]
    fn the_rest_is_every_byte_that_is_not_kept() {
        assert_eq!(outside(range(10, 10), &[]), [range(10, 10)]);
        assert_eq!(outside(range(10, 10), &[range(0, 10), range(20, 5)]), [range(10, 10)], "neighbours");
        assert_eq!(outside(range(10, 10), &[range(0, 11), range(19, 5)]), [range(11, 8)], "both edges");
        assert_eq!(
            outside(range(10, 10), &[range(15, 2), range(12, 1)]),
            [range(10, 2), range(13, 2), range(17, 3)]
        );
        assert_eq!(outside(range(10, 10), &[range(5, 30), range(12, 1)]), [], "all of it");
        assert_eq!(outside(range(10, 10), &[range(15, 0)]), [range(10, 5)]);
        assert_eq!(outside(range(10, 0), &[range(15, 0)]), [range(10, 5)]);
        assert_eq!(outside(range(0, 0), &[range(15, 5), range(17, 10)]), [range(0, 15), range(27, 0)]);
        assert_eq!(outside(range(10, 0), &[range(0, 0)]), []);
    }
}
