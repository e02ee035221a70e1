//! Making the control segment where files can be staged.

use std::io::{self, ErrorKind};

use super::file::Part;
#[cfg(target_os = "linux")]
use super::linux::Staged;
#[cfg(windows)]
use super::windows::Staged;

/// Gives a new control segment its name, and returns true, unless another process was faster.
pub(super) fn publish_control(name: &str, size: u64, parts: &[Part<'_>]) -> io::Result<bool> {
    let staged = Staged::new(size)?;
    for part in parts {
        staged.write(part)?;
    }
    crate::fail::point("domain.staged");
    match staged.publish(name) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        other => other.map(|()| true),
    }
}
