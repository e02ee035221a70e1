//! The files of a map. LMDB has its data in the arena, and beside it a table of readers with the
//! mutex of its writers, which it finds by this name.

use std::io;

#[cfg(not(target_os = "linux"))]
use super::place_elsewhere::Place;
#[cfg(target_os = "linux")]
use super::place_linux::Place;

/// Room for a reader of each agent, and more: so many bytes have 64 for each of 1100.
#[cfg(target_os = "linux")]
pub(super) const READERS_BYTES: u64 = 1100 * 64;

/// The name of the table of readers.
pub(super) fn readers_of(arena: &str) -> String {
    format!("{arena}-lock")
}

impl Place {
    /// Removes the name of the table; fine if it is gone already.
    pub(crate) fn remove_readers(&self, arena: &str) -> io::Result<()> {
        self.remove_arena(&readers_of(arena))
    }
}
