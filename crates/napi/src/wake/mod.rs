//! How JavaScript hears of a ring.

mod thread;

pub(crate) use thread::Wake;
