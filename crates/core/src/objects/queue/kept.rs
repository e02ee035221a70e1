//! Memory of the arena that stays for the next large message. To free memory and to take it again
//! costs the kernel more time than to copy a message. So while large messages follow each other, a
//! chunk that is freed keeps the memory of its message, if one of two things says that its part
//! will soon be written again:
//!
//! - It is one of the first chunks. Puts of large messages try these before others.
//! - Few chunks are free. The next put takes one of these.
//!
//! So at most twice `MOST_FIRST` free chunks have memory: first ones, and those that were free when
//! few were. (Readers that free chunks at the same time may each keep one more.)
//!
//! Any participant may *give back* what free chunks have: it claims such a chunk as a put does,
//! makes its part a hole, and frees it. If it dies in between, the chunk is reaped like that of a
//! put that has not taken effect. A participant does so when
//!
//! - it has taken no large message for a while, and looks for dead participants;
//! - it has reaped a dead participant, which may have kept memory, and then the same;
//! - it leaves the queue;
//! - there is no room for its own large message.
//!
//! The rest goes with the queue.

use super::inside::Queue;
use super::member::Member;
use super::stream::{MOST_KEPT, first_for};
use crate::error::Result;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::queues::Phase;
use crate::sys::Arena;

/// What became of the memory that free chunks had kept.
pub(super) struct GivenBack {
    /// There was some.
    pub some: bool,
    /// Other chunks have memory. They may keep it when they are freed.
    pub left: bool,
}

impl Queue<'_> {
    /// How many bytes a chunk keeps whose message the caller has read.
    pub(super) fn kept_of(&self, member: &Member, index: u32) -> u64 {
        let flows = Arena::KEEPS && member.large.flows;
        let first = self.spilled_len(member, index).map_or(0, first_for);
        let few_free = || self.mpmc.room().is_ok_and(|room| room <= first.into());
        let is_used_soon = index < first || few_free() || seeded(Fault::AllPartsKept);
        if flows && is_used_soon { MOST_KEPT } else { 0 }
    }

    /// Gives memory back if the caller has taken no large message for a while. `others`: dead
    /// participants may have kept some, too.
    pub(super) fn give_back_if_idle(&self, member: &mut Member, others: bool) {
        member.large.kept |= others;
        if member.large.is_over() {
            self.give_back_own(member);
        }
    }

    /// Gives memory back if the caller may have kept some.
    pub(super) fn give_back_own(&self, member: &mut Member) {
        if member.large.kept && !seeded(Fault::KeptForEver) {
            member.large.kept = self.give_back(member).left;
        }
    }

    /// Gives back what free chunks have kept.
    pub(super) fn give_back(&self, member: &Member) -> GivenBack {
        let mut given = GivenBack { some: false, left: false };
        let geometry = &member.geometry;
        let mut at = 0;
        // If the arena can't be looked through, its memory goes with the queue.
        while let Some(Ok(Some(data))) = self.object.segment.arena().map(|arena| arena.next_data(at)) {
            let index = u32::try_from(data / geometry.most_spilled).unwrap_or(u32::MAX);
            if index >= geometry.capacity {
                break;
            }
            match self.give_back_of(member, index) {
                Ok(true) => given.some = true,
                _ => given.left = true,
            }
            at = geometry.spilled_at(index) + geometry.most_spilled;
        }
        given
    }

    /// Gives back the memory of a chunk, unless the chunk is in use.
    fn give_back_of(&self, member: &Member, index: u32) -> Result<bool> {
        if seeded(Fault::GivenBackInUse) {
            self.punch(&member.geometry, index, 0);
            return Ok(true);
        }
        if !self.sound(self.mpmc.claim_this(index, member.id))? {
            return Ok(false);
        }
        fail::point("spill.giving-back");
        self.discard(member, index, Phase::Writing, 0)?;
        Ok(true)
    }
}
