//! What users of the core call: objects with their kinds checked, and errors that say what to do.

mod array;
mod channel;
mod holders;
mod locks;
mod object;
mod queue;
mod segment;

pub use array::Guard;
pub use channel::{Bytes, CONSUMER, Consumer, End, PRODUCER, Producer};
pub use holders::Holder;
pub use locks::Locked;
pub use object::{Looked, Object, open_lock_manager};
pub use queue::{Chunk, Got, Member, Participant, Put, QueueWait};
pub use segment::{Mapped, Segment, Spec, unlink_name};
