//! What one Node environment (a main thread or a worker thread) has, and how it begins and ends.

mod lifecycle;
mod open;
mod reactor;
mod state;

pub(crate) use lifecycle::{hear_of_teardown_first, is_torn_down};
pub(crate) use open::Open;
pub(crate) use state::{with, with_agent, with_open, with_pad};
