//! The protocols of locks, over their state in shared memory alone. They know other agents only as
//! `Peers`.

mod barrier;
mod condition;
mod event;
mod mutex;
mod named;
mod rwlock;
mod semaphore;
mod short;
mod table;

pub use barrier::Arrived;
pub(crate) use barrier::Outcome;
pub(crate) use mutex::{Acquired, Refused};
pub use named::{EndedRequest, EnteredRequest, Fate, News, RequestInfo, RequestRef, Wanted};
pub(crate) use named::{NamedLocks, SeenRequest};
pub(crate) use rwlock::Busy;
pub(crate) use semaphore::{MOST_PERMITS, Released};
pub(crate) use short::{ATTEMPT_TIMEOUT, DEFERRABLE_TIMEOUT, STUCK_TIMEOUT, acquire_short};
pub(crate) use table::Share;
