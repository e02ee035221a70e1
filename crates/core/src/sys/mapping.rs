//! A named segment in the address space of this process, by the crate `shared_memory`.
//!
//! The crate is used where it is sound: `os_id` only, `as_ptr` only, and never as owner, since its
//! `Drop` would unlink the name even if that leads to another object by then.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use shared_memory::{Shmem, ShmemConf, ShmemError};

#[cfg(target_os = "linux")]
use super::linux::{open, path};
#[cfg(target_os = "macos")]
use crate::hash::hash_64;
use crate::region::Region;

/// Mapped bytes. Dropping it unmaps them, and never unlinks a name.
pub(crate) struct Mapping {
    base: *mut u8,
    /// Bytes that may be accessed. It grows only if the segment does.
    len: AtomicUsize,
    /// Bytes of address space.
    span: usize,
    /// Keeps the mapping where the OS has no call to duplicate it.
    shmem: ManuallyDrop<Option<Shmem>>,
    /// What more mappings are made of where `mremap` makes none.
    #[cfg(target_os = "linux")]
    file: Option<File>,
}

// SAFETY: the bytes are reached only by atomics and raw copies, from any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the segment of that name, whole, for reading and writing.
    #[cfg(unix)]
    pub(crate) fn open(name: &str) -> io::Result<Mapping> {
        Self::open_id(&os_id(name))
    }

    pub(super) fn open_id(os_id: &str) -> io::Result<Mapping> {
        ShmemConf::new().os_id(os_id).open().map_err(io_error).and_then(|shmem| Self::adopt(shmem, None))
    }

    /// Maps a segment that can grow to `most` bytes. Those that it has now may be accessed, and
    /// more once `grown_to` was called.
    #[cfg(target_os = "linux")]
    pub(super) fn open_growing(name: &str, most: u64) -> io::Result<Mapping> {
        let shmem = ShmemConf::new().os_id(os_id(name)).open().map_err(io_error)?;
        Self::adopt(shmem, Some(most as usize))
    }

    /// Creates and maps a zeroed segment whose bytes are *not* reserved.
    #[cfg(target_os = "macos")]
    pub(crate) fn create(name: &str, size: usize) -> io::Result<Mapping> {
        ShmemConf::new()
            .os_id(os_id(name))
            .size(size)
            .create()
            .map_err(io_error)
            .and_then(|shmem| Self::adopt(shmem, None))
    }

    /// Cuts off the end of the last page where the system counts in pages, and the object has
    /// `size` bytes. Any other difference in size stays, for the caller to notice.
    #[must_use]
    pub(crate) fn exactly(mut self, size: u64) -> Mapping {
        const LARGEST_PAGE: u64 = 64 << 10;
        let rest = (*self.len.get_mut() as u64).checked_sub(size);
        if cfg!(not(target_os = "linux")) && rest.is_some_and(|rest| rest < LARGEST_PAGE) {
            *self.len.get_mut() = size as usize;
        }
        self
    }

    /// The segment has so many bytes by now.
    pub(crate) fn grown_to(&self, len: u64) {
        self.len.fetch_max(self.span.min(len as usize), Relaxed);
    }

    /// Maps a file whole; with `most`, as `open_growing` does. The crate opens segments by name
    /// only, and only in `/dev/shm` itself.
    #[cfg(target_os = "linux")]
    pub(super) fn of_file(file: &File, most: Option<u64>) -> io::Result<Mapping> {
        let len = file.metadata()?.len() as usize;
        let span = most.map_or(len, |most| most as usize);
        let (access, shared) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a valid descriptor; the kernel picks the place.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), span, access, shared, file.as_raw_fd(), 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self::at(base, len.min(span), span))
    }

    /// The mapping that the kernel has made at `base`.
    #[cfg(target_os = "linux")]
    fn at(base: *mut libc::c_void, len: usize, span: usize) -> Mapping {
        let (base, len) = (base.cast(), AtomicUsize::new(len));
        Mapping { base, len, span, shmem: ManuallyDrop::new(None), file: None }
    }

    fn adopt(mut shmem: Shmem, span: Option<usize>) -> io::Result<Mapping> {
        shmem.set_owner(false);
        let span = span.unwrap_or(shmem.len());
        Self::own(shmem, span)
    }

    /// `Shmem` keeps a descriptor for as long as it lives. A second mapping of the same pages,
    /// which `mremap` makes from an old size of 0 (mremap(2)), needs none: thousands of segments
    /// can be open. It may be longer than the first, and than the segment.
    ///
    /// qemu, as it emulates a process, and valgrind refuse that call. There, the file is opened
    /// once more, and the mapping keeps a descriptor of it. The name may lead to another file by
    /// then: as after any call that takes a name, the caller checks what it got.
    #[cfg(target_os = "linux")]
    fn own(shmem: Shmem, span: usize) -> io::Result<Mapping> {
        // SAFETY: a live shared mapping.
        let mapping = unsafe { Self::duplicate(shmem.as_ptr(), shmem.len().min(span), span) };
        let mapping = mapping.or_else(|_| {
            let file = open(&path(shmem.get_os_id().trim_start_matches('/')))?;
            let mut mapping = Self::of_file(&file, Some(span as u64))?;
            mapping.file = Some(file);
            Ok(mapping)
        });
        // Drops its mapping and its descriptor.
        drop(shmem);
        mapping
    }

    /// # Safety
    /// `base` is the beginning of a live shared mapping of at least `len` bytes.
    #[cfg(target_os = "linux")]
    unsafe fn duplicate(base: *mut u8, len: usize, span: usize) -> io::Result<Mapping> {
        // SAFETY: by this function's contract; the kernel picks the new place.
        let base = unsafe { libc::mremap(base.cast(), 0, span, libc::MREMAP_MAYMOVE) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self::at(base, len, span))
    }

    /// Maps the same pages a second time, on Linux only. `release_pages` of one mapping leaves the
    /// other alone.
    #[cfg(target_os = "linux")]
    pub(crate) fn again(&self) -> io::Result<Mapping> {
        if let Some(file) = &self.file {
            return Self::of_file(file, Some(self.span as u64));
        }
        // SAFETY: mapped until drop, and shared as long as `release_pages` was not called.
        unsafe { Self::duplicate(self.base, self.len.load(Relaxed), self.span) }
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unused_self, reason = "as on Linux")]
    pub(crate) fn again(&self) -> io::Result<Mapping> {
        Err(io::ErrorKind::Unsupported.into())
    }

    #[cfg(not(target_os = "linux"))]
    #[allow(clippy::unnecessary_wraps, reason = "as on Linux")]
    fn own(shmem: Shmem, span: usize) -> io::Result<Mapping> {
        let (base, len) = (shmem.as_ptr(), AtomicUsize::new(span));
        Ok(Mapping { base, len, span, shmem: ManuallyDrop::new(Some(shmem)) })
    }

    pub(crate) fn region(&self) -> Region<'_> {
        // SAFETY: mapped until drop, and the borrow ends before that; the segment has these bytes.
        unsafe { Region::new(self.base, self.len.load(Relaxed)) }
    }

    /// Returns the pages at once but keeps the addresses valid: a pointer into the mapping then
    /// reads and writes private zeros instead of faulting. (On Windows the pages stay until the
    /// mapping is dropped.)
    #[cfg_attr(windows, allow(clippy::unused_self))]
    pub(crate) fn release_pages(&self) {
        #[cfg(unix)]
        // SAFETY: replaces exactly this mapping by an anonymous one of the same span.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED | libc::MAP_NORESERVE;
            libc::mmap(self.base.cast(), self.span, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        #[cfg(windows)]
        super::bell_windows::unmapping(self.base);
        // SAFETY: taken once, here.
        let shmem = unsafe { ManuallyDrop::take(&mut self.shmem) };
        #[cfg(unix)]
        if shmem.is_none() {
            // SAFETY: this mapping alone, and every `Region` of it borrowed `self`.
            unsafe { libc::munmap(self.base.cast(), self.span) };
        }
        drop(shmem);
    }
}

/// `PSHMNAMLEN` is 31, which may include the slash and the final NUL.
#[cfg(target_os = "macos")]
const NAME_MAX: usize = 29;

/// The object's name for `shm_open`. A longer name is replaced by its hash: all processes with
/// crossmem find the object, other programs don't.
#[cfg(target_os = "macos")]
pub(super) fn os_id(name: &str) -> String {
    if name.len() <= NAME_MAX { format!("/{name}") } else { format!("/cm-{:016x}", hash_64(name.as_bytes())) }
}

/// POSIX wants a leading slash for portable names.
#[cfg(target_os = "linux")]
fn os_id(name: &str) -> String {
    format!("/{name}")
}

fn io_error(error: ShmemError) -> io::Error {
    match error {
        ShmemError::MapOpenFailed(errno)
        | ShmemError::MapCreateFailed(errno)
        | ShmemError::UnknownOsError(errno) => io::Error::from_raw_os_error(errno as i32),
        ShmemError::MappingIdExists => io::ErrorKind::AlreadyExists.into(),
        other => io::Error::other(other.to_string()),
    }
}
