//! Linux: files in /dev/shm, OFD locks, shared futexes.

use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access::Access;
use super::accounts_linux::not_a_member;
use super::directory_linux::{DIRECTORY, chosen_directory, directory};
use super::file::Part;
use super::room::Headroom;
use super::room_linux::{self, memory_has_room, refuse_without_room};
use crate::faults::{Fault, seeded};
use crate::sync::AtomicU32;

pub(super) fn path(name: &str) -> PathBuf {
    PathBuf::from(DIRECTORY).join(name)
}

/// Opens a file for reading and writing, as `shm_open` does.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)
}

/// A file without a name (`O_TMPFILE`, open(2)): if this process dies before `publish`, the kernel
/// frees it. `publish` is one `linkat`, so a name always leads to a whole object.
pub(crate) struct Staged {
    file: File,
    /// Where it gets its name.
    directory: PathBuf,
}

impl Staged {
    /// Reserves `size` zeroed bytes, so that writing to them can't fail later.
    /// Fails with a `Shortage` if there is no room. `reserve` takes the memory of the empty file.
    pub(super) fn new(
        directory: &Path,
        size: u64,
        access: Access,
        reserve: impl FnOnce(&File, u64) -> io::Result<()>,
    ) -> io::Result<Staged> {
        refuse_without_room(directory, size)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600).custom_flags(libc::O_TMPFILE | libc::O_CLOEXEC);
        let file = options.open(directory)?;
        grant(&file, access)?;
        reserve(&file, size)?;
        Ok(Staged { file, directory: directory.to_owned() })
    }

    pub(crate) fn write(&self, part: &Part<'_>) -> io::Result<()> {
        part.for_each_piece(|offset, bytes| self.file.write_all_at(bytes, offset))
    }

    /// Gives it the name. `AlreadyExists`: the name is taken.
    ///
    /// A descriptor alone is enough for root, and since Linux 6.10 for the user who opened it.
    /// Otherwise the kernel finds the file by its name in `/proc`, which a sandbox may lack.
    pub(crate) fn publish(&self, name: &str) -> io::Result<()> {
        let to = CString::new(self.directory.join(name).into_os_string().into_encoded_bytes())?;
        let link = |directory, from: &CStr, flags| {
            // SAFETY: two NUL-terminated paths, and a valid descriptor or AT_FDCWD.
            let done = unsafe { libc::linkat(directory, from.as_ptr(), libc::AT_FDCWD, to.as_ptr(), flags) };
            if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
        };
        match link(self.file.as_raw_fd(), c"", libc::AT_EMPTY_PATH) {
            Err(e) if matches!(e.raw_os_error(), Some(libc::ENOENT | libc::EINVAL | libc::EPERM)) => {}
            done => return done.map_err(in_words),
        }
        let from = CString::new(format!("/proc/self/fd/{}", self.file.as_raw_fd()))?;
        link(libc::AT_FDCWD, &from, libc::AT_SYMLINK_FOLLOW).map_err(|e| match e.kind() {
            ErrorKind::NotFound if std::fs::metadata("/proc/self/fd").is_err() => io::Error::other(
                "/proc is not there, and this kernel gives a new file its name only through it (or to root, or since \
                 Linux 6.10): mount /proc",
            ),
            _ => in_words(e),
        })
    }

    /// Identity of the file, the same before and after `publish`.
    pub(crate) fn file(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.ino())
    }

    /// Where it gets its name.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn duplicate(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

