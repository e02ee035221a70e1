//! Windows has no FIFO that an event loop could poll: agents sleep on their reactor's thread.

use std::io::{self, ErrorKind};

use super::place_elsewhere::Place;

/// There is none.
pub(crate) enum Fifo {}

#[allow(clippy::unused_self, reason = "signatures as on the other systems")]
impl Place {
    pub(crate) fn make_fifo(&self, _: &str) -> io::Result<Fifo> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn open_fifo(&self, _: &str) -> io::Result<Fifo> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn remove_fifo(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}

impl Fifo {
    pub(crate) fn descriptor(&self) -> i32 {
        match *self {}
    }

    pub(crate) fn ring(&self) {
        match *self {}
    }

    pub(crate) fn drain(&self) {
        match *self {}
    }
}
