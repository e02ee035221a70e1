//! Shared memory between processes of which any may be killed at any instruction: nobody else hangs, crashes
//! or reads a half-written message.
//!
//! The story, bottom up. `sys` is the only door to the operating system. A [`Domain`](Agent::register) is all
//! processes of one user that see each other: they map one *control segment*, which `layout` describes. An
//! [`Agent`] is one participant; the kernel holds a byte lock for it and drops it when its process is gone, so
//! who is alive is never guessed. The *registry* in the control segment says what exists and who has it open;
//! it is changed only under a robust *mutex*, in steps that whoever takes the mutex from a dead holder can
//! undo or finish. A [`Segment`] is an object's memory: it appears under its name whole, and goes with the last
//! living agent that had it open. A [`Guard`] lets the readers of an array know whether what they copied is
//! whole.
//!
//! Nothing in shared memory is trusted, and no Rust reference to plain shared bytes is ever made.

mod domain;
mod error;
mod fail;
mod faults;
mod file_lock;
mod hash;
mod layout;
mod locks;
#[cfg(all(loom, test))]
mod models;
mod objects;
mod queues;
mod region;
mod sync;
mod sys;
mod wait;

pub use domain::{Agent, AgentInfo, Company, DomainInfo, Listener, NAME_MAX, ObjectInfo, Swept, inspect};
pub use error::{Code, Error, Result};
pub use file_lock::{FileLock, Tried};
pub use layout::{AGENTS, DATA_OFFSET, Kind, LAYOUT_VERSION, OBJECTS, PAGE, PARAMS, offsets};
pub use locks::{Arrived, EndedRequest, EnteredRequest, Fate, News, RequestInfo, RequestRef, Wanted};
pub use objects::{
    Bytes, CONSUMER, Chunk, Consumer, End, Got, Guard, Holder, Locked, Looked, Mapped, Member, Object,
    PRODUCER, Participant, Producer, Put, QueueWait, Segment, Spec, open_lock_manager, unlink_name,
};
pub use region::Region;
pub use sys::{ByteRange, Headroom, Part};
pub use wait::Wait;
