//! Sleeping until another process changes something: each object has sets of sleepers, each agent a
//! doorbell.
//!
//! If a process is killed after it was chosen for a wake-up, the wake-up is lost. So no agent
//! sleeps longer than a slice: a lost wake-up costs time, never progress.

mod attempt;
mod doorbell;
mod look;
mod news;
mod pace;
mod peers;
mod sleepers;
mod spins;
mod tree;

pub(crate) use attempt::Attempt;
pub use attempt::Wait;
pub(crate) use doorbell::asleep;
pub use look::Look;
pub(crate) use news::tell;
pub use pace::{Pace, Seen};
pub(crate) use peers::{Peers, wake};
pub(crate) use sleepers::Sleepers;
pub use spins::Spins;
pub(crate) use spins::can_spin;
