//! The clocks of the operating system, in nanoseconds.

/// The CPU time that all threads of this process have used.
pub fn cpu_time() -> f64 {
    read(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// A time that is the same for all processes of a machine.
pub fn now() -> f64 {
    read(libc::CLOCK_MONOTONIC)
}

fn read(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a clock that every process has, and a whole timespec.
    let failed = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(failed, 0, "{}", std::io::Error::last_os_error());
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
