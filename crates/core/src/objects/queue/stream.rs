//! Whether large messages follow each other, and which chunks keep memory for the next ones then.

use std::time::{Duration, Instant};

/// The first chunks hold so many bytes of messages of one length, as far as there are so many.
const BUDGET: u64 = 4 << 20;
/// The most bytes that a chunk keeps: a message of 1 MiB, and what a codec adds to it.
pub(super) const MOST_KEPT: u64 = (1 << 20) + (64 << 10);
/// Chunks behind so many are not first ones, however short the messages are.
const MOST_FIRST: u64 = 16;

/// How many of the chunks are the first ones for messages of that length.
pub(super) fn first_for(len: u64) -> u32 {
    (BUDGET / len.clamp(1, 1 << 20)).min(MOST_FIRST) as u32
}

/// Large messages follow each other if a participant took more than `MANY` within a `WHILE`.
const MANY: u32 = 8;
const WHILE: Duration = Duration::from_millis(50);

/// The large messages that a participant took lately.
#[derive(Default)]
pub(super) struct Stream {
    /// When the present while began.
    since: Option<Instant>,
    /// Messages since then.
    count: u32,
    /// The while before had many messages, or the present one has.
    pub(super) flows: bool,
    /// Memory may have been kept, and not been given back.
    pub(super) kept: bool,
}

impl Stream {
    pub(super) fn took_one(&mut self) {
        if self.since.is_none_or(|since| since.elapsed() >= WHILE) {
            self.flows = self.count > MANY && self.since.is_some_and(|since| since.elapsed() < 2 * WHILE);
            self.since = Some(Instant::now());
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.flows |= self.count > MANY;
        self.kept |= self.flows;
    }

    /// Whether memory was kept, and no message was taken for a while.
    pub(super) fn is_over(&self) -> bool {
        self.kept && self.since.is_none_or(|since| since.elapsed() >= 2 * WHILE)
    }
}
