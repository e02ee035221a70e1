//! macOS: POSIX shared memory, a lock file beside the control segment, `os_sync_wait_on_address`.
//!
//! What POSIX shared memory lacks here (XNU, `bsd/kern/posix_shm.c`): a directory, renaming, byte locks,
//! identity (`st_ino` is 0), exact sizes (they are whole pages), names of more than 31 bytes. So nothing can
//! be published at once: `publish` runs under the registry's lock, and what dies half-made there is undone by
//! whoever takes that lock next.

use std::cell::RefCell;
use std::ffi::{CStr, CString, OsString, c_int, c_void};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::life_ofd::byte_lock;
use super::{Found, Headroom, Life, Mapping, Part, hash, poll};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// `PSHMNAMLEN` is 31, and that may have to hold the slash and the final NUL.
const NAME_MAX: usize = 29;
/// The gate is held for microseconds; only a stopped holder makes anyone wait this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `shm_open` calls it. A longer name goes by its hash: the same for everyone, but other programs than
/// crossmem don't find it.
pub(super) fn os_id(name: &str) -> String {
    if name.len() <= NAME_MAX { format!("/{name}") } else { format!("/cm-{:016x}", hash(name.as_bytes())) }
}

/// A size and contents in our own memory: there is nothing that could be given a name later.
pub(crate) struct Staged {
    size: u64,
    /// Offset, bytes, and how many bytes they cover by repetition.
    parts: RefCell<Vec<(u64, Vec<u8>, u64)>>,
}

impl Staged {
    pub(crate) fn new(size: u64) -> io::Result<Staged> {
        Ok(Staged { size, parts: RefCell::default() })
    }

    pub(crate) fn write(&self, part: &Part<'_>) -> io::Result<()> {
        self.parts.borrow_mut().push((part.offset, part.bytes.to_vec(), part.len));
        Ok(())
    }

    /// Creates and fills what has the name from then on: `AlreadyExists` if there is something.
    pub(crate) fn publish(&self, name: &str) -> io::Result<()> {
        let mapping = Mapping::create(name, self.size as usize)?;
        crate::fail::point("create.sized");
        for (offset, bytes, len) in self.parts.borrow().iter() {
            let part = Part { offset: *offset, bytes, len: *len };
            part.for_each_piece(|offset, bytes| copy_in(&mapping, offset, bytes))?;
        }
        Ok(())
    }

    /// There is none.
    pub(crate) fn file(&self) -> io::Result<u64> {
        Ok(0)
    }
}

fn copy_in(mapping: &Mapping, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let region = mapping.region();
    if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > region.len() as u64) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "contents lie outside the segment"));
    }
    // SAFETY: inside the mapping, as just checked; our own bytes are elsewhere; and no other thread of this
    // process knows this mapping.
    unsafe { region.as_ptr().add(offset as usize).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    Ok(())
}

fn stat(name: &str) -> io::Result<Option<fs::Metadata>> {
    let id = CString::new(os_id(name))?;
    // SAFETY: a NUL-terminated name.
    let descriptor = unsafe { libc::shm_open(id.as_ptr(), libc::O_RDONLY) };
    if descriptor < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == ErrorKind::NotFound { Ok(None) } else { Err(error) };
    }
    // SAFETY: just opened, owned by nobody else.
    unsafe { File::from_raw_fd(descriptor) }.metadata().map(Some)
}

/// What is behind a name now; its size is in whole pages.
pub(crate) fn identify(name: &str) -> io::Result<Option<Found>> {
    Ok(stat(name)?.map(|meta| Found { file: 0, size: meta.len() }))
}

