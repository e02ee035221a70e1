//! Sleeping until another process says so: a set of sleepers per object, a doorbell per agent.
//!
//! A wake-up can be swallowed by a process that is killed after it was chosen, so nobody sleeps longer than
//! a slice: a lost wake-up costs time, never progress.

mod attempt;
mod peers;
mod sleepers;
mod spins;

pub(crate) use attempt::Attempt;
pub use attempt::Wait;
pub(crate) use peers::{Peers, wake};
pub(crate) use sleepers::Sleepers;
pub(crate) use spins::{Spins, can_spin};
