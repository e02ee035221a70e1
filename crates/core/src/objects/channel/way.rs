//! Access to a ring: an end as its agent knows it, and the bytes of records.

use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{ChannelGeometry, ChannelWords, EndWords, Owner, UNIT};
use crate::objects::object::Object;
use crate::queues::{Place, Record, Ring, Seen, Units};
use crate::sync::AtomicU64;
use crate::sync::Ordering::{Acquire, Relaxed};
use crate::wait::{Peers, Spins};

/// The state of an end in the agent that has it. End `e` pops from ring `e` and pushes to the other
/// ring.
pub struct End {
    pub(super) index: usize,
    pub(super) geometry: ChannelGeometry,
    pub(super) popped: Seen,
    pub(super) pushed: Seen,
    pub(super) front: Option<Record>,
    pub(super) reserved: Option<Place>,
    pub(super) spins: Spins,
}

/// The bytes of a record in the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// Offset of the first one.
    pub offset: u64,
    /// Number of bytes in the record, or that fit.
    pub len: u32,
    /// The message goes on in the next record.
    pub more: bool,
}

/// A ring and the channel's ends, for one call.
pub(super) struct Way<'a> {
    pub ends: &'a [EndWords; 2],
    pub ring: Ring<'a, Mapped<'a>>,
}

impl Way<'_> {
    /// Whether one of the ends is closed: then `takes_no_more` decides.
    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.ends.iter().any(EndWords::is_closed)
    }

    /// Whether this end is closed, or the other one is closed and without a living agent.
    pub(super) fn takes_no_more(&self, end: &End, peers: &impl Peers) -> bool {
        let (mine, other) = (&self.ends[end.index], &self.ends[1 - end.index]);
        let has_left = || other.owner.load(Acquire) == 0 || other.is_dead(peers);
        if seeded(Fault::PushAfterClose) {
            return false;
        }
        mine.is_closed() || other.is_closed() && has_left()
    }

    pub(super) fn bytes_of(&self, record: Record) -> Bytes {
        Bytes { offset: self.ring.units.bytes_at(record.unit), len: record.len, more: record.more }
    }
}

impl EndWords {
    pub(super) fn is_closed(&self) -> bool {
        // Acquire: pairs with the Release in `close_end`; records that were pushed before are seen.
        self.closed.load(Acquire) != 0
    }

    /// Whether a dead agent has this end.
    pub(super) fn is_dead(&self, peers: &impl Peers) -> bool {
        Owner::of(self.owner.load(Acquire)).is_some_and(|owner| peers.is_dead(owner))
    }
}

/// The units of a ring in a mapped segment.
#[derive(Clone, Copy)]
pub(super) struct Mapped<'m> {
    headers: &'m [AtomicU64],
    at: u64,
}

impl Mapped<'_> {
    /// Offset of the bytes behind the header at `unit`.
    pub(super) fn bytes_at(&self, unit: u32) -> u64 {
        self.at + u64::from(unit + 1) * u64::from(UNIT)
    }
}

impl Units for Mapped<'_> {
    fn header(&self, unit: u32) -> u64 {
        self.headers[unit as usize].load(Relaxed)
    }

    fn set_header(&self, unit: u32, header: u64) {
        self.headers[unit as usize].store(header, Relaxed);
    }
}

impl<'a> Object<'a> {
    pub(super) fn way_out(&self, end: &End) -> Result<Way<'a>> {
        self.way(end, 1 - end.index)
    }

    pub(super) fn way_in(&self, end: &End) -> Result<Way<'a>> {
        self.way(end, end.index)
    }

    fn way(&self, end: &End, index: usize) -> Result<Way<'a>> {
        let words: &ChannelWords = self.words()?;
        if words.ends[end.index].owner.load(Relaxed) != self.peers().me().word() {
            return Err(self.lost("this end"));
        }
        Ok(Way { ends: &words.ends, ring: self.ring(words, &end.geometry, index)? })
    }

    pub(super) fn ring(
        &self,
        words: &'a ChannelWords,
        geometry: &ChannelGeometry,
        index: usize,
    ) -> Result<Ring<'a, Mapped<'a>>> {
        let (size, at) = (geometry.units[index], geometry.rings_at[index]);
        if size == 0 {
            return Err(Error::new(
                Code::InvalidArg,
                format!("\"{}\" goes one way only: end 0 receives, end 1 sends", self.segment.name),
            ));
        }
        let headers = self.segment.region().many_at(at, size as usize)?;
        Ok(Ring { words: &words.rings[index], units: Mapped { headers, at }, size })
    }
}
