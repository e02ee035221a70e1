//! Queues as their users call them: messages in chunks, waits, and errors that say what to do.

mod inside;
mod spill;

use std::time::Instant;

use self::inside::{Mapped, Queue};
use self::spill::Spill;
use super::looked::Looked;
use super::object::Object;
use super::put_got::{Got, Put, put_all};
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{Kind, MpmcWords, Owner, PARTICIPANTS, QueueGeometry};
use crate::queues::{Claim, IndexRing, Mpmc, Phase, REDELIVERED, Reaped};
use crate::region::Region;
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::wait::{Attempt as Look, Sleepers, Spins, Wait};

/// What an agent that uses a queue remembers of it.
pub struct Member {
    id: u16,
    geometry: QueueGeometry,
    reaped_at: Option<Instant>,
    /// Puts and gets, to look at the clock now and then only.
    calls: u32,
    spins: Spins,
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

impl<'a> Object<'a> {
    /// Makes the caller's agent a participant of a queue.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_LIMIT` (1,024 participants), `ERR_CORRUPT`.
    pub fn join_queue(&self) -> Result<Member> {
        let geometry = self.geometry()?;
        let queue = self.queue(&geometry)?;
        let joined = queue.mpmc.join(self.agent).or_else(|| {
            let _ = queue.reap();
            queue.mpmc.join(self.agent)
        });
        let id = joined.ok_or_else(|| {
            Error::new(Code::Limit, format!("\"{}\" has 1024 participants", self.segment.name))
        })?;
        Ok(Member { id, geometry, reaped_at: None, calls: 0, spins: Spins::default() })
    }

    /// The caller's agent is no participant any more. What it still has is given back, as if it had died.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    #[expect(clippy::needless_pass_by_value, reason = "it is of no use any more")]
    pub fn leave_queue(&self, member: Member) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        // If somebody is stopped inside, it is reaped when this agent has left.
        if !seeded(Fault::LeaverKeepsChunks) {
            queue.while_reaping(|| queue.reap_one(member.id))?;
        }
        Ok(())
    }

    /// Puts a message in. Larger ones than `message_bytes` get a segment of their own.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE` where that is not allowed, `ERR_NO_SPACE`, `ERR_LIMIT`, `ERR_CORRUPT`.
    pub fn push_message(&self, member: &mut Member, bytes: &[u8], wait: Wait) -> Result<Looked<Put<()>>> {
        self.check_size(member, bytes.len() as u64)?;
        let queue = self.queue(&member.geometry)?;
        Ok(match queue.reserve(member, wait)? {
            Some(Put::Done(chunk)) if bytes.len() <= member.message_bytes() => {
                self.segment.region().write(chunk.offset, bytes)?;
                queue.publish(member, chunk.index, bytes.len() as u32, 0)?;
                queue.notify_queued(1);
                Looked::Got(Put::Done(()))
            }
            Some(Put::Done(chunk)) => match queue.spill(member, chunk.index, bytes) {
                Ok(()) => Looked::Got(Put::Done(())),
                Err(e) => {
                    // There may be no segment to remove.
                    let _ = queue.free(member, chunk.index, Phase::Writing);
                    if e.code != Code::Timeout {
                        return Err(e);
                    }
                    // A stopped process holds the registry: later.
                    self.until(&queue.mpmc.words.writers)
                }
            },
            Some(Put::Ended) => Looked::Got(Put::Ended),
            None => self.until(&queue.mpmc.words.writers),
        })
    }

