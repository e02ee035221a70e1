//! Ends of agents, as the kernel reports them (inotify(7)).
//!
//! Each agent has the control file open for writing, by a description of its own. The kernel
//! reports that a description is closed right before it drops the description's locks. So a report
//! says that an agent may be gone in a moment; whether it is, its lock tells.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd};

use super::life_ofd::Life;
use super::lock_ofd::out_of_the_way;

/// Becomes readable after each end. A user has few of these (`fs.inotify.max_user_instances`).
pub(crate) struct Endings(File);

impl Endings {
    pub(crate) fn of(life: &Life) -> io::Result<Endings> {
        // SAFETY: makes a descriptor, or fails.
        let made = unsafe { libc::inotify_init1(libc::IN_CLOEXEC | libc::IN_NONBLOCK) };
        if made < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, with no other owner.
        let endings = out_of_the_way(unsafe { File::from_raw_fd(made) });
        // Not by the file's own name: that may lead to another domain's file by now.
        let path = format!("/proc/self/fd/{}\0", life.file().as_raw_fd());
        // SAFETY: an open descriptor and a NUL-terminated path.
        let watched = unsafe {
            libc::inotify_add_watch(endings.as_raw_fd(), path.as_ptr().cast(), libc::IN_CLOSE_WRITE)
        };
        if watched < 0 { Err(io::Error::last_os_error()) } else { Ok(Endings(endings)) }
    }

    /// What an event loop polls.
    pub(crate) fn descriptor(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Makes it unreadable. The kernel keeps no two equal reports in a row, so these are few.
    pub(crate) fn drain(&self) {
        while (&self.0).read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
    }
}
