//! Locks, one file per kind.

mod barrier;
mod condition;
mod event;
mod mutex;
mod named;
mod rwlock;
mod semaphore;