/// Removes the name; fine if it is gone already.
pub(crate) fn remove(name: &str) -> io::Result<()> {
    let id = CString::new(os_id(name))?;
    // SAFETY: a NUL-terminated name.
    if unsafe { libc::shm_unlink(id.as_ptr()) } == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Shared memory is paged like any other, and nothing says how much of it the system would bear: the physical
/// memory is the limit that is surely too much.
pub(crate) fn headroom() -> io::Result<Headroom> {
    let (mut total, mut len) = (0_u64, size_of::<u64>());
    // SAFETY: a NUL-terminated name, and room for the eight bytes of `hw.memsize` (sysctl(3)).
    let asked = unsafe {
        libc::sysctlbyname(c"hw.memsize".as_ptr(), (&raw mut total).cast(), &raw mut len, std::ptr::null_mut(), 0)
    };
    if asked == 0 { Ok(Headroom { total, free: total }) } else { Err(io::Error::last_os_error()) }
}

/// Opens the control segment, making it from `parts` if there is none and `create` says so.
///
/// Its byte locks are on a lock file of the same name, and so is the gate: whoever holds that may make and
/// remove control segments. The segment goes by the identity of its lock file. So whoever loses the lock file
/// loses the segment too, and never takes the living for dead because they locked another file; and a segment
/// that `remove_control` removes is never a successor's.
pub(crate) fn open_control(name: &str, size: u64, create: Option<&[Part<'_>]>) -> io::Result<Option<(Mapping, Life)>> {
    let path = directory()?.join(name);
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(create.is_some()).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = match options.open(&path) {
            Err(e) if e.kind() == ErrorKind::NotFound && create.is_none() => return Ok(None),
            other => other?,
        };
        let gate = Gate::enter(&file)?;
        if leads_to(&path, &file)? {
            let mapping = open_or_make(&segment_of(name, &file)?, size, create)?;
            drop(gate);
            return Ok(mapping.map(|mapping| (mapping, Life::new(file))));
        }
    }
}

/// Behind the gate. A segment that is too short or whose first word is 0 was left by someone who died making it.
fn open_or_make(id: &str, size: u64, create: Option<&[Part<'_>]>) -> io::Result<Option<Mapping>> {
    if let Some(meta) = stat(id)? {
        // SAFETY: no arguments, no failure.
        if meta.uid() != unsafe { libc::geteuid() } {
            return Err(io::Error::new(ErrorKind::PermissionDenied, "the control segment belongs to another user"));
        }
        if meta.len() >= size {
            let mapping = Mapping::open(id)?.exactly(size);
            if first_word(&mapping).load(Ordering::Acquire) != 0 {
                return Ok(Some(mapping));
            }
        }
    }
    let Some(parts) = create else { return Ok(None) };
    remove(id)?;
    let mapping = Mapping::create(id, size as usize)?;
    let mut magic = [0; 8];
    for part in parts {
        part.for_each_piece(|offset, bytes| match bytes.split_first_chunk() {
            Some((first, rest)) if offset == 0 => {
                magic = *first;
                copy_in(&mapping, 8, rest)
            }
            _ => copy_in(&mapping, offset, bytes),
        })?;
    }
    crate::fail::point("domain.staged");
    // Release: after everything else, also for who is killed here.
    first_word(&mapping).store(u64::from_ne_bytes(magic), Ordering::Release);
    Ok(Some(mapping))
}

fn first_word(mapping: &Mapping) -> &AtomicU64 {
    // SAFETY: a control segment has more than eight bytes, a mapping begins with a page, and this word is only
    // ever accessed whole and atomically.
    unsafe { AtomicU64::from_ptr(mapping.region().as_ptr().cast()) }
}

/// Removes the control segment that `life` belongs to, and its lock file if that still has the name.
pub(crate) fn remove_control(name: &str, life: &Life) -> io::Result<()> {
    let path = directory()?.join(name);
    let _gate = Gate::enter(life.file())?;
    // The lock file first: from then on nobody comes to this segment any more, and whoever is told to remove
    // it again removes nobody else's.
    if leads_to(&path, life.file())? {
        fs::remove_file(&path)?;
        crate::fail::point("domain.unlocked");
    }
    remove(&segment_of(name, life.file())?)
}

fn segment_of(name: &str, lock_file: &File) -> io::Result<String> {
    let meta = lock_file.metadata()?;
    let identity = format!("{name} {} {}", meta.dev(), meta.ino());
    Ok(format!("cm-{:016x}", hash(identity.as_bytes())))
}

fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(now) => Ok((now.dev(), now.ino()) == (ours.dev(), ours.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// This user's own, mode 0700, and nobody tidies it up, as happens to `/tmp` (confstr(3)).
fn directory() -> io::Result<PathBuf> {
    let mut path = vec![0_u8; 1024];
    // SAFETY: writes at most as many bytes as there are.
    let len = unsafe { libc::confstr(libc::_CS_DARWIN_USER_CACHE_DIR, path.as_mut_ptr().cast(), path.len()) };
    if len == 0 || len > path.len() {
        return Err(io::Error::other("the system names no directory for this user's caches"));
    }
    path.truncate(len - 1);
    Ok(PathBuf::from(OsString::from_vec(path)))
}

/// Byte 0 of the lock file, locked; the kernel unlocks it if we die.
struct Gate<'f>(&'f File);

impl Gate<'_> {
    fn enter(file: &File) -> io::Result<Gate<'_>> {
        let started = Instant::now();
        loop {
            let mut lock = byte_lock(0);
            // SAFETY: a valid descriptor and a whole flock.
            if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw mut lock) } == 0 {
                return Ok(Gate(file));
            }
            match io::Error::last_os_error() {
                e if !matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => return Err(e),
                _ if started.elapsed() > PATIENCE => {
                    return Err(io::Error::new(ErrorKind::TimedOut, "a process that doesn't run holds its lock file"));
                }
                _ => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let mut lock = byte_lock(0);
        lock.l_type = libc::F_UNLCK;
        // SAFETY: a valid descriptor and a whole flock.
        unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_OFD_SETLK, &raw mut lock) };
    }
}

type Wait = unsafe extern "C" fn(*mut c_void, u64, usize, u32, u32, u64) -> c_int;
type Wake = unsafe extern "C" fn(*mut c_void, usize, u32) -> c_int;

/// The two calls, which macOS has since 14.4 (`os/os_sync_wait_on_address.h`).
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
        unsafe { Some((std::mem::transmute::<_, Option<Wait>>(wait)?, std::mem::transmute::<_, Option<Wake>>(wake)?)) }
    })
}

/// Where an agent sleeps: an address that other processes know as well.
pub(crate) struct Bell;

impl Bell {
    /// Sleeps while `word` is `expected`, for `slice` at the most. May return for no reason.
    pub(crate) fn park(word: &AtomicU32, expected: u32, slice: Duration) {
        let Some((wait, _)) = os_sync() else { return poll(word, expected, slice) };
        let nanoseconds = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX).max(1);
        let (flag, clock) = (libc::OS_SYNC_WAIT_ON_ADDRESS_SHARED, libc::OS_CLOCK_MACH_ABSOLUTE_TIME);
        // SAFETY: a live, aligned word of four bytes; every way to return is fine with the caller.
        unsafe { wait(word.as_ptr().cast(), u64::from(expected), 4, flag, clock, nanoseconds) };
    }

    /// Wakes whoever sleeps on `word`.
    pub(crate) fn ring(word: &AtomicU32) {
        if let Some((_, wake)) = os_sync() {
            // SAFETY: a live, aligned word of four bytes.
            unsafe { wake(word.as_ptr().cast(), 4, libc::OS_SYNC_WAKE_BY_ADDRESS_SHARED) };
        }
    }
}

/// Whose control segments these are.
pub(crate) fn user() -> String {
    // SAFETY: no arguments, no failure.
    unsafe { libc::geteuid() }.to_string()
}
