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
    #[cfg(all(test, not(loom)))]
    take_step();
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

/// The panic that ends an agent of a model, or of a test of this crate. Unwinding changes nothing
/// that is shared.
#[cfg(test)]
pub(crate) struct Killed;

#[cfg(all(loom, test))]
thread_local! {
    /// The agent that is to die: its step and its thread. To std, all threads of a model are one.
    pub(crate) static DOOMED: std::cell::Cell<Option<(&'static str, loom::thread::ThreadId)>> =
        const { std::cell::Cell::new(None) };
}

#[cfg(all(test, not(loom), not(feature = "failpoints")))]
pub(crate) fn point(_label: &str) {
    take_step();
}

#[cfg(all(test, not(loom)))]
thread_local! {
    /// How many steps the agent on this thread has left, if a test lets it die.
    static STEPS_LEFT: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
}

#[cfg(all(test, not(loom)))]
fn take_step() {
    let left = STEPS_LEFT.get();
    STEPS_LEFT.set(left.map(|left| left.saturating_sub(1)));
    if left == Some(1) {
        std::panic::resume_unwind(Box::new(Killed));
    }
}

/// Lets an agent of a test die at its n-th step, from 1. Returns whether it did.
#[cfg(all(test, not(loom)))]
pub(crate) fn dies_at(step: u32, life: impl FnOnce()) -> bool {
    STEPS_LEFT.set(Some(step));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(life));
    STEPS_LEFT.set(None);
    match ended {
        Err(panic) if !panic.is::<Killed>() => std::panic::resume_unwind(panic),
        ended => ended.is_err(),
    }
}

#[cfg(not(any(feature = "failpoints", test)))]
#[inline]
pub(crate) fn point(_label: &str) {}
