//! Room for shared memory, and what limits it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// A limit, how much it allows, and how much of that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headroom {
    /// What sets the limit.
    pub limit: Limit,
    /// Bytes in all; files in all for `Limit::Files`.
    pub total: u64,
    /// Free bytes, or files.
    pub free: u64,
}

/// What limits shared memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The size of the file system that shared memory lies in.
    SharedMemory,
    /// How many files that file system may have.
    Files,
    /// How large a file of this process may be.
    FileSize,
    /// The memory of this process's cgroup or of one above it; the file that states the limit.
    Cgroup(PathBuf),
    /// The memory of the machine.
    Machine,
}

/// Whether shared memory is made of huge pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HugePages {
    /// The option `huge=` of its mount: `never`, `always`, `within_size` or `advise`.
    pub mount: String,
    /// `shmem_enabled` of the system, of which `deny` and `force` are above the mount's option.
    pub system: Option<String>,
}

impl HugePages {
    /// Whether no object can have them.
    #[must_use]
    pub fn are_off(&self) -> bool {
        match self.system.as_deref() {
            Some("deny") => true,
            Some("force") => false,
            _ => self.mount == "never",
        }
    }
}

/// No memory was reserved, since this limit allows less than what was wanted. It travels inside an
/// `io::Error` of the kind `StorageFull`.
#[derive(Debug)]
pub(crate) struct Shortage(pub Headroom);

impl Shortage {
    #[cfg(not(target_os = "linux"))]
    pub(super) fn unless_fits(wanted: u64, room: Headroom) -> io::Result<()> {
        if wanted <= room.free { Ok(()) } else { Err(Shortage(room).into()) }
    }

    /// The shortage that an error tells of.
    pub(crate) fn of(error: &io::Error) -> Option<&Shortage> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} allows {} more", self.0.limit, self.0.free)
    }
}

impl std::error::Error for Shortage {}

impl From<Shortage> for io::Error {
    fn from(shortage: Shortage) -> io::Error {
        io::Error::new(ErrorKind::StorageFull, shortage)
    }
}
