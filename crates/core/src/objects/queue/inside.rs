//! The parts of the calls: claims, waits, puts and frees.

use super::member::{Chunk, Member};
use super::stream::first_for;
use crate::error::Result;
use crate::faults::{Fault, seeded};
use crate::layout::{ChunkWords, Kind, MpmcWords, QueueGeometry};
use crate::objects::object::Object;
use crate::objects::put_got::{Got, Put};
use crate::queues::{Chunks, Corrupt, IndexRing, Mpmc, Phase, REDELIVERED, SPILLED, Then};
use crate::region::Region;
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::wait::{Attempt, Sleepers, Wait};

/// The chunks of a queue in a mapped segment.
#[derive(Clone, Copy)]
pub(super) struct Mapped<'m> {
    pub region: Region<'m>,
    pub geometry: QueueGeometry,
}

impl Chunks for Mapped<'_> {
    #[inline]
    fn count(&self) -> u32 {
        self.geometry.capacity
    }

    #[inline]
    fn chunk(&self, index: u32) -> Option<&ChunkWords> {
        (index < self.geometry.capacity).then(|| self.region.at(self.geometry.chunk_at(index)).ok()).flatten()
    }
}

/// Where a put needs room for its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    InChunk,
    /// For so many bytes.
    InArena(u64),
}

/// A queue, for one call.
pub(super) struct Queue<'a> {
    pub object: Object<'a>,
    pub mpmc: Mpmc<'a, Mapped<'a>>,
}

impl<'a> Object<'a> {
    /// The geometry as the header states it now: it may have been overwritten since the queue was
    /// opened.
    pub(super) fn geometry(&self) -> Result<QueueGeometry> {
        let geometry = QueueGeometry::of(&self.params()?).ok();
        let fits = |geometry: &QueueGeometry| geometry.size <= self.segment.region().len() as u64;
        geometry.filter(fits).ok_or_else(|| self.corrupt())
    }

    pub(super) fn queue(&self, geometry: &QueueGeometry) -> Result<Queue<'a>> {
        let words: &MpmcWords = self.words()?;
        let region = self.segment.region();
        let slots = region.many_at(geometry.slots_at, geometry.slots)?;
        let ring = IndexRing { head: &words.head, tail: &words.tail, slots };
        Ok(Queue {
            object: *self,
            mpmc: Mpmc { words, ring, chunks: Mapped { region, geometry: *geometry } },
        })
    }
}

