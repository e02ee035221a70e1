//! The calls of the core's users: objects whose kinds are checked, and errors that say what to do.

mod access;
mod array;
mod channel;
mod handover;
mod header;
mod locks;
mod looked;
mod object;
mod put_got;
mod queue;
mod record_queue;
mod segment;
mod sight;
mod spec;

pub use array::ArrayGuard;
pub use channel::{Bytes, CONSUMER, Consumer, End, PRODUCER, Producer};
pub use handover::Handover;
pub use locks::open_lock_manager;
pub use looked::{Locked, Looked};
pub use object::Object;
pub use put_got::{Got, Put};
pub use queue::{Added, Chunk, Member, Participant, QueueWait};
pub use record_queue::{RecordsAt, Slots};
pub use segment::{Mapped, Segment, unlink_name};
pub use sight::{Aim, Fact, Hold, Holder, Observed, SeenNamedLock, Subject, Waiter, Worth, observe};
pub use spec::Spec;
