//! Labelled steps at which a test's child process dies, or stops until it is continued. Without the
//! feature `failpoints` they are compiled to nothing, except in the models.

/// Kills this process if `CROSSMEM_FAIL_AT` names this step: `label`, or `label:n` for the n-th
/// time. The label `*` means every step. The step's label goes to standard error. With
/// `CROSSMEM_FAIL_BY=stop` the process is stopped instead.
#[cfg(feature = "failpoints")]
pub(crate) fn point(label: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static TARGET: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let wanted = std::env::var("CROSSMEM_FAIL_AT").ok()?;
        let (label, nth) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        Some((label.to_owned(), AtomicU64::new(nth.parse().ok()?)))
    });
    let Some((wanted, remaining)) = target else { return };
    if (wanted == "*" || wanted == label) && remaining.fetch_sub(1, Ordering::Relaxed) == 1 {
        eprintln!("killed at {label}");
        #[cfg(unix)]
        // SAFETY: kills or stops this process, as the test asked.
        unsafe {
            if std::env::var_os("CROSSMEM_FAIL_BY").is_some_and(|by| by == "stop") {
                // To this thread: if another thread took the signal, this one might run on for a
                // while.
                libc::raise(libc::SIGSTOP);
                return;
            }
            libc::kill(libc::getpid(), libc::SIGKILL);
        }
        #[cfg(windows)]
        // SAFETY: as above.
        unsafe {
            use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};
            TerminateProcess(GetCurrentProcess(), 137);
        }
    }
}

/// Kills the agent of a model that is to die at this step.
#[cfg(all(loom, test, not(feature = "failpoints")))]
pub(crate) fn point(label: &str) {
    let is_mine = |(at, thread): (&str, _)| at == label && thread == loom::thread::current().id();
    if DOOMED.get().is_some_and(is_mine) {
        std::panic::resume_unwind(Box::new(Killed));
    }
}

/// The panic that ends an agent. Unwinding changes nothing that is shared.
#[cfg(all(loom, test))]
pub(crate) struct Killed;

#[cfg(all(loom, test))]
thread_local! {
    /// The agent that is to die: its step and its thread. To std, all threads of a model are one.
    pub(crate) static DOOMED: std::cell::Cell<Option<(&'static str, loom::thread::ThreadId)>> =
        const { std::cell::Cell::new(None) };
}

#[cfg(not(any(feature = "failpoints", all(loom, test))))]
#[inline]
pub(crate) fn point(_label: &str) {}
