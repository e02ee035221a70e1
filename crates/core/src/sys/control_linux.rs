//! The control segment on Linux.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use super::file::Part;
use super::life_ofd::Life;
use super::linux::{identify, path, remove};
use super::mapping::Mapping;
use super::publish_control::publish_control;

/// Opens the control segment. If there is none, makes it from the parts `create`, if given. The
/// descriptor for locks and the mapping are of the same file.
pub(crate) fn open_control(
    name: &str,
    size: u64,
    create: Option<&[Part<'_>]>,
) -> io::Result<Option<(Mapping, Life)>> {
    loop {
        let options =
            OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOFOLLOW).open(path(name));
        let file = match (options, create) {
            (Ok(file), _) => file,
            (Err(e), None) if e.kind() == ErrorKind::NotFound => return Ok(None),
            (Err(e), Some(parts)) if e.kind() == ErrorKind::NotFound => {
                publish_control(name, size, parts)?;
                continue;
            }
            (Err(e), _) => return Err(e),
        };
        let meta = file.metadata()?;
        // SAFETY: no arguments, no failure.
        if meta.uid() != unsafe { libc::geteuid() } {
            return Err(io::Error::new(
                ErrorKind::PermissionDenied,
                "the control segment belongs to another user",
            ));
        }
        if meta.len() != size {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("it has {} bytes, not {size}", meta.len()),
            ));
        }
        let mapping = match Mapping::open(name) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            other => other?,
        };
        // A name never leads to an earlier file again. So if it leads to this file now, it did when
        // the file was mapped.
        if identify(name)?.is_some_and(|now| now.file == meta.ino()) {
            return Ok(Some((mapping, Life::new(file))));
        }
    }
}

/// Whether the control segment that `life` locks has lost its name: to `rm`, or to a system that
/// cleans up after a login session (systemd's `RemoveIPC`).
pub(crate) fn control_is_gone(life: &Life) -> bool {
    life.file().metadata().is_ok_and(|meta| meta.nlink() == 0)
}

/// Removes the control segment's name if it still leads to the file that `life` locks.
pub(crate) fn remove_control(name: &str, life: &Life) -> io::Result<()> {
    let ours = life.file().metadata()?.ino();
    if identify(name)?.is_some_and(|now| now.file == ours) { remove(name) } else { Ok(()) }
}

/// The user whose control segments these are.
pub(crate) fn user() -> String {
    // SAFETY: no arguments, no failure.
    unsafe { libc::geteuid() }.to_string()
}
