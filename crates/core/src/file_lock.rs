//! Advisory locks on the bytes of a file, as C's `fcntl` and Python's `fcntl.lockf` take them. They
//! need no shared memory and no domain.
//!
//! The kernel knows which bytes each *description* has locked, but not by how many locks: a second
//! lock on the same bytes would convert the first, and releasing one would release both. So the
//! locks and their ranges are listed here. The list can't outlive the locks: when a process is
//! gone, the kernel drops them, too.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::sys::{self, ByteRange};

/// The last offset of a file (`off_t`).
const LAST: u64 = i64::MAX as u64;

/// A file that was opened to lock its bytes. Two `FileLock`s exclude each other, also in one
/// process. Dropping one releases all its locks.
pub struct FileLock {
    file: File,
    held: Vec<Held>,
    last_number: u32,
}

struct Held {
    number: u32,
    range: ByteRange,
    shared: bool,
}

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// The bytes are locked. The lock has this number, which isn't 0.
    Locked(u32),
    /// A lock of another `FileLock` or program is in the way.
    HeldElsewhere,
    /// A lock of this `FileLock` itself is in the way: waiting for it on this thread would never
    /// end.
    HeldHere,
}

impl FileLock {
    /// Opens a file, and never changes its bytes. A process that may only read it can take shared
    /// locks alone. With `create`, makes a missing file, with `mode` less the process's umask.
    ///
    /// # Errors
    /// `ERR_NOT_FOUND`, `ERR_PERMISSION`, `ERR_INVALID_ARG` (not a file, not a path),
    /// `ERR_NO_SPACE`, `ERR_LIMIT`, `ERR_OS`.
    pub fn open(path: &Path, create: bool, mode: u32) -> Result<FileLock> {
        let refused = |cause: io::Error| cannot_open(path, create, &cause);
        // Windows refuses to open a directory without telling why.
        if path.is_dir() {
            return Err(not_a_file(path));
        }
        let file = sys::open_to_lock(path, create, mode).map_err(refused)?;
        if !file.metadata().map_err(refused)?.is_file() {
            return Err(not_a_file(path));
        }
        Ok(FileLock { file, held: Vec::new(), last_number: 0 })
    }

    /// Tries to lock these bytes, for at most `patience`. Any number of shared locks may have them
    /// at the same time, or one lock that isn't `shared`.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG` (no file can have such bytes), `ERR_PERMISSION` (only shared locks may be
    /// taken), `ERR_UNSUPPORTED` (no locks there), `ERR_OS`.
    pub fn try_lock(&mut self, range: ByteRange, shared: bool, patience: Duration) -> Result<Tried> {
        const LONGEST_NAP: Duration = Duration::from_millis(16);
        if range.start > LAST || range.len > LAST - range.start {
            return Err(Error::new(Code::InvalidArg, "no file has bytes behind 2^63 - 1; lock others"));
        }
        if self.held.iter().any(|held| {
            held.range.overlaps(range) && !(held.shared && shared) && !seeded(Fault::OwnRangesOverlap)
        }) {
            return Ok(Tried::HeldHere);
        }
        let (started, mut nap) = (Instant::now(), Duration::from_millis(1));
        while !sys::try_lock(&self.file, range, shared).map_err(|e| cannot_lock("locking", &e))? {
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(Tried::HeldElsewhere);
            }
            std::thread::sleep(nap.min(left));
            nap = (nap * 2).min(LONGEST_NAP);
        }
        let number = self.free_number();
        self.held.push(Held { number, range, shared });
        Ok(Tried::Locked(number))
    }

    /// Releases one lock, except for bytes that another lock of this `FileLock` has, too. If the
    /// system refuses, the lock is still held, and `unlock` can be called again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP` (there is no such lock), `ERR_UNSUPPORTED`, `ERR_OS`.
    pub fn unlock(&mut self, number: u32) -> Result<()> {
        let at = self.held.iter().position(|held| held.number == number).ok_or_else(|| {
            Error::new(Code::LostOwnership, "this lock was released before; release each lock once")
        })?;
        let range = self.held[at].range;
        let others: Vec<_> = self
            .held
            .iter()
            .filter(|held| held.number != number && !seeded(Fault::UnlockEveryByte))
            .map(|held| held.range)
            .collect();
        sys::unlock(&self.file, range, &others).map_err(|e| cannot_lock("unlocking", &e))?;
        self.held.swap_remove(at);
        Ok(())
    }

    /// Whether it holds no lock.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.held.is_empty()
    }

    fn free_number(&mut self) -> u32 {
        loop {
            self.last_number = self.last_number.wrapping_add(1);
            if self.last_number != 0 && self.held.iter().all(|held| held.number != self.last_number) {
                return self.last_number;
            }
        }
    }
}