/// Gives a new file its group and its mode, whatever the process's umask.
pub(super) fn grant(file: &File, Access { mode, group }: Access) -> io::Result<()> {
    if let Some(group) = group {
        fchown(file, None, Some(group)).map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied => not_a_member(group),
            _ => e,
        })?;
    }
    // After fchown, which may clear bits.
    if mode != Access::OWNER.mode && !seeded(Fault::ModeUnset) {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// Says what is wrong with the directory, and what to do.
pub(super) fn in_words(error: io::Error) -> io::Error {
    let says = match (error.raw_os_error(), chosen_directory()) {
        (Some(libc::ENOENT | libc::ENOTDIR), None) => {
            "there is no directory /dev/shm: make it, and mount a tmpfs there (mount -t tmpfs -o mode=1777 tmpfs /dev/shm), \
             or name another directory in CROSSMEM_DIR"
                .to_owned()
        }
        (Some(libc::EROFS), None) => {
            "/dev/shm is read-only: mount it for writing (in a container: a tmpfs or an emptyDir), or name another \
             directory in CROSSMEM_DIR"
                .to_owned()
        }
        (Some(libc::EACCES | libc::EPERM), None) => {
            "/dev/shm may not be written to by this user: its mode should be 1777 (chmod 1777 /dev/shm)".to_owned()
        }
        (Some(libc::EOPNOTSUPP | libc::EISDIR), None) => {
            "the file system of /dev/shm has no files without a name (O_TMPFILE): mount a tmpfs there".to_owned()
        }
        (Some(libc::ENOENT | libc::ENOTDIR), Some(path)) => {
            format!("there is no directory {} (CROSSMEM_DIR): make it", path.display())
        }
        (Some(libc::EROFS), Some(path)) => {
            format!("{} (CROSSMEM_DIR) is read-only: choose a directory that can be written to", path.display())
        }
        (Some(libc::EACCES | libc::EPERM), Some(path)) => format!(
            "{} (CROSSMEM_DIR) may not be written to by this user: choose a directory of the user's own",
            path.display()
        ),
        (Some(libc::EOPNOTSUPP | libc::EISDIR), Some(path)) => format!(
            "the file system of {} (CROSSMEM_DIR) has no files without a name (O_TMPFILE): choose a directory on tmpfs, \
             ext4 or XFS",
            path.display()
        ),
        _ => return error,
    };
    io::Error::new(error.kind(), says)
}

/// Reserves the bytes of a file from `from` to `to`: in steps, and in smaller ones after a signal.
/// Some kernels undo the whole step when a signal comes, so a profiler's timer could make a large
/// step start over for ever. Before each further step, memory is asked for again: another process
/// may have taken it meanwhile, and the kernel kills a process that reserves more than its cgroup
/// allows.
pub(super) fn reserve(file: &File, from: u64, to: u64) -> io::Result<()> {
    const SMALLEST: u64 = 1 << 20;
    if seeded(Fault::NothingReserved) {
        return file.set_len(to);
    }
    let (mut done, mut step) = (from, 64 * SMALLEST);
    while done < to {
        if done > from {
            memory_has_room(to - done)?;
        }
        let now = step.min(to - done);
        // SAFETY: a valid descriptor; offsets are positive.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), done as i64, now as i64) } {
            0 => done += now,
            libc::EINTR => step = (step / 2).max(SMALLEST),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
    Ok(())
}

/// Free bytes of the directory's file system, or of the machine if that has no limit.
pub(crate) fn headroom() -> io::Result<Headroom> {
    room_linux::headroom(directory())
}

/// Calls `act` on the thread that ends the process, if it does so by a call that runs no
/// destructors of the thread's variables: `quick_exit(3)`, and with musl `exit(3)`, too.
pub fn at_exit_without_destructors(act: extern "C" fn()) {
    unsafe extern "C" {
        fn at_quick_exit(act: extern "C" fn()) -> libc::c_int;
    }
    // SAFETY: the C library's functions of these names; musl never unloads `act`. They refuse only
    // if there is no memory: then other agents clean up.
    unsafe {
        at_quick_exit(act);
        #[cfg(target_env = "musl")]
        libc::atexit(act);
    }
}

/// An agent sleeps on a *shared* futex, so that other processes can wake it (futex(2)).
pub(crate) struct Bell;

impl Bell {
    /// Sleeps while `word` is `expected`, for at most `slice`. May return for no reason.
    pub(crate) fn park(word: &AtomicU32, expected: u32, slice: Duration) {
        let timeout =
            libc::timespec { tv_sec: slice.as_secs() as i64, tv_nsec: i64::from(slice.subsec_nanos()) };
        // SAFETY: a live, aligned word and a whole timespec; every way to return is fine with the
        // caller.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                std::ptr::from_ref(word),
                libc::FUTEX_WAIT,
                expected,
                &raw const timeout,
            );
        }
    }

    /// Wakes the threads that sleep on `word`.
    pub(crate) fn ring(word: &AtomicU32) {
        // SAFETY: a live, aligned word.
        unsafe {
            libc::syscall(libc::SYS_futex, std::ptr::from_ref(word), libc::FUTEX_WAKE, i32::MAX);
        }
    }
}
