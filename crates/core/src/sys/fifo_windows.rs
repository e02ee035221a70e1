//! Windows has no FIFO that an event loop could poll: agents sleep on their reactor's thread.

use std::io::{self, ErrorKind};

/// There is none.
pub(crate) enum Fifo {}

impl Fifo {
    pub(crate) fn make(_: &str) -> io::Result<Fifo> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn open(_: &str) -> io::Result<Fifo> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(crate) fn remove(_: &str) -> io::Result<()> {
        Ok(())
    }

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
