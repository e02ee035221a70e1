//! Everything that a process can do with shared memory. Each is a victim's whole life, of which the part between its two
//! marks is watched.

mod channels;
mod locks;
mod operation;
mod queues;
mod registry;

pub use operation::Operation;

pub fn all() -> Vec<Operation> {
    [registry::OPERATIONS, locks::OPERATIONS, queues::OPERATIONS, channels::OPERATIONS].concat()
}
