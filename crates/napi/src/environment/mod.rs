//! What one Node environment has, and its beginning and end.

mod lifecycle;
mod open;
mod reactor;
mod state;

pub(crate) use lifecycle::{hear_of_teardown_first, is_torn_down};
pub(crate) use open::Open;
pub(crate) use state::{with, with_agent, with_open, with_pad};
