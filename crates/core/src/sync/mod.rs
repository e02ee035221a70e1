//! The atomics of this crate: std's, or loom's when the orderings themselves are under test.

#[cfg(all(loom, test))]
mod stepped;

#[cfg(all(loom, not(test)))]
pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(all(loom, test))]
pub(crate) use stepped::{AtomicU8, AtomicU32, AtomicU64, Ordering, STEPPED, fence};
