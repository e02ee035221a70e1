//! Everything that a process can do with shared memory. Each operation is the whole life of a
//! victim; the part between its two marks is tortured.

mod array;
mod barrier;
mod channels;
mod condition;
mod event;
mod file_lock;
mod inside;
mod mutex;
mod named_lock;
mod operation;
mod queues;
mod records;
mod registry;
mod rwlock;
mod semaphore;

pub use operation::Operation;

pub fn all() -> Vec<Operation> {
    [
        registry::OPERATIONS,
        mutex::OPERATIONS,
        rwlock::OPERATIONS,
        semaphore::OPERATIONS,
        event::OPERATIONS,
        condition::OPERATIONS,
        barrier::OPERATIONS,
        named_lock::OPERATIONS,
        array::OPERATIONS,
        file_lock::OPERATIONS,
        queues::OPERATIONS,
        channels::OPERATIONS,
        records::OPERATIONS,
    ]
    .concat()
}
