//! Channels: two ends, which are roles that agents take, and a ring of records towards each of them or one of them.
//!
//! An `SpscQueue` has one ring: end 0 consumes, end 1 produces, and a dead agent's end is taken over with everything that is
//! in the ring. A `Pipe` is a conversation: its ends are taken once, and a dead one's is the end of it.
//!
//! | an agent died | `owner` | the other end sees |
//! | --- | --- | --- |
//! | before the CAS on `owner` | as before | nothing |
//! | with an end | the dead agent | what it pushed; then it waits for a successor, or is told `ERR_PEER_DIED` |
//! | after the store to `closed` | the dead agent | what it pushed; then the end |

mod batches;
mod ends;
mod records;
mod way;

pub use batches::{Consumer, Producer};
pub use ends::{CONSUMER, PRODUCER};
pub use way::{Bytes, End};
