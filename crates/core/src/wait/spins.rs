//! Attempts in a row before sleeping.

use std::time::Duration;

/// How many attempts a blocking wait makes before it sleeps: more while waits are short, fewer
/// while they are long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spins(u32);

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

/// Whether the agent that is waited for can run while this thread spins.
pub(crate) fn can_spin() -> bool {
    use std::sync::OnceLock;
    static CORES: OnceLock<usize> = OnceLock::new();
    !cfg!(loom)
        && *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get)) > 1
}
