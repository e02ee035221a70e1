//! What an agent has of a queue: its place among the participants, and chunks.

use std::time::Instant;

use crate::layout::QueueGeometry;
use crate::wait::Spins;

/// What an agent that uses a queue remembers of it.
pub struct Member {
    pub(super) id: u16,
    pub(super) geometry: QueueGeometry,
    pub(super) reaped_at: Option<Instant>,
    /// Puts and gets, to look at the clock now and then only.
    pub(super) calls: u32,
    pub(super) spins: Spins,
}

impl Member {
    /// Most bytes of a message that lies in the queue.
    #[must_use]
    pub fn message_bytes(&self) -> usize {
        self.geometry.message_bytes as usize
    }
}

/// A chunk that the caller has: to write to, or to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its number.
    pub index: u32,
    /// Where the message is, in the segment.
    pub offset: u64,
    /// Bytes of the message, or that fit.
    pub len: u64,
    /// The message is in a segment of its own.
    pub spilled: bool,
    /// A reader had it before, and died.
    pub redelivered: bool,
}