impl Queue<'_> {
    #[inline]
    pub(super) fn sound<T>(&self, done: std::result::Result<T, Corrupt>) -> Result<T> {
        done.map_err(|Corrupt| self.object.corrupt())
    }

    pub(super) fn reserve(&self, member: &mut Member, wait: Wait, room: Room) -> Result<Option<Put<Chunk>>> {
        let mut spins = member.spins;
        let found = self.mpmc.words.writers.wait_spinning(self.object.peers(), wait, &mut spins, |attempt| {
            self.claim(member, attempt, room).transpose()
        });
        member.spins = spins;
        found.transpose()
    }

    pub(super) fn wait_for_message(&self, member: &mut Member, wait: Wait) -> Result<Option<Got<Chunk>>> {
        let mut spins = member.spins;
        let found = self.mpmc.words.readers.wait_spinning(self.object.peers(), wait, &mut spins, |attempt| {
            self.take(member, attempt).transpose()
        });
        member.spins = spins;
        found.transpose()
    }

    /// A chunk to write; `None` if there is none now.
    pub(super) fn claim(
        &self,
        member: &mut Member,
        attempt: Attempt,
        room: Room,
    ) -> Result<Option<Put<Chunk>>> {
        self.reap_now_and_then(member)?;
        let mut claimed = self.claim_for(room, member.id)?;
        if claimed.is_none() && self.reaps(member, attempt)? {
            claimed = self.claim_for(room, member.id)?;
        }
        // After the claim: see `is_drained`.
        if self.mpmc.words.ended.load(SeqCst) != 0 && !seeded(Fault::PutAfterEnd) {
            if let Some(index) = claimed.filter(|_| !seeded(Fault::RefusedPutKeepsChunk)) {
                self.free(member, index, Phase::Writing)?;
            }
            return Ok(Some(Put::Ended));
        }
        Ok(claimed.map(|index| {
            let (offset, len) = (member.geometry.message_at(index), u64::from(member.geometry.message_bytes));
            Put::Done(Chunk { index, offset, len, spilled: false, redelivered: false })
        }))
    }

    fn claim_for(&self, room: Room, me: u16) -> Result<Option<u32>> {
        if let Room::InArena(len) = room
            && let Some(first) = self.sound(self.mpmc.claim_among_first(first_for(len), me))?
        {
            return Ok(Some(first));
        }
        self.sound(self.mpmc.claim(me))
    }

    /// The first message; `None` if there is none now.
    pub(super) fn take(&self, member: &mut Member, attempt: Attempt) -> Result<Option<Got<Chunk>>> {
        self.reap_now_and_then(member)?;
        let mut taken = self.sound(self.mpmc.take(member.id))?;
        if taken.is_none() && self.reaps(member, attempt)? {
            taken = self.sound(self.mpmc.take(member.id))?;
        }
        let Some(index) = taken else { return self.at_the_end(member) };
        let chunk = self.sound(self.mpmc.chunk(index))?;
        let (flags, len) = (chunk.flags.load(Relaxed), chunk.len.load(Relaxed));
        let offset = member.geometry.message_at(index);
        let spilled = flags & SPILLED != 0;
        let found = if spilled {
            self.spilled_len(member, index)
        } else if len <= member.geometry.message_bytes || seeded(Fault::MessageLengthTrusted) {
            Ok(u64::from(len))
        } else {
            Err(self.object.corrupt())
        };
        let len = found.inspect_err(|_| drop(self.discard(member, index, Phase::Reading, 0)))?;
        if spilled {
            member.large.took_one();
        }
        Ok(Some(Got::Message(Chunk { index, offset, len, spilled, redelivered: flags & REDELIVERED != 0 })))
    }

    fn at_the_end(&self, member: &Member) -> Result<Option<Got<Chunk>>> {
        if self.mpmc.words.ended.load(SeqCst) == 0 {
            return Ok(None);
        }
        let drained = self.sound(self.mpmc.is_drained(member.geometry.redeliver, member.id))?;
        Ok(drained.then_some(Got::Ended))
    }

    pub(super) fn finished(&self, member: &mut Member, attempt: Attempt) -> Result<Option<()>> {
        let finished = self.sound(self.mpmc.is_finished())?;
        let finished = finished || self.reaps(member, attempt)? && self.sound(self.mpmc.is_finished())?;
        Ok(finished.then_some(()))
    }

    /// Frees the chunk of a message that was read, and its memory in the arena.
    pub(super) fn free_read(&self, member: &Member, index: u32) -> Result<()> {
        self.held(member, index, Phase::Reading)?;
        if self.is_spilled(index)? {
            self.discard_read(member, index)
        } else {
            self.free(member, index, Phase::Reading)
        }
    }

    pub(super) fn held(&self, member: &Member, index: u32, phase: Phase) -> Result<&ChunkWords> {
        if self.mpmc.has(index, phase, member.id) {
            return self.sound(self.mpmc.chunk(index));
        }
        Err(self.object.lost("that message"))
    }

    /// Puts a chunk that the caller has claimed.
    pub(super) fn publish(&self, member: &Member, index: u32, len: u32, flags: u32) -> Result<()> {
        let chunk = self.sound(self.mpmc.chunk(index))?;
        chunk.len.store(len, Relaxed);
        chunk.flags.store(flags, Relaxed);
        self.linked(member, index, Phase::Writing)
    }

    pub(super) fn linked(&self, member: &Member, index: u32, phase: Phase) -> Result<()> {
        let linked = self.sound(self.mpmc.publish(index, phase, member.id))?;
        if linked { Ok(()) } else { Err(self.object.lost("that message")) }
    }

    pub(super) fn free(&self, member: &Member, index: u32, phase: Phase) -> Result<()> {
        self.free_then(member, index, phase, Then::Notify)?;
        self.notify_freed(1);
        Ok(())
    }

    /// Frees a chunk; `then`: `notify_freed`, or `Another` and in the end a fence and that.
    pub(super) fn free_then(&self, member: &Member, index: u32, phase: Phase, then: Then) -> Result<()> {
        let freed = self.sound(self.mpmc.free(index, phase, member.id, then))?;
        if freed { Ok(()) } else { Err(self.object.lost("that message")) }
    }

    /// Wakes readers for `count` messages that were put.
    pub(super) fn notify_queued(&self, count: usize) {
        if !seeded(Fault::QueuedRingsNobody) {
            self.mpmc.words.readers.notify_ordered(self.object.peers(), count);
        }
    }

    /// Wakes writers for `count` chunks that were freed, and all readers or joiners if that may
    /// have been the last message.
    pub(super) fn notify_freed(&self, count: usize) {
        let (words, peers) = (self.mpmc.words, self.object.peers());
        if !seeded(Fault::FreedRingsNobody) {
            words.writers.notify_ordered(peers, count);
        }
        if words.ended.load(Relaxed) != 0 && !seeded(Fault::LastMessageEndsNoWait) {
            words.readers.notify_all(peers);
        }
        let may_finish = self.object.kind() == Kind::JoinableQueue && self.mpmc.len() == Ok(0);
        if may_finish && !seeded(Fault::FinishRingsNobody) {
            words.joiners.notify_all(peers);
        }
    }
}
