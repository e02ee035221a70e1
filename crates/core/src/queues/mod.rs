//! The protocols of queues, over their state in shared memory alone. They know other agents only as
//! `Peers`.

mod claim;
mod index_ring;
mod mpmc;
mod record_ring;
mod spsc;

pub(crate) use claim::{Claim, Phase};
pub(crate) use index_ring::{Corrupt, IndexRing};
pub(crate) use mpmc::{Chunks, Mpmc, REDELIVERED, Reaped, SPILLED, Terms};
pub use record_ring::Side;
pub(crate) use record_ring::{Entered, RecordRing};
pub(crate) use spsc::{Place, Record, Ring, Seen, Then, Units};
