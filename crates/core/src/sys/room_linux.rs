//! How much shared memory there may still be on Linux: by its file system, the limits of this
//! process, its cgroups, and the machine.

use std::ffi::CString;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cgroup_linux;
use super::directory_linux::lies_in_memory;
use super::room::{Headroom, Limit, Shortage};

/// Memory that must stay free after a reservation, since the process itself needs some. So that
/// many bytes are reserved without asking for memory again: asking costs several files, about as
/// much as to reserve 100 KiB, and a small object must not cost that.
const SPARE: u64 = 1 << 20;

/// Bytes that this process reserved since it asked for memory. The first reservation asks.
static UNASKED: AtomicU64 = AtomicU64::new(SPARE);

/// What a process may reserve without asking for memory again, for a moment after it found much.
/// Segments of a mebibyte that are made one after the other would otherwise all ask.
struct Credit {
    until: Instant,
    left: u64,
}

/// So much memory is much. A process gets a part of it on credit. The rest is for what all other
/// processes reserve meanwhile.
const MUCH: u64 = 256 << 20;
const ON_CREDIT: u64 = 64 << 20;
const MOMENT: Duration = Duration::from_millis(10);

static CREDIT: Mutex<Option<Credit>> = Mutex::new(None);

impl Credit {
    /// Takes a reservation off. `false`: the credit is too small, or over.
    fn covers(&mut self, wanted: u64, now: Instant) -> bool {
        let covers = now < self.until && wanted <= self.left;
        if covers {
            self.left -= wanted;
        }
        covers
    }
}

/// As `memory_has_room`, but doesn't ask while there is credit.
fn memory_likely_has_room(wanted: u64) -> io::Result<()> {
    if !lies_in_memory() {
        return Ok(());
    }
    let mut credit = CREDIT.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    if credit.as_mut().is_some_and(|credit| credit.covers(wanted, now)) {
        return Ok(());
    }
    *credit = None;
    if wanted <= ON_CREDIT && memory_leaves(MUCH, wanted).is_ok() {
        *credit = Some(Credit { until: now + MOMENT, left: ON_CREDIT });
        return Ok(());
    }
    memory_has_room(wanted)
}

/// Refuses a new file of `wanted` bytes for which there is no room, before any memory is taken from
/// other processes.
pub(super) fn refuse_without_room(directory: &Path, wanted: u64) -> io::Result<()> {
    // If the file system can't be asked, making the file fails, and tells why.
    let Ok(stat) = stat(directory) else { return Ok(()) };
    // A file system without a limit says 0 of 0: tmpfs with `size=0` or `nr_inodes=0`, ramfs.
    if stat.f_files > 0 && stat.f_ffree == 0 {
        return Err(Shortage(Headroom { limit: Limit::Files, total: stat.f_files, free: 0 }).into());
    }
    refuse_bytes(&stat, 0, wanted)
}

/// The same for a file that has `len` bytes and is to get `more`.
pub(super) fn refuse_to_grow(directory: &Path, len: u64, more: u64) -> io::Result<()> {
    stat(directory).map_or(Ok(()), |stat| refuse_bytes(&stat, len, more))
}

fn refuse_bytes(stat: &libc::statvfs, len: u64, more: u64) -> io::Result<()> {
    let short = |headroom| Err(Shortage(headroom).into());
    if let Some(room) = sized(stat)
        && more > room.free
    {
        return short(room);
    }
    refuse_beyond_largest_file(len.saturating_add(more))?;
    if UNASKED.fetch_add(more, Relaxed).saturating_add(more) < SPARE {
        return Ok(());
    }
    UNASKED.store(0, Relaxed);
    memory_likely_has_room(more)
}

/// Refuses to write to a file up to `end`, where the kernel would send SIGXFSZ, which ends programs
/// that don't ignore it.
pub(super) fn refuse_beyond_largest_file(end: u64) -> io::Result<()> {
    let largest = largest_file();
    if end > largest {
        return Err(Shortage(Headroom { limit: Limit::FileSize, total: largest, free: largest }).into());
    }
    Ok(())
}

/// Refuses a reservation that the machine or a cgroup of this process has no memory for. The kernel
/// would not refuse it: it kills a process for it.
pub(super) fn memory_has_room(wanted: u64) -> io::Result<()> {
    if lies_in_memory() { memory_leaves(SPARE, wanted) } else { Ok(()) }
}

