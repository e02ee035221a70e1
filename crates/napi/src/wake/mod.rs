//! How JavaScript hears that the doorbell of its agent rang.

mod thread;

pub(crate) use thread::Wake;
