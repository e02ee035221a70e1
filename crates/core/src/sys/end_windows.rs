//! The end of this process, and of its children.

use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

/// Ends this process at once, as another process would kill it.
pub(crate) fn end_now() -> ! {
    // SAFETY: the handle of this process, which is always valid.
    unsafe { TerminateProcess(GetCurrentProcess(), 1) };
    std::process::abort()
}

/// Windows doesn't end a process with its parent.
pub(crate) fn end_with_parent(_parent: u32) {}

/// Windows has no zombies.
pub fn reap(_child: u32) {}
