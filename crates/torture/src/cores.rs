//! The cores that a process runs on.

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

/// Pins this process and its children to one core: a victim and its tracer alternate, which is
/// twice as fast there.
pub fn stay_on_one_core() {
    let mut core = CpuSet::new();
    if core.set(0).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &core);
    }
}

/// Lets this process run on every core, as survivors do.
pub fn run_on_any_core() {
    let mut cores = CpuSet::new();
    for core in 0..CpuSet::count() {
        let _ = cores.set(core);
    }
    let _ = sched_setaffinity(Pid::from_raw(0), &cores);
}
