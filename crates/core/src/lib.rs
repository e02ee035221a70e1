//! Shared memory between processes, any of which may be killed at any instruction: no other process
//! hangs, crashes or reads a half-written message.
//!
//! Bottom up: `layout` states every struct that lies in shared memory, and `sys` is the only door
//! to the operating system. `locks` and `queues` are protocols over the state of one object; they
//! know other agents only as `Peers`.
//!
//! A [domain](Agent::register) is the processes of one user, or of the members of a group, that see
//! each other's objects. They map one *control segment*. An [`Agent`] is one participant: the
//! kernel holds a byte lock for it, and drops the lock when the agent's process is gone, so no
//! process guesses which agents live. The *registry* in the control segment lists the objects, and
//! the agents that have each one open. It changes only under a robust mutex. If an agent dies while
//! it holds that mutex, the next owner undoes or finishes its change.
//!
//! A [`Segment`] is an object's memory: it appears under its name whole, and is removed with the
//! last living agent that had it open. An [`ArrayGuard`] tells the readers of an array whether
//! their copy is whole.
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

pub use domain::{
    Agent, AgentId, AgentInfo, Company, DomainInfo, DomainName, FoundDomain, GroupInfo, Listener, LoopBell,
    NAME_MAX, ObjectInfo, ObjectRef, Swept, Watch, domains, end_with, inspect, list_of, obstacle,
    random_name,
};
pub use error::{Code, Error, Result};
pub use file_lock::{FileLock, Tried};
pub use layout::{
    AGENTS, DATA_OFFSET, DESCRIPTION_OFFSET, Kind, LAYOUT_VERSION, MAP_DATA_OFFSET, OBJECTS, PAGE, PARAMS,
    offsets, queue_flags,
};
pub use locks::{Arrived, EndedRequest, EnteredRequest, Fate, News, RequestInfo, RequestRef, Wanted};
pub use objects::{
    Added, Aim, ArrayGuard, Bytes, CONSUMER, Chunk, Consumer, End, Fact, Got, Handover, Hold, Holder, Locked,
    Looked, Mapped, Member, Object, Observed, PRODUCER, Participant, Producer, Put, QueueWait, RecordsAt,
    SeenNamedLock, Segment, Slots, Spec, Subject, Waiter, Worth, observe, open_lock_manager, unlink_name,
};
pub use queues::Side;
pub use region::Region;
pub use sys::{
    Access, ByteRange, Headroom, HugePages, Limit, Pages, Part, Taken, at_exit_without_destructors, reap,
};
pub use wait::{Look, Pace, Seen, Spins, Wait};
