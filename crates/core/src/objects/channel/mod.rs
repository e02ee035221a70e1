//! Channels: two ends, which agents take as roles, and a ring of records towards one of them or
//! towards each.
//!
//! An `SpscQueue` has one ring: end 0 consumes, end 1 produces. A successor takes a dead agent's
//! end with all records in the ring. A `Pipe` is a conversation: each end is taken once, and the
//! death of its agent ends the conversation.
//!
//! | an agent died | `owner` | the other end sees |
//! | --- | --- | --- |
//! | before the CAS on `owner` | as before | nothing |
//! | with an end | the dead agent | all its records; then a successor, or `ERR_PEER_DIED` |
//! | after the store to `closed` | the dead agent | all its records; then the end |

mod batches;
mod ends;
mod records;
mod way;

pub use batches::{Consumer, Producer};
pub use ends::{CONSUMER, PRODUCER};
pub use way::{Bytes, End};
