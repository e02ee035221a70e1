//! Locks as their users call them: words of shared memory, and errors that say what to do.

mod barrier;
mod condition;
mod event;
mod mutex;
mod named;
mod rwlock;
mod semaphore;

pub use named::open_lock_manager;
