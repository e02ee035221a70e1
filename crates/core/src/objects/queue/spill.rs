//! Spilled messages: one that is too large for its chunk lies in the queue's arena, a file with
//! holes that is never mapped. Each chunk owns a part of the file, so the chunk's claim protects
//! both, and no part need be looked for. A part has memory while a message lies in it, and some
//! parts for a while longer: `kept.rs`.
//!
//! | died | the chunk | its part of the arena | what its reaper does |
//! | --- | --- | --- | --- |
//! | writer, before the message is put | `Writing` | nothing, a piece, or the whole message | punches, frees |
//! | writer, afterwards | `Queued` | the message | links it if it isn't linked |
//! | reader, reading | `Reading` | the message | puts it back, or punches and frees |
//! | reader, afterwards | `Writing` | the message, a piece, or nothing | punches, frees |
//! | reader, that gives memory back | `Writing` | an old message, a piece, or nothing | punches, frees |
//! | all agents | any | any | the next sweep removes the file |
//!
//! To *punch* is to make a part a hole again (fallocate(2)). That can be repeated. The chunk is
//! freed afterwards: its next owner writes to the same part.
//!
//! The length lies in the chunk, where a message would, and can be overwritten there. So a reader
//! that allocates much memory for a message asks first whether the part has so many bytes:
//! `check_spilled`.

use std::io::ErrorKind;

use super::inside::Queue;
use super::member::Member;
use crate::domain::spill_error;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{QueueGeometry, SPILL_BYTES};
use crate::objects::object::Object;
use crate::queues::{Phase, SPILLED};
use crate::sync::Ordering::Relaxed;
use crate::sys::Arena;

impl Queue<'_> {
    fn arena(&self) -> Result<&Arena> {
        self.object.segment.arena().ok_or_else(|| self.object.corrupt())
    }

    /// Puts a message that is too large for its chunk, which the caller has reserved. If that
    /// fails, the chunk is freed.
    pub(super) fn spill(&self, member: &Member, index: u32, bytes: &[u8]) -> Result<()> {
        self.held(member, index, Phase::Writing)?;
        let put = || self.put_spilled(member, index, bytes);
        put().inspect_err(|_| drop(self.discard(member, index, Phase::Writing, 0)))
    }

    fn put_spilled(&self, member: &Member, index: u32, bytes: &[u8]) -> Result<()> {
        let (len, at) = (bytes.len() as u64, member.geometry.spilled_at(index));
        let arena = self.arena()?;
        let publish = || {
            self.object.segment.region().write(member.geometry.message_at(index), &len.to_le_bytes())?;
            fail::point("spill.measured");
            self.publish(member, index, SPILL_BYTES as u32, SPILLED)
        };
        if seeded(Fault::SpillPutUnwritten) {
            publish()?;
        }
        let written = arena.write(at, bytes).or_else(|e| match e.kind() {
            ErrorKind::StorageFull if self.give_back(member).some => arena.write(at, bytes),
            _ => Err(e),
        });
        written.map_err(|e| spill_error(len, &e))?;
        fail::point("spill.written");
        if !seeded(Fault::SpillPutUnwritten) {
            publish()?;
        }
        self.notify_queued(1);
        Ok(())
    }

    /// The length of a spilled message that the caller has taken.
    pub(super) fn spilled_len(&self, member: &Member, index: u32) -> Result<u64> {
        let mut len = [0; SPILL_BYTES as usize];
        self.object.segment.region().copy_to(member.geometry.message_at(index), &mut len)?;
        let len = u64::from_le_bytes(len);
        let fits = len <= member.geometry.most_spilled && self.object.segment.arena().is_some();
        if fits { Ok(len) } else { Err(self.object.corrupt()) }
    }

    /// Frees a chunk that the caller has in `phase`, and its part of the arena but for the first
    /// `kept` bytes.
    pub(super) fn discard(&self, member: &Member, index: u32, phase: Phase, kept: u64) -> Result<()> {
        self.held(member, index, phase)?;
        if seeded(Fault::PunchAfterFree) {
            self.free(member, index, phase)?;
        }
        // Nothing lies behind a message, so one that is not longer leaves nothing to free.
        if kept == 0 || self.spilled_len(member, index).is_ok_and(|len| len > kept) {
            self.punch(&member.geometry, index, kept);
        }
        fail::point("spill.punched");
        if seeded(Fault::PunchAfterFree) { Ok(()) } else { self.free(member, index, phase) }
    }

    /// As `discard`, after the message was read: if the caller dies from here on, it is not
    /// redelivered.
    pub(super) fn discard_read(&self, member: &Member, index: u32) -> Result<()> {
        if !self.sound(self.mpmc.retire(index, member.id))? {
            return Err(self.object.lost("that message"));
        }
        let phase = if seeded(Fault::NotRetired) { Phase::Reading } else { Phase::Writing };
        self.discard(member, index, phase, self.kept_of(member, index))
    }

    /// Makes the part of a chunk a hole, but for the first `kept` bytes. The caller has the chunk,
    /// or reaps it. If the system refuses, the memory is used by the chunk's next large message,
    /// and goes with it or with the queue.
    pub(super) fn punch(&self, geometry: &QueueGeometry, index: u32, kept: u64) {
        if let Some(arena) = self.object.segment.arena()
            && !seeded(Fault::SpillStays)
        {
            let _ = arena.punch(geometry.spilled_at(index) + kept, geometry.most_spilled - kept);
        }
    }

    pub(super) fn is_spilled(&self, index: u32) -> Result<bool> {
        Ok(self.sound(self.mpmc.chunk(index))?.flags.load(Relaxed) & SPILLED != 0)
    }
}

impl Object<'_> {
    /// Gives back the memory that stayed for further large messages, as participants do by
    /// themselves when no more come: where free chunks have it. Returns whether there was any.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn give_back_memory(&self, member: &Member) -> Result<bool> {
        Ok(self.queue(&member.geometry)?.give_back(member).some)
    }

    /// The part of the arena with the `len` bytes of a chunk's message.
    fn spilled(&self, index: u32, len: u64) -> Result<(&Arena, u64)> {
        let geometry = self.geometry()?;
        let is_one = index < geometry.capacity && len <= geometry.most_spilled;
        let arena = self.segment.arena().filter(|_| is_one).ok_or_else(|| self.corrupt())?;
        Ok((arena, geometry.spilled_at(index)))
    }

    /// Checks that the spilled message of a chunk that the caller has taken has `len` bytes, as the
    /// chunk says. The caller does so before it allocates much memory for the message, since that
    /// length can be overwritten.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn check_spilled(&self, index: u32, len: u64) -> Result<()> {
        let (arena, at) = self.spilled(index, len)?;
        let is_there = arena.holds(at, len).map_err(|e| Error::os("looking at a large message", &e))?;
        if is_there || seeded(Fault::SpilledLengthTrusted) { Ok(()) } else { Err(self.shorter(len)) }
    }

    pub(super) fn read_spilled(&self, index: u32, to: &mut [u8]) -> Result<()> {
        let (arena, at) = self.spilled(index, to.len() as u64)?;
        arena.read(at, to).map_err(|e| match e.kind() {
            ErrorKind::UnexpectedEof => self.shorter(to.len() as u64),
            _ => Error::os("reading a large message", &e),
        })
    }

    fn shorter(&self, len: u64) -> Error {
        Error::new(
            Code::Corrupt,
            format!(
                "\"{}\" was overwritten: it says that a message has {len} bytes, but it has fewer; the message is lost",
                self.segment.name
            ),
        )
    }
}
