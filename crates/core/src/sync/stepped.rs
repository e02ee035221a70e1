//! Loom's atomics, each access to which is a step of the model.

use std::cell::Cell;

pub(crate) use loom::sync::atomic::{Ordering, fence};

/// Each access to it is a step of the model.
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
    pub(crate) static STEPPED: Cell<bool> = const { Cell::new(false) };
}

loom::lazy_static! {
    static ref STEPS: loom::sync::atomic::AtomicU32 = loom::sync::atomic::AtomicU32::new(0);
}

/// Comes before each access to an atomic.
///
/// Of executions that don't differ loom wants to run only one. But whoever loads an atomic before changing it, as for a CAS, hides
/// from loom that others loaded it, too: it takes the change for independent of these (tokio-rs/loom, issues 166 and 392), and
/// leaves out nearly all executions. A step depends on each step of another thread, so that nothing is left out; being
/// `Relaxed`, it orders nothing.
fn step() {
    if STEPPED.get() {
        STEPS.fetch_add(1, Ordering::Relaxed);
    }
}
