//! Queues as their users call them: messages in chunks, waits, and errors that say what to do.

mod inside;
mod member;
mod participant;
mod reap;
mod spill;

pub use member::{Chunk, Member};
pub use participant::Participant;

use self::spill::Spill;
use super::looked::Looked;
use super::object::Object;
use super::put_got::{Got, Put};
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{Kind, MpmcWords, Owner, PARTICIPANTS};
use crate::queues::{Claim, Phase, REDELIVERED, Reaped};
use crate::region::Region;
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::wait::{Sleepers, Spins, Wait};

impl Object<'_> {
    /// Makes the caller's agent a participant of a queue.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_LIMIT` (1,024 participants), `ERR_CORRUPT`.
    pub fn join_queue(&self) -> Result<Member> {
        let geometry = self.geometry()?;
        let queue = self.queue(&geometry)?;
        let joined = queue.mpmc.join(self.peers()).or_else(|| {
            let _ = queue.reap();
            queue.mpmc.join(self.peers())
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
            sleepers.notify_all(self.peers());
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
            sleepers.wait_or_give_up(self.peers(), wait, |look| queue.finished(member, look).transpose());
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
        sleepers.give_up(self.peers());
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
