//! Which agents are alive, by open-file-description locks.
//!
//! An agent holds a write lock on the byte `BASE + instance` of a descriptor of its own. The kernel
//! drops the lock with the description, and that after the process's address space: a dead agent
//! can't write any more, and a stopped one is not dead. The byte belongs to the *instance*, not to
//! the slot, so a newcomer in a dead agent's slot is never taken for its predecessor.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use super::file::ByteRange;
use super::lock_ofd::{may_be_locked, out_of_the_way, try_lock, wait_for_unlock};

/// Far behind the bytes of any control segment.
const BASE: u64 = 1 << 40;

/// The descriptor whose lock says that this agent lives.
pub(crate) struct Life(File);

impl Life {
    /// Takes a description that is not shared: opened for this agent, close-on-exec.
    pub(crate) fn new(file: File) -> Life {
        Life(out_of_the_way(file))
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Marks `instance` as alive for as long as this descriptor is open. `false`: another agent has
    /// that instance.
    pub(crate) fn claim(&self, instance: u32) -> io::Result<bool> {
        try_lock(&self.0, byte(instance), false)
    }

    /// Whether an agent of that instance, *other* than this one, lives. If the kernel can't tell,
    /// it counts as alive: nothing is taken from an owner without the kernel's word.
    pub(crate) fn is_alive(&self, instance: u32) -> bool {
        may_be_locked(&self.0, byte(instance))
    }

    /// Blocks this thread until no agent of that instance lives, in this process neither.
    pub(crate) fn outlive(&self, instance: u32) -> io::Result<()> {
        wait_for_unlock(&self.0, byte(instance))
    }

    /// What another process inherits so that the instance lives as long as that process has it
    /// open: locks belong to the description.
    #[allow(clippy::unnecessary_wraps, reason = "Windows has none")]
    pub(crate) fn descriptor(&self) -> Option<i32> {
        Some(self.0.as_raw_fd())
    }
}

fn byte(instance: u32) -> ByteRange {
    ByteRange { start: BASE + u64::from(instance), len: 1 }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::os::fd::FromRawFd;

    use super::Life;

    #[test]
    fn an_agent_counts_as_alive_if_the_kernel_cannot_tell() {
        // A descriptor that only names a file: the kernel refuses to tell of locks. `OpenOptions`
        // drops the flag with musl, where it counts as an access mode.
        // SAFETY: a NUL-terminated path; the descriptor is nobody else's.
        let file = unsafe {
            let fd = libc::open(c"/dev/shm".as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
            assert!(fd >= 0);
            File::from_raw_fd(fd)
        };
        let life = Life::new(file);
        assert!(life.claim(1).is_err());
        assert!(life.is_alive(1) && life.is_alive(2));
    }
}
