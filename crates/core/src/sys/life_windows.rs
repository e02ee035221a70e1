//! Who is alive, by byte locks of Windows: as `life_ofd.rs` tells it, in other words.

use std::fs::File;
use std::io;

use super::file::ByteRange;
use super::lock_windows::{try_lock, unlock};

/// Far behind the bytes of any control segment.
const BASE: u64 = 1 << 40;

/// The file whose locks say that we live.
pub(crate) struct Life(File);

impl Life {
    /// Takes a file that was opened for this agent alone: locks belong to the handle.
    pub(crate) fn new(file: File) -> Life {
        Life(file)
    }

    pub(crate) fn file(&self) -> &File {
        &self.0
    }

    /// Marks `instance` as alive for as long as this handle is open. `false` if someone already did.
    pub(crate) fn claim(&self, instance: u32) -> io::Result<bool> {
        try_lock(&self.0, byte(instance), false)
    }

    /// Whether an agent of that instance lives. Anything unknown counts as alive: only the system's word takes
    /// something from an owner. The question is a shared lock, so those who ask don't mistake each other.
    pub(crate) fn is_alive(&self, instance: u32) -> bool {
        if !matches!(try_lock(&self.0, byte(instance), true), Ok(true)) {
            return true;
        }
        // What can't be unlocked now is when the handle is closed, and until then it is asked about for nothing.
        let _ = unlock(&self.0, byte(instance), &[]);
        false
    }
}

fn byte(instance: u32) -> ByteRange {
    ByteRange { start: BASE + u64::from(instance), len: 1 }
}
