//! Sleeping where nothing wakes.

use std::time::{Duration, Instant};

use crate::sync::{AtomicU32, Ordering};

pub(super) fn poll(word: &AtomicU32, expected: u32, slice: Duration) {
    let (started, mut nap) = (Instant::now(), Duration::from_millis(1));
    while word.load(Ordering::Acquire) == expected {
        let Some(left) = slice.checked_sub(started.elapsed()) else { return };
        std::thread::sleep(nap.min(left));
        nap = (nap * 2).min(Duration::from_millis(10));
    }
}
