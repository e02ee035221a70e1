//! A FIFO that wakes the event loop of an agent (fifo(7)).

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;

use super::Place;
#[cfg(target_os = "macos")]
use super::control_macos::directory;
#[cfg(target_os = "linux")]
use super::linux::grant;
use super::lock_ofd::out_of_the_way;

/// An open FIFO, for both sides. Each opens it for reading and writing: the reader never sees an
/// end, and the kernel sends no `SIGPIPE` to a writer whose reader died.
pub(crate) struct Fifo(File);

#[cfg(target_os = "linux")]
#[allow(clippy::unnecessary_wraps, reason = "as on macOS")]
fn path(place: &Place, name: &str) -> io::Result<PathBuf> {
    Ok(place.path(name))
}

#[cfg(target_os = "macos")]
fn path(_: &Place, name: &str) -> io::Result<PathBuf> {
    Ok(directory()?.join(name))
}

impl Place {
    /// Makes the FIFO of that name. A file that an earlier agent left there is replaced.
    pub(crate) fn make_fifo(&self, name: &str) -> io::Result<Fifo> {
        let path = CString::new(path(self, name)?.into_os_string().into_encoded_bytes())?;
        // SAFETY: a NUL-terminated path.
        let mkfifo = || match unsafe { libc::mkfifo(path.as_ptr(), 0o600) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        };
        match mkfifo() {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                self.remove_fifo(name)?;
                mkfifo()?;
            }
            made => made?,
        }
        let fifo = self.open_fifo(name)?;
        // Until then other members of a group can't open it, and no agent rings it.
        #[cfg(target_os = "linux")]
        grant(&fifo.0, self.access())?;
        Ok(fifo)
    }

    /// Opens the FIFO of that name.
    pub(crate) fn open_fifo(&self, name: &str) -> io::Result<Fifo> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC | libc::O_NOFOLLOW);
        let file = options.open(path(self, name)?)?;
        if file.metadata()?.file_type().is_fifo() {
            Ok(Fifo(out_of_the_way(file)))
        } else {
            Err(io::Error::new(ErrorKind::InvalidData, "it is not a FIFO"))
        }
    }

    /// Removes the name; fine if it is gone already.
    pub(crate) fn remove_fifo(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(path(self, name)?) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

impl Fifo {
    /// The descriptor that the event loop polls.
    pub(crate) fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Makes it readable. A full FIFO is readable already.
    pub(crate) fn ring(&self) {
        let _ = (&self.0).write(b"!");
    }

    /// Reads what was written, so that it isn't readable any more. What doesn't fit is read next
    /// time.
    pub(crate) fn drain(&self) {
        let _ = (&self.0).read(&mut [0; 256]);
    }
}
