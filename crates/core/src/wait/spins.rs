//! Attempts in a row before sleeping.

use std::sync::OnceLock;
use std::time::Duration;

/// How many attempts a blocking wait makes before it sleeps: more while waits are short, fewer
/// while they are long.
#[derive(Clone, Copy, Debug)]
pub struct Spins(u32);

impl Default for Spins {
    fn default() -> Self {
        Spins(Self::LEAST)
    }
}

impl Spins {
    const LEAST: u32 = 16;
    const MOST: u32 = 1024;
    /// Waking an agent takes at most that long. A wait that was no longer had better been spent on
    /// attempts.
    const SHORT: Duration = Duration::from_micros(150);

    pub(super) fn spin<T>(self, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
        let spins = if can_spin() { self.0 } else { 0 };
        (0..spins).find_map(|_| {
            std::hint::spin_loop();
            attempt()
        })
    }

    pub(super) fn learn(&mut self, waited: Duration) {
        self.0 =
            if waited < Self::SHORT { (self.0 * 2).min(Self::MOST) } else { (self.0 / 2).max(Self::LEAST) };
    }
}

/// Whether waits may spin: the process has more than one core, so that the agent that is waited for
/// can run meanwhile, and the user doesn't forbid it.
pub(crate) fn can_spin() -> bool {
    static HAS_CORES: OnceLock<bool> = OnceLock::new();
    let has_cores = || std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
    !cfg!(loom) && *HAS_CORES.get_or_init(has_cores) && may_spin()
}

/// Whether `CROSSMEM_SPIN` isn't 0.
pub(super) fn may_spin() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| std::env::var_os("CROSSMEM_SPIN").is_none_or(|spin| spin != "0"))
}
