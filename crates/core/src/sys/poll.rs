//! Sleeping where no call can wake a thread.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU32, Ordering};

/// Sleeps while `word` is `expected`, for at most `slice`: in naps of 1 ms at first and 10 ms in
/// the end. Sleeps while `word` is `expected`, for at most `slice`: in naps of 1 ms at first and 10
/// ms in the end.
pub(super) fn poll(word: &AtomicU32, expected: u32, slice: Duration) {
    let (started, mut nap) = (Instant::now(), Duration::from_millis(1));
    while word.load(Ordering::Acquire) == expected {
        let Some(left) = slice.checked_sub(started.elapsed()) else { return };
        std::thread::sleep(nap.min(left));
        nap = (nap * 2).min(Duration::from_millis(10));
    }
}
