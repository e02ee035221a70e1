//! Locks, one file a kind: each call checks the kind, runs the protocol of `crate::locks`, and
//! words its errors.

mod barrier;
mod condition;
mod event;
mod mutex;
mod named;
mod rwlock;
mod semaphore;

pub use named::open_lock_manager;