impl Drop for FileLock {
    /// Closing the file isn't enough while a child process is being started: until the child runs
    /// its own program, it has a copy of the descriptor, and with it the locks.
    fn drop(&mut self) {
        for held in &self.held {
            let _ = sys::unlock(&self.file, held.range, &[]);
        }
    }
}

fn not_a_file(path: &Path) -> Error {
    Error::new(
        Code::InvalidArg,
        format!("{} is not a plain file; lock a file, such as one beside it", path.display()),
    )
}

fn cannot_open(path: &Path, create: bool, cause: &io::Error) -> Error {
    let (code, hint) = match cause.kind() {
        ErrorKind::NotFound if create => (Code::NotFound, "make its directory first"),
        ErrorKind::NotFound => (Code::NotFound, "create: true makes it"),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => (
            Code::Permission,
            "a shared lock takes the permission to read the file, any other the permission to write it",
        ),
        ErrorKind::IsADirectory => return not_a_file(path),
        ErrorKind::NotADirectory | ErrorKind::InvalidInput | ErrorKind::InvalidFilename => {
            (Code::InvalidArg, "no file can have this path")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (Code::NoSpace, "free some space"),
        _ => return Error::os(&format!("opening {}", path.display()), cause),
    };
    Error::new(code, format!("opening {}: {cause}; {hint}", path.display()))
}

fn cannot_lock(doing: &str, cause: &io::Error) -> Error {
    if sys::says_no_locks(cause) {
        let hint = "the system has no locks for this file; use one on a local disk";
        return Error::new(Code::Unsupported, format!("{doing}: {cause}; {hint}"));
    }
    Error::os(&format!("{doing} the file"), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    fn range(start: u64, len: u64) -> ByteRange {
        ByteRange { start, len }
    }

    fn two(name: &str) -> (FileLock, FileLock) {
        let path = std::env::temp_dir().join(format!("crossmem-{}-{name}", std::process::id()));
        let both = [(); 2].map(|()| FileLock::open(&path, true, 0o600).unwrap());
        // Removes only the name.
        let _ = std::fs::remove_file(&path);
        both.into()
    }

    fn locked(tried: Result<Tried>) -> u32 {
        match tried.unwrap() {
            Tried::Locked(number) => number,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn two_of_one_process_exclude_each_other_where_they_overlap() {
        let (mut a, mut b) = two("exclude");
        let held = locked(a.try_lock(range(10, 10), false, AT_ONCE));
        assert_eq!(a.try_lock(range(19, 1), true, AT_ONCE).unwrap(), Tried::HeldHere);
        assert_eq!(b.try_lock(range(0, 0), true, AT_ONCE).unwrap(), Tried::HeldElsewhere);
        locked(b.try_lock(range(0, 10), false, AT_ONCE));
        locked(b.try_lock(range(20, 0), false, AT_ONCE));
        a.unlock(held).unwrap();
        assert_eq!(a.unlock(held).unwrap_err().code, Code::LostOwnership);
        locked(b.try_lock(range(10, 10), false, AT_ONCE));
        drop(b);
        assert!(a.is_idle());
        locked(a.try_lock(range(0, 0), false, AT_ONCE));
    }

    #[test]
    fn giving_back_one_shared_lock_keeps_the_bytes_of_the_others() {
        let (mut a, mut b) = two("shared");
        let outer = locked(a.try_lock(range(0, 100), true, AT_ONCE));
        let inner = locked(a.try_lock(range(40, 20), true, AT_ONCE));
        let again = locked(a.try_lock(range(50, 0), true, AT_ONCE));
        a.unlock(outer).unwrap();
        assert_eq!(b.try_lock(range(0, 41), false, AT_ONCE).unwrap(), Tried::HeldElsewhere);
        locked(b.try_lock(range(0, 40), false, AT_ONCE));
        a.unlock(inner).unwrap();
        locked(b.try_lock(range(40, 10), false, AT_ONCE));
        assert_eq!(b.try_lock(range(50, 1), false, AT_ONCE).unwrap(), Tried::HeldElsewhere);
        a.unlock(again).unwrap();
        locked(b.try_lock(range(50, 0), false, AT_ONCE));
    }

    #[test]
    fn bytes_that_no_file_has_are_refused() {
        let (mut a, _) = two("far");
        locked(a.try_lock(range(LAST, 0), false, AT_ONCE));
        locked(a.try_lock(range(LAST - 10, 10), false, AT_ONCE));
        assert_eq!(a.try_lock(range(LAST, 1), false, AT_ONCE).unwrap_err().code, Code::InvalidArg);
        assert_eq!(a.try_lock(range(u64::MAX, 0), false, AT_ONCE).unwrap_err().code, Code::InvalidArg);
    }
}
