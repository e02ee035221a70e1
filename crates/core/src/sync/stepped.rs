//! Loom's atomics. Each access to one is a step of the model.

use std::cell::Cell;

pub(crate) use loom::sync::atomic::{Ordering, fence};

/// Calls `step` before each access.
#[derive(Debug, Default)]
pub(crate) struct Stepped<A>(A);

impl<A> std::ops::Deref for Stepped<A> {
    type Target = A;

    fn deref(&self) -> &A {
        step();
        &self.0
    }
}

pub(crate) type AtomicU8 = Stepped<loom::sync::atomic::AtomicU8>;
pub(crate) type AtomicU32 = Stepped<loom::sync::atomic::AtomicU32>;
pub(crate) type AtomicU64 = Stepped<loom::sync::atomic::AtomicU64>;

thread_local! {
    /// Whether accesses are steps.
    pub(crate) static STEPPED: Cell<bool> = const { Cell::new(false) };
}

loom::lazy_static! {
    static ref STEPS: loom::sync::atomic::AtomicU32 = loom::sync::atomic::AtomicU32::new(0);
}

/// Runs before each access to an atomic.
///
/// Loom skips an execution if it takes it for equal to one that it has run. If a thread loads an
/// atomic before changing it, as for a CAS, loom no longer sees that other threads loaded it, too.
/// It then takes the change for independent of those loads (tokio-rs/loom, issues 166 and 392), and
/// skips nearly all executions. A step depends on every step of the other threads, so with steps
/// loom skips none. A step is `Relaxed`, so it orders nothing.
fn step() {
    if STEPPED.get() {
        STEPS.fetch_add(1, Ordering::Relaxed);
    }
}
