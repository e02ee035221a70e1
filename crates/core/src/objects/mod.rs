//! What users of the core call: objects with their kinds checked, and errors that say what to do.

mod locks;

pub use locks::Locked;
