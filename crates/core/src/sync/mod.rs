//! The atomics of this crate: std's, or loom's when the memory model itself is under test.

#[cfg(all(loom, not(test)))]
pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(all(loom, test))]
pub(crate) use stepped::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(all(loom, test))]
mod stepped {
    pub(crate) use loom::sync::atomic::{Ordering, fence};

    /// Each access to it is a step of the model: see `models::step`.
    #[derive(Debug, Default)]
    pub(crate) struct Stepped<A>(A);

    impl<A> std::ops::Deref for Stepped<A> {
        type Target = A;

        fn deref(&self) -> &A {
            crate::models::step();
            &self.0
        }
    }

    pub(crate) type AtomicU8 = Stepped<loom::sync::atomic::AtomicU8>;
    pub(crate) type AtomicU32 = Stepped<loom::sync::atomic::AtomicU32>;
    pub(crate) type AtomicU64 = Stepped<loom::sync::atomic::AtomicU64>;
}
