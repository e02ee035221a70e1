//! Where the files of a domain lie on macOS and Windows: all domains are of one user there.

#![allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "signatures as on Linux")]

use std::io::{self, ErrorKind};

use super::access::{Access, Party};
use super::file::{Found, Pages};
#[cfg(target_os = "macos")]
use super::macos::{self as system, Staged};
use super::mapping::Mapping;
use super::room::HugePages;
use super::view::{View, ViewRoom};
#[cfg(windows)]
use super::windows::{self as system, Staged};

#[cfg(target_os = "macos")]
const WHY: &str =
    "macOS gives no file system to shared memory, and lets no process set the group of what it made";
#[cfg(windows)]
const WHY: &str = "on Windows shared memory lies in the user's own temp folder";

/// Refuses any group.
pub(crate) fn group_id(_group: &str) -> io::Result<u32> {
    Err(unsupported())
}

/// No group has a domain here.
pub(crate) fn own_groups() -> Vec<u32> {
    Vec::new()
}

/// No group has a name here.
pub(crate) fn group_name(_group: u32) -> Option<String> {
    None
}

fn unsupported() -> io::Error {
    io::Error::new(
        ErrorKind::Unsupported,
        format!("users share memory by mode and group (CROSSMEM_GROUP) on Linux only: {WHY}"),
    )
}

/// No directory can be chosen.
pub(crate) fn chosen_directory() -> Option<&'static std::path::Path> {
    None
}

/// Refuses any `CROSSMEM_DIR`.
pub(crate) fn check_directory(_party: Party) -> io::Result<()> {
    match std::env::var_os("CROSSMEM_DIR") {
        Some(path) if !path.is_empty() => Err(io::Error::new(
            ErrorKind::Unsupported,
            "CROSSMEM_DIR chooses the directory of shared memory on Linux only: unset it",
        )),
        _ => Ok(()),
    }
}

/// The place of the user's own files.
#[derive(Clone)]
pub(crate) struct Place;

impl Place {
    /// As the name itself: there is one place.
    pub(crate) fn shown(&self, name: &str) -> String {
        name.to_owned()
    }

    /// No place is a group's.
    pub(crate) fn group(&self) -> Option<u32> {
        None
    }

    /// Who may use a file for which nothing else is said.
    pub(crate) fn access(&self) -> Access {
        Access::OWNER
    }

    /// Reserves `size` zeroed bytes for a file of this place.
    pub(crate) fn stage(&self, size: u64, access: Access, pages: Pages) -> io::Result<Staged> {
        if pages == Pages::Huge {
            return Err(io::Error::new(
                ErrorKind::Unsupported,
                "only Linux gives huge pages to shared memory: leave hugePages out",
            ));
        }
        if access == Access::OWNER { Staged::new(size) } else { Err(unsupported()) }
    }

    /// The file behind a name now.
    pub(crate) fn identify(&self, name: &str) -> io::Result<Option<Found>> {
        system::identify(name)
    }

    /// Removes the name; fine if it is gone already.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        system::remove(name)
    }

    /// Maps the segment of that name, whole, for reading and writing.
    pub(crate) fn map(&self, name: &str) -> io::Result<Mapping> {
        Mapping::open(name)
    }

    /// The bytes of that name, to look at.
    pub(crate) fn view<'a>(&self, name: &str, _room: &'a mut ViewRoom) -> io::Result<View<'a>> {
        Mapping::open(name).map(View::Mapped)
    }
}

/// No system but Linux tells.
pub(crate) fn huge_pages() -> Option<HugePages> {
    None
}

/// Whether an object could be made now; the system has nothing to ask.
pub(crate) fn rehearse(_party: Party) -> io::Result<()> {
    Ok(())
}
