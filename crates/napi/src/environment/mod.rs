//! What one Node environment has, and its beginning and end.

mod state;

pub(crate) use state::{
    CHANNELS, Open, hear_of_teardown_first, is_torn_down, with, with_agent, with_open, with_pad,
};
