//! The control segment on macOS, with a lock file beside it: bytes of POSIX shared memory can't be
//! locked there.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::access::Party;
use super::control::OpenControl;
use super::file::{ByteRange, Part, Taken};
use super::life_ofd::Life;
use super::lock_ofd::{try_lock, unlock};
use super::macos::{copy_in, remove, stat};
use super::mapping::Mapping;
use super::place_elsewhere::Place;
use crate::hash::hash_64;
use crate::sync::{AtomicU64, Ordering};

/// The gate is held for microseconds: a holder that keeps it longer than this is stopped.
const STUCK_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the control segment. If there is none, makes it from the parts `create`, if given. It has
/// the largest of `sizes`: the system doesn't let it grow, and gives it memory as it is used.
///
/// Its byte locks are on a lock file of the same name, and so is the gate: the holder of the gate
/// may make and remove control segments. The segment is named after the identity of its lock file.
/// So a process that finds another lock file finds another segment, too: it never takes living
/// agents for dead because they locked another file. And the segment that `remove_control` removes
/// is never a successor's.
pub(crate) fn open_control(
    _party: Party,
    name: &str,
    sizes: &RangeInclusive<u64>,
    create: Option<&[Part<'_>]>,
) -> io::Result<Option<OpenControl>> {
    let size = *sizes.end();
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
            let name = name.to_owned();
            return Ok(mapping.map(|mapping| OpenControl {
                place: Place,
                name,
                mapping,
                life: Life::new(file),
            }));
        }
    }
}

/// The caller holds the gate. If a segment is too short, or its first word is 0, a process died
/// while it made it.
fn open_or_make(id: &str, size: u64, create: Option<&[Part<'_>]>) -> io::Result<Option<Mapping>> {
    if let Some(meta) = stat(id)? {
        // SAFETY: no arguments, no failure.
        if meta.uid() != unsafe { libc::geteuid() } {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "the control segment belongs to another user",
            ));
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
    // Release: after everything else, also if this process is killed here.
    first_word(&mapping).store(u64::from_ne_bytes(magic), Ordering::Release);
    Ok(Some(mapping))
}

fn first_word(mapping: &Mapping) -> &AtomicU64 {
    // SAFETY: a control segment has more than eight bytes, a mapping begins with a page, and this
    // word is only ever accessed whole and atomically.
    unsafe { AtomicU64::from_ptr(mapping.region().as_ptr().cast()) }
}

/// The names of the files that lie where the lock files of this user's control segments do.
pub(crate) fn files_beside_control(_party: Party) -> Vec<String> {
    let entries = directory().and_then(fs::read_dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The names of the control segment that other users have: none, since the folder is the user's
/// own.
pub(crate) fn control_taken(_party: Party, _name: &str, _sizes: &RangeInclusive<u64>) -> Vec<Taken> {
    Vec::new()
}

/// Removes the control segment that `life` belongs to, and its lock file if that still has the
/// name.
pub(crate) fn remove_control(_place: &Place, name: &str, life: &Life) -> io::Result<()> {
    let path = directory()?.join(name);
    let _gate = Gate::enter(life.file())?;
    // The lock file first: from then on no process can open this segment, and if it is removed once
    // more, that doesn't remove a successor's.
    if leads_to(&path, life.file())? {
        fs::remove_file(&path)?;
        crate::fail::point("domain.unlocked");
    }
    remove(&segment_of(name, life.file())?)
}

fn segment_of(name: &str, lock_file: &File) -> io::Result<String> {
    let meta = lock_file.metadata()?;
    let identity = format!("{name} {} {}", meta.dev(), meta.ino());
    Ok(format!("cm-{:016x}", hash_64(identity.as_bytes())))
}

fn leads_to(path: &Path, file: &File) -> io::Result<bool> {
    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(now) => Ok((now.dev(), now.ino()) == (ours.dev(), ours.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// The user's own directory for caches, mode 0700. The system doesn't clean it up, as it does
/// `/tmp` (confstr(3)).
pub(super) fn directory() -> io::Result<PathBuf> {
    let mut path = vec![0_u8; 1024];
    // SAFETY: writes at most as many bytes as there are.
    let len = unsafe { libc::confstr(libc::_CS_DARWIN_USER_CACHE_DIR, path.as_mut_ptr().cast(), path.len()) };
    if len == 0 || len > path.len() {
        return Err(io::Error::other("the system names no directory for this user's caches"));
    }
    path.truncate(len - 1);
    Ok(PathBuf::from(OsString::from_vec(path)))
}

/// Byte 0 of the lock file, locked. If this process dies, the kernel unlocks it.
struct Gate<'f>(&'f File);

const GATE: ByteRange = ByteRange { start: 0, len: 1 };

impl Gate<'_> {
    fn enter(file: &File) -> io::Result<Gate<'_>> {
        let started = Instant::now();
        while !try_lock(file, GATE, false)? {
            if started.elapsed() > STUCK_TIMEOUT {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "a process that doesn't run holds its lock file",
                ));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(Gate(file))
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        // If this fails, the kernel unlocks it when the descriptor is closed.
        let _ = unlock(self.0, GATE, &[]);
    }
}

/// The user whose control segments these are.
pub(crate) fn user() -> String {
    // SAFETY: no arguments, no failure.
    unsafe { libc::geteuid() }.to_string()
}

/// Bytes of the control segment that may be used: all of it from the beginning.
pub(crate) fn control_len(_: &Life) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// It has all its bytes already.
pub(crate) fn grow_control(_: &Life, _len: u64) -> io::Result<()> {
    Ok(())
}

/// Here no system service removes control segments.
pub(crate) fn control_is_gone(_: &Life) -> bool {
    false
}
