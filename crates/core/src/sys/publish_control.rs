//! Making the control segment where files can be staged.

use std::io::{self, ErrorKind};

use super::Place;
use super::file::{Pages, Part};

/// Gives a new control segment its name, and returns true, unless another process was faster.
pub(super) fn publish_control(place: &Place, name: &str, size: u64, parts: &[Part<'_>]) -> io::Result<bool> {
    let staged = place.stage(size, place.access(), Pages::Usual)?;
    for part in parts {
        staged.write(part)?;
    }
    crate::fail::point("domain.staged");
    match staged.publish(name) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        other => other.map(|()| true),
    }
}
