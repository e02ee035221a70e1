//! Which agents are alive, by byte locks of Windows. See `life_ofd.rs`.

use std::fs::File;
use std::io;

use super::file::ByteRange;
use super::lock_windows::{lock_shared, try_lock, unlock};

/// Far behind the bytes of any control segment.
const BASE: u64 = 1 << 40;

/// The file whose lock says that this agent lives.
pub(crate) struct Life(File);

impl Life {
    /// Takes a file that was opened for this agent alone: locks belong to the handle.
    pub(crate) fn new(file: File) -> Life {
        Life(file)
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Marks `instance` as alive for as long as this handle is open. `false`: another agent has
    /// that instance.
    pub(crate) fn claim(&self, instance: u32) -> io::Result<bool> {
        try_lock(&self.0, byte(instance), false)
    }

    /// Whether an agent of that instance lives. If the system can't tell, it counts as alive:
    /// nothing is taken from an owner without the system's word. The test takes a shared lock, so
    /// processes that test at the same time don't take each other for the agent.
    pub(crate) fn is_alive(&self, instance: u32) -> bool {
        if !matches!(try_lock(&self.0, byte(instance), true), Ok(true)) {
            return true;
        }
        // If this fails, the system unlocks the byte when the handle is closed.
        let _ = unlock(&self.0, byte(instance), &[]);
        false
    }

    /// Blocks this thread until no agent of that instance lives.
    pub(crate) fn outlive(&self, instance: u32) -> io::Result<()> {
        lock_shared(&self.0, byte(instance))
    }

    /// Another process can't get a lock with a handle.
    #[allow(clippy::unused_self, reason = "signatures as on the other systems")]
    pub(crate) fn descriptor(&self) -> Option<i32> {
        None
    }
}

fn byte(instance: u32) -> ByteRange {
    ByteRange { start: BASE + u64::from(instance), len: 1 }
}
