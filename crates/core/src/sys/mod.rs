//! The only door to the operating system: memory, who is alive, waiting. One file per OS, the same names
//! in each:
//!
//! | name | what |
//! | --- | --- |
//! | `Staged` | an object's bytes before it has a name: reserved, filled, then published at once |
//! | `Mapping` | a named segment in our address space |
//! | `identify`, `remove`, `headroom` | the file behind a name; free bytes |
//! | `open_control` | the control segment together with its `Life` |
//! | `Life` | byte locks that the kernel drops when their process is gone |
//! | `open_to_lock`, `try_lock`, `unlock`, `says_no_locks` | locks on the bytes of any file |
//! | `Bell` | what an agent sleeps on |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::*;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::*;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!("crossmem runs on Linux, macOS and Windows: sys/ has no file for this system");

#[cfg(windows)]
mod bell_windows;
#[cfg(target_os = "macos")]
mod control_macos;
#[cfg(unix)]
mod life_ofd;
#[cfg(windows)]
mod life_windows;
#[cfg(unix)]
mod lock_ofd;
#[cfg(windows)]
mod lock_windows;
mod mapping;

#[cfg(windows)]
pub(crate) use bell_windows::Bell;
#[cfg(target_os = "macos")]
pub(crate) use control_macos::{open_control, remove_control};
#[cfg(unix)]
pub(crate) use life_ofd::Life;
#[cfg(windows)]
pub(crate) use life_windows::Life;
#[cfg(unix)]
pub(crate) use lock_ofd::{open_to_lock, says_no_locks, try_lock, unlock};
#[cfg(windows)]
pub(crate) use lock_windows::{open_to_lock, says_no_locks, try_lock, unlock};
pub(crate) use mapping::Mapping;

/// Sleep where nothing can wake us: for 1 ms at first and 10 ms in the end, looking at `word` in between.
#[cfg(not(target_os = "linux"))]
fn poll(word: &crate::sync::AtomicU32, expected: u32, slice: std::time::Duration) {
    use std::time::{Duration, Instant};
    let (started, mut nap) = (Instant::now(), Duration::from_millis(1));
    while word.load(crate::sync::Ordering::Acquire) == expected {
        let Some(left) = slice.checked_sub(started.elapsed()) else { return };
        std::thread::sleep(nap.min(left));
        nap = (nap * 2).min(Duration::from_millis(10));
    }
}

/// What stands behind a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Identity of the file; 0 where the OS has none.
    pub file: u64,
    pub size: u64,
}

/// Bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// The first of them.
    pub start: u64,
    /// How many; 0: to the end of the file, wherever that will be.
    pub len: u64,
}

impl ByteRange {
    /// The byte behind the last.
    pub(crate) fn end(self) -> u64 {
        if self.len == 0 { u64::MAX } else { self.start.saturating_add(self.len) }
    }

    pub(crate) fn overlaps(self, other: ByteRange) -> bool {
        self.start < other.end() && other.start < self.end()
    }
}

/// Room for shared memory.
#[derive(Clone, Copy, Debug)]
pub struct Headroom {
    /// Bytes there can be.
    pub total: u64,
    /// Bytes still free.
    pub free: u64,
}

/// Bytes to write into an object before anyone sees it.
pub struct Part<'a> {
    /// Where they go.
    pub offset: u64,
    /// What goes there.
    pub bytes: &'a [u8],
    /// How many bytes are covered by repeating `bytes`.
    pub len: u64,
}

impl Part<'_> {
    /// Calls `write` with consecutive pieces of at most about a mebibyte that make up the part.
    pub(crate) fn for_each_piece<E>(
        &self,
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let whole = self.bytes.len() as u64;
        if self.len <= whole {
            return write(self.offset, &self.bytes[..self.len as usize]);
        }
        let repeats = (1 << 20_u64).min(self.len) / whole.max(1);
        let piece = self.bytes.repeat(repeats.max(1) as usize);
        let mut done = 0;
        while done < self.len {
            let now = (self.len - done).min(piece.len() as u64);
            write(self.offset + done, &piece[..now as usize])?;
            done += now;
        }
        Ok(())
    }
}
