//! Locks, one file a kind. Each call is one attempt, or a line.

mod barrier;
mod condition;
mod event;
mod mutex;
mod named;
mod rwlock;
mod semaphore;
