//! The end of this process.

/// Ends this process at once, as another process would kill it. No handler can prevent it.
pub(crate) fn end_now() -> ! {
    // SAFETY: a signal to this process.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
    // The kernel delivers it before the call returns, unless it isn't allowed to.
    std::process::abort()
}

/// Has the kernel kill this process when its parent's thread ends, also while this process is
/// stopped (prctl(2), `PR_SET_PDEATHSIG`). Does nothing if the parent isn't that process any more,
/// or the system has no such call.
pub(crate) fn end_with_parent(parent: u32) {
    #[cfg(target_os = "linux")]
    // SAFETY: numbers only.
    unsafe {
        if libc::getppid() as u32 == parent {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
}
