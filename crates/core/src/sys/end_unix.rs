//! The end of this process, and of its children.

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

/// Waits on a thread of its own until that child of this process has ended, so that it doesn't stay
/// as a zombie (waitpid(2)).
pub fn reap(child: u32) {
    let wait = move || {
        let mut status = 0;
        // SAFETY: numbers, and a whole status. If the process is no child any more, the call fails.
        while unsafe { libc::waitpid(child as libc::pid_t, &raw mut status, 0) } < 0
            && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
        {}
    };
    // If the system gives no thread, the zombie stays until this process ends.
    let _ = std::thread::Builder::new().name("crossmem-reap".into()).stack_size(1 << 16).spawn(wait);
}