    /// Puts in as many of these as there is room for now, up to the first that is longer than `message_bytes`; how many.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn push_messages<'b>(
        &self,
        member: &mut Member,
        messages: impl Iterator<Item = &'b [u8]>,
    ) -> Result<Put<usize>> {
        let most = member.message_bytes();
        let mut participant = self.participant(member)?;
        let fitting = messages.take_while(|bytes| bytes.len() <= most);
        let pushed = put_all(fitting, |bytes| participant.try_push(bytes))?;
        participant.wake();
        Ok(pushed)
    }

    /// A participant, for many messages.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn participant<'m>(&self, member: &'m mut Member) -> Result<Participant<'a, 'm>> {
        Ok(Participant { queue: self.queue(&member.geometry)?, member, queued: 0, freed: 0 })
    }

    /// Claims a chunk to write to.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn reserve_message(&self, member: &mut Member, wait: Wait) -> Result<Looked<Put<Chunk>>> {
        let queue = self.queue(&member.geometry)?;
        let reserved = queue.reserve(member, wait)?;
        Ok(reserved.map_or_else(|| self.until(&queue.mpmc.words.writers), Looked::Got))
    }

    /// Puts in a chunk that was reserved, with a message of `len` bytes.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_TOO_LARGE`, `ERR_CORRUPT`.
    pub fn commit_message(&self, member: &Member, index: u32, len: u32) -> Result<()> {
        if len > member.geometry.message_bytes {
            return Err(self.too_large(member, u64::from(len)));
        }
        let queue = self.queue(&member.geometry)?;
        queue.publish(member, index, len, 0)?;
        queue.notify_queued(1);
        Ok(())
    }

    /// Gives back a chunk that was reserved.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn cancel_message(&self, member: &Member, index: u32) -> Result<()> {
        self.queue(&member.geometry)?.free(member, index, Phase::Writing)
    }

    /// Takes the first message, which the caller then has until it frees it.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn take_message(&self, member: &mut Member, wait: Wait) -> Result<Looked<Got<Chunk>>> {
        let queue = self.queue(&member.geometry)?;
        let taken = queue.wait_for_message(member, wait)?;
        Ok(taken.map_or_else(|| self.until(&queue.mpmc.words.readers), Looked::Got))
    }

    /// Takes the first message. `take` gets its chunk and says whether it has copied what is in it, which is then freed; else
    /// it is the caller's, as after `take_message`.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn pop_message(
        &self,
        member: &mut Member,
        wait: Wait,
        take: impl FnOnce(Region<'_>, Chunk) -> bool,
    ) -> Result<Looked<Got<()>>> {
        let queue = self.queue(&member.geometry)?;
        Ok(match queue.wait_for_message(member, wait)? {
            Some(Got::Message(chunk)) => {
                if take(self.segment.region(), chunk) {
                    queue.free(member, chunk.index, Phase::Reading)?;
                }
                Looked::Got(Got::Message(()))
            }
            Some(Got::Ended) => Looked::Got(Got::Ended),
            None => self.until(&queue.mpmc.words.readers),
        })
    }

    /// Takes at most `most` messages that are there now. `take` gets each chunk and says whether it has copied what is in
    /// it, which is then freed; else that one is the caller's, and the last one.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn pop_messages(
        &self,
        member: &mut Member,
        most: usize,
        mut take: impl FnMut(Region<'_>, Chunk) -> bool,
    ) -> Result<Got<usize>> {
        let mut participant = self.participant(member)?;
        let mut popped = 0;
        while popped < most {
            match participant.try_pop(&mut take) {
                Ok(Some(Got::Message(copied))) => {
                    popped += 1;
                    if !copied {
                        break;
                    }
                }
                // What else there is to say is said when it is the first one's turn.
                _ if popped > 0 => break,
                Ok(Some(Got::Ended)) => return Ok(Got::Ended),
                Ok(None) => break,
                Err(e) => return Err(e),
            }
        }
        participant.wake();
        Ok(Got::Message(popped))
    }

    /// Copies the message of a chunk that the caller has taken.
    ///
    /// # Errors
    /// `ERR_CORRUPT`, `ERR_NOT_FOUND`: it was in a segment of its own, which is gone with its queue.
    pub fn read_message(&self, chunk: Chunk, to: &mut [u8]) -> Result<()> {
        if chunk.spilled {
            return Spill::read(self.segment.region(), chunk.offset)?.open(|region| region.read(0, to));
        }
        self.segment.region().read(chunk.offset, to)
    }

    /// Whether the segment of a spilled message is there, and as large as its queue says; `offset` is its chunk's. For whoever
    /// makes room for it, since that length can be overwritten.
    ///
    /// # Errors
    /// As `read_message`.
    pub fn check_spilled(&self, offset: u64) -> Result<()> {
        Spill::read(self.segment.region(), offset)?.open(|_| Ok(()))
    }

    /// Frees the chunk of a message that was read.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn free_message(&self, member: &Member, index: u32) -> Result<()> {
        self.queue(&member.geometry)?.free_read(member, index)
    }

    /// Gives up a message that was taken, as if its reader had died: for others, where they get it; else it is lost.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_CORRUPT`.
    pub fn abandon_message(&self, member: &Member, index: u32) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        if member.geometry.redeliver {
            return self.put_message_back(member, index);
        }
        if self.kind() == Kind::JoinableQueue {
            let claim = Claim::of(queue.held(member, index, Phase::Reading)?.claim.load(Relaxed));
            let mut done = Ok(false);
            // Both while nobody else reaps: a failure that is counted and whose chunk is not free is taken for a dead reaper's.
            queue.while_reaping(|| {
                queue.mpmc.count_failure(index, claim);
                done = queue.free_read(member, index).map(|()| true);
                Ok(Reaped::default())
            })?;
            if done? {
                return Ok(());
            }
        }
        queue.free_read(member, index)
    }

    /// Puts a message that was taken back in, at the end: as if its reader had died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn put_message_back(&self, member: &Member, index: u32) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        let chunk = queue.held(member, index, Phase::Reading)?;
        chunk.flags.fetch_or(REDELIVERED, Relaxed);
        queue.linked(member, index, Phase::Reading)?;
        queue.notify_queued(1);
        Ok(())
    }

    /// No put begins any more; readers take out what is in it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn end_queue(&self) -> Result<()> {
        let words: &MpmcWords = self.words()?;
        words.ended.store(1, SeqCst);
        for sleepers in [&words.readers, &words.writers, &words.joiners] {
            if seeded(Fault::EndWakesNobody) {
                break;
            }
            sleepers.notify_all(self.agent);
        }
        Ok(())
    }

    /// Whether it has ended.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn queue_has_ended(&self) -> Result<bool> {
        Ok(self.words::<MpmcWords>()?.ended.load(SeqCst) != 0)
    }

    /// Messages in it at about this instant.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn queue_size(&self, member: &Member) -> Result<u64> {
        let queue = self.queue(&member.geometry)?;
        Ok(queue.mpmc.ring.len().min(member.geometry.capacity.into()))
    }

    /// Waits until every message that was put has been freed.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn join_messages(&self, member: &mut Member, wait: Wait) -> Result<Looked<()>> {
        let queue = self.queue(&member.geometry)?;
        let sleepers = &queue.mpmc.words.joiners;
        let found =
            sleepers.wait_or_give_up(self.agent, wait, |look| queue.finished(member, look).transpose());
        Ok(match found.transpose()? {
            Some(()) => Looked::Got(()),
            None => self.until(sleepers),
        })
    }

    /// Messages that were put and not freed yet, and those that readers died of.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn unfinished_messages(&self, member: &Member) -> Result<(u32, u64)> {
        let queue = self.queue(&member.geometry)?;
        let unfinished = queue.mpmc.unfinished().map_err(|_| self.corrupt())?;
        Ok((unfinished, queue.mpmc.words.failed.load(Relaxed)))
    }

    /// Who has chunks that are being written or read, and how many.
    pub(crate) fn message_holders(&self) -> Result<Vec<(Owner, u32)>> {
        let geometry = self.geometry()?;
        let queue = self.queue(&geometry)?;
        let mut counts = [0; PARTICIPANTS];
        for index in 0..geometry.capacity {
            let claim = Claim::of(queue.sound(queue.mpmc.chunk(index))?.claim.load(Relaxed));
            let is_held = matches!(claim.phase, Phase::Writing | Phase::Reading);
            if let Some(count) = counts.get_mut(usize::from(claim.participant)).filter(|_| is_held) {
                *count += 1;
            }
        }
        let participants = &queue.mpmc.words.participants;
        let held = counts.iter().zip(participants).filter(|(count, _)| **count > 0);
        Ok(held.filter_map(|(count, entry)| Some((Owner::of(entry.load(Relaxed))?, *count))).collect())
    }

    /// Who armed itself as a reader, a writer or a joiner stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_queue(&self, waiting_for: QueueWait) -> Result<()> {
        let words: &MpmcWords = self.words()?;
        let sleepers = match waiting_for {
            QueueWait::Message => &words.readers,
            QueueWait::Room => &words.writers,
            QueueWait::Finish => &words.joiners,
        };
        sleepers.give_up(self.agent);
        Ok(())
    }

    fn check_size(&self, member: &Member, len: u64) -> Result<()> {
        let fits = len <= u64::from(member.geometry.message_bytes) || member.geometry.spill;
        if fits { Ok(()) } else { Err(self.too_large(member, len)) }
    }

    fn too_large(&self, member: &Member, len: u64) -> Error {
        let most = member.geometry.message_bytes;
        Error::new(
            Code::TooLarge,
            format!(
                "{len} bytes are more than the {most} of a message of \"{}\"; nothing was put",
                self.segment.name
            ),
        )
    }

    /// As the header says now: it may have been overwritten since the queue was opened.
    fn geometry(&self) -> Result<QueueGeometry> {
        let geometry = QueueGeometry::of(&self.params()?).ok();
        let fits = |geometry: &QueueGeometry| geometry.size <= self.segment.region().len() as u64;
        geometry.filter(fits).ok_or_else(|| self.corrupt())
    }

    fn queue(&self, geometry: &QueueGeometry) -> Result<Queue<'a>> {
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

