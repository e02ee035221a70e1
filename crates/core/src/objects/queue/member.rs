//! What an agent has of a queue: its number as a participant, and chunks.

use std::time::Instant;

use super::stream::Stream;
use crate::layout::QueueGeometry;
use crate::wait::Spins;

/// The state of a participant in its own agent.
pub struct Member {
    pub(super) id: u16,
    pub(super) geometry: QueueGeometry,
    pub(super) reaped_at: Option<Instant>,
    /// Puts and gets so far: only each 16th call reads the clock.
    pub(super) calls: u32,
    pub(super) spins: Spins,
    /// The large messages that it took lately.
    pub(super) large: Stream,
}

impl Member {
    /// Whether large messages that it read may have left memory for the next ones.
    #[must_use]
    pub fn keeps_memory(&self) -> bool {
        self.large.kept
    }

    /// Largest size in bytes of a message that fits a chunk.
    #[must_use]
    pub fn message_bytes(&self) -> usize {
        self.geometry.message_bytes as usize
    }
}

/// A chunk that the caller has to write or to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its number.
    pub index: u32,
    /// Offset of the message in the segment.
    pub offset: u64,
    /// Number of bytes of the message, or that fit.
    pub len: u64,
    /// The message is in the queue's arena.
    pub spilled: bool,
    /// Another reader had the message before and died, or put it back.
    pub redelivered: bool,
}
