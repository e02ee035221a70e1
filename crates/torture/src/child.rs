//! Children that are forked copies of this process.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, fork};

use crate::stage::Outcome;

/// Forks a child that runs `life` and exits: with 0 if it succeeded, with 1 if it failed or
/// panicked. The kernel kills the child when this process ends.
pub fn spawn(life: impl FnOnce() -> Outcome) -> nix::Result<Pid> {
    // SAFETY: this process has one thread, so the child may call any function.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let ended = catch_unwind(AssertUnwindSafe(|| {
                set_pdeathsig(Signal::SIGKILL)?;
                life()
            }));
            // SAFETY: ends the child at once: dropping its values would affect what its parent
            // owns.
            unsafe { nix::libc::_exit(i32::from(!matches!(ended, Ok(Ok(()))))) }
        }
    }
}