/// What one waits for at a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueWait {
    /// Something to take.
    Message,
    /// A free chunk.
    Room,
    /// No unfinished message.
    Finish,
}

/// A participant that wakes nobody until it is told to.
pub struct Participant<'a, 'm> {
    queue: Queue<'a>,
    member: &'m mut Member,
    /// What it did since it woke others.
    queued: usize,
    freed: usize,
}

impl Participant<'_, '_> {
    /// Puts in a message of at most `message_bytes`. `None`: there is no room now.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE`, `ERR_CORRUPT`.
    pub fn try_push(&mut self, bytes: &[u8]) -> Result<Option<Put<()>>> {
        let Participant { queue, member, queued, .. } = self;
        if bytes.len() > member.message_bytes() {
            return Err(queue.object.too_large(member, bytes.len() as u64));
        }
        Ok(match queue.claim(member, Look::Once)? {
            Some(Put::Done(chunk)) => {
                queue.object.segment.region().write(chunk.offset, bytes)?;
                queue.publish(member, chunk.index, bytes.len() as u32, 0)?;
                *queued += 1;
                Some(Put::Done(()))
            }
            Some(Put::Ended) => Some(Put::Ended),
            None => None,
        })
    }

    /// Takes the first message. `take` gets its chunk and says whether it has copied what is in it, which is then freed; else
    /// it is the caller's. `None`: there is none now.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn try_pop(&mut self, take: impl FnOnce(Region<'_>, Chunk) -> bool) -> Result<Option<Got<bool>>> {
        let Participant { queue, member, freed, .. } = self;
        Ok(match queue.take(member, Look::Once)? {
            Some(Got::Message(chunk)) => {
                let copied = take(queue.object.segment.region(), chunk);
                if copied {
                    queue.free_quietly(member, chunk.index, Phase::Reading)?;
                    *freed += 1;
                }
                Some(Got::Message(copied))
            }
            Some(Got::Ended) => Some(Got::Ended),
            None => None,
        })
    }

    /// Wakes as many as there is something for now.
    pub fn wake(&mut self) {
        let (queued, freed) = (std::mem::take(&mut self.queued), std::mem::take(&mut self.freed));
        if queued > 0 {
            self.queue.notify_queued(queued);
        }
        if freed > 0 {
            self.queue.notify_freed(freed);
        }
    }
}
