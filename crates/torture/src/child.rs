//! Children that are copies of this process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, fork};

use crate::stage::Outcome;

/// Forks a child that lives `life` and exits: with 0 if all went well, with 1 if not. It doesn't outlive this process.
pub fn spawn(life: impl FnOnce() -> Outcome) -> nix::Result<Pid> {
    // SAFETY: this process has one thread, so the child may do what it likes.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(|| {
                set_pdeathsig(Signal::SIGKILL)?;
                life()
            }));
            // SAFETY: ends this process at once: what it would drop is its parent's.
            unsafe { nix::libc::_exit(i32::from(!matches!(ended, Ok(Ok(()))))) }
        }
    }
}