/// The same, with so much memory left after the reservation.
fn memory_leaves(spare: u64, wanted: u64) -> io::Result<()> {
    let needed = wanted.saturating_add(spare);
    let fits = |room: &Headroom| room.free >= needed;
    let short = |mut room: Headroom| {
        room.free = room.free.saturating_sub(spare);
        Err(Shortage(room).into())
    };
    match cgroup_linux::tightest(wanted, needed, free_swap()) {
        Some(room) if !fits(&room) => short(room),
        // Memory that is unused, without what the kernel could free: no file need be read.
        _ if unused_memory() >= needed => Ok(()),
        _ => Some(machine()).filter(|room| !fits(room)).map_or(Ok(()), short),
    }
}

/// Free bytes of the file system, or of the machine if the file system has no limit.
pub(super) fn headroom(directory: &Path) -> io::Result<Headroom> {
    Ok(sized(&stat(directory)?).unwrap_or_else(machine))
}

/// The memory that this process may still use, by the tightest of its cgroups or by the machine.
#[allow(clippy::unnecessary_wraps, reason = "as on the other systems")]
pub(crate) fn memory_limit() -> Option<Headroom> {
    let machine = machine();
    Some(
        cgroup_linux::tightest(u64::MAX, u64::MAX, free_swap())
            .filter(|cgroup| cgroup.free <= machine.free)
            .unwrap_or(machine),
    )
}

fn stat(directory: &Path) -> io::Result<libc::statvfs> {
    let directory = CString::new(directory.as_os_str().as_encoded_bytes())?;
    // SAFETY: statvfs is plain integers, filled by the call.
    let mut stat: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a NUL-terminated path and a whole statvfs.
    if unsafe { libc::statvfs(directory.as_ptr(), &raw mut stat) } == 0 {
        Ok(stat)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The size of the file system; `None` if it has no limit.
fn sized(stat: &libc::statvfs) -> Option<Headroom> {
    (stat.f_blocks > 0).then(|| Headroom {
        limit: Limit::SharedMemory,
        total: stat.f_blocks * stat.f_frsize,
        free: stat.f_bavail * stat.f_frsize,
    })
}

fn largest_file() -> u64 {
    // SAFETY: rlimit is plain integers, filled by the call.
    let mut limit: libc::rlimit = unsafe { std::mem::zeroed() };
    // SAFETY: a whole rlimit.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    // An offset of a file is signed, so no file is larger than this.
    let most = i64::MAX as u64;
    if asked == 0 { limit.rlim_cur.min(most) } else { most }
}

fn sysinfo() -> libc::sysinfo {
    // SAFETY: sysinfo is plain integers, filled by the call.
    let mut info: libc::sysinfo = unsafe { std::mem::zeroed() };
    // SAFETY: a whole sysinfo. If the call fails, all is 0.
    unsafe { libc::sysinfo(&raw mut info) };
    info
}

fn unused_memory() -> u64 {
    let info = sysinfo();
    info.freeram * u64::from(info.mem_unit)
}

/// Swap space of the machine that is free.
fn free_swap() -> u64 {
    let info = sysinfo();
    info.freeswap * u64::from(info.mem_unit)
}

/// The machine's memory. What is free includes what the kernel frees when it is wanted.
fn machine() -> Headroom {
    let info = sysinfo();
    let bytes = |count| count * u64::from(info.mem_unit);
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let free = available.unwrap_or_else(|| bytes(info.freeram + info.bufferram));
    Headroom {
        limit: Limit::Machine,
        total: bytes(info.totalram + info.totalswap),
        free: free + bytes(info.freeswap),
    }
}

/// `MemAvailable` of `/proc/meminfo` (proc(5)), in bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_has_more_memory_than_it_has_free() {
        let room = machine();
        assert!(room.free > 0 && room.free <= room.total, "{room:?}");
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:     123 kB\n"), Some(123 << 10));
        assert_eq!(available("MemTotal:  9 kB\n"), None);
    }

    #[test]
    fn credit_ends_with_its_bytes_and_with_its_time() {
        let now = Instant::now();
        let mut credit = Credit { until: now + MOMENT, left: 10 };
        assert!(!credit.covers(11, now));
        assert!(credit.covers(6, now));
        assert!(!credit.covers(5, now));
        assert!(!credit.covers(4, now + MOMENT));
        assert!(credit.covers(4, now));
    }

    #[test]
    fn more_than_the_machine_has_is_refused_with_the_limit() {
        let error = memory_has_room(1 << 60).unwrap_err();
        let Shortage(room) = Shortage::of(&error).unwrap();
        assert!(matches!(room.limit, Limit::Machine | Limit::Cgroup(_)), "{room:?}");
        memory_has_room(1).unwrap();
    }
}
