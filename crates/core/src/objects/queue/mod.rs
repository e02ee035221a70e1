//! Queues of messages in chunks: each call checks the kind, runs the protocol of `crate::queues`,
//! and words its errors.

mod inside;
mod kept;
mod member;
mod participant;
mod reap;
mod spill;
mod stream;
mod structures;

pub use member::{Chunk, Member};
pub use participant::Participant;
pub use structures::Added;

use self::inside::Room;
use self::stream::Stream;
use super::looked::Looked;
use super::object::Object;
use super::put_got::{Got, Put};
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{Kind, MpmcWords, QueueGeometry};
use crate::queues::{Claim, Phase, REDELIVERED, Reaped, Then};
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
        Ok(Member {
            id,
            geometry,
            reaped_at: None,
            calls: 0,
            spins: Spins::default(),
            large: Stream::default(),
        })
    }

    /// The caller's agent stops being a participant. Its chunks are freed or put back, as if it had
    /// died.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn leave_queue(&self, mut member: Member) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        queue.give_back_own(&mut member);
        // If a stopped process holds the reapers' mutex, other participants reap this one after the
        // agent has left.
        if !seeded(Fault::LeaverKeepsChunks) {
            queue.while_reaping(|| queue.reap_one(member.id))?;
        }
        Ok(())
    }

    /// Puts a message. One larger than `message_bytes` goes to the queue's arena.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE` (if the queue doesn't spill), `ERR_NO_SPACE`, `ERR_CORRUPT`.
    pub fn push_message(&self, member: &mut Member, bytes: &[u8], wait: Wait) -> Result<Looked<Put<()>>> {
        self.check_size(member, bytes.len() as u64)?;
        let queue = self.queue(&member.geometry)?;
        let is_large = bytes.len() > member.message_bytes();
        let room = if is_large { Room::InArena(bytes.len() as u64) } else { Room::InChunk };
        Ok(match queue.reserve(member, wait, room)? {
            Some(Put::Done(chunk)) if !is_large => {
                self.segment.region().write(chunk.offset, bytes)?;
                queue.publish(member, chunk.index, bytes.len() as u32, 0)?;
                queue.notify_queued(1);
                Looked::Got(Put::Done(()))
            }
            Some(Put::Done(chunk)) => {
                queue.spill(member, chunk.index, bytes)?;
                Looked::Got(Put::Done(()))
            }
            Some(Put::Ended) => Looked::Got(Put::Ended),
            None => self.until(&queue.mpmc.words.writers),
        })
    }

    /// Claims a chunk to write.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn reserve_message(&self, member: &mut Member, wait: Wait) -> Result<Looked<Put<Chunk>>> {
        let queue = self.queue(&member.geometry)?;
        let reserved = queue.reserve(member, wait, Room::InChunk)?;
        Ok(reserved.map_or_else(|| self.until(&queue.mpmc.words.writers), Looked::Got))
    }

    /// Puts the message of `len` bytes that was written to a reserved chunk.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_TOO_LARGE`, `ERR_CORRUPT`.
    pub fn commit_message(&self, member: &Member, index: u32, len: u32) -> Result<()> {
        if len > member.geometry.message_bytes {
            return Err(self.too_large(len.into(), member.geometry.message_bytes.into()));
        }
        let queue = self.queue(&member.geometry)?;
        queue.held(member, index, Phase::Writing)?;
        queue.publish(member, index, len, 0)?;
        if !seeded(Fault::CommittedMessageRingsNobody) {
            queue.notify_queued(1);
        }
        Ok(())
    }

    /// Frees a reserved chunk.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn cancel_message(&self, member: &Member, index: u32) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        if seeded(Fault::CancelRingsNobody) {
            return queue.free_then(member, index, Phase::Writing, Then::Notify);
        }
        queue.free(member, index, Phase::Writing)
    }

    /// Takes the first message. The caller has its chunk until it frees it.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn take_message(&self, member: &mut Member, wait: Wait) -> Result<Looked<Got<Chunk>>> {
        let queue = self.queue(&member.geometry)?;
        let taken = queue.wait_for_message(member, wait)?;
        Ok(taken.map_or_else(|| self.until(&queue.mpmc.words.readers), Looked::Got))
    }

    /// Takes the first message and passes its chunk to `take`, which returns whether it copied the
    /// message. If so, the chunk is freed; if not, the caller has it, as after `take_message`.
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
    /// `ERR_CORRUPT`.
    #[inline]
    pub fn read_message(&self, chunk: Chunk, to: &mut [u8]) -> Result<()> {
        if chunk.spilled {
            return self.read_spilled(chunk.index, to);
        }
        self.segment.region().read(chunk.offset, to)
    }

    /// Frees the chunk of a message that the caller has read.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn free_message(&self, member: &Member, index: u32) -> Result<()> {
        self.queue(&member.geometry)?.free_read(member, index)
    }

    /// Gives up a message that was taken, as if its reader had died. A queue that redelivers passes
    /// it to another reader; from other queues it is lost.
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
            // Under the reapers' mutex: a counted failure whose chunk isn't free would count as
            // left by a dead reaper.
            queue.while_reaping(|| {
                // Now, since a later reaper may find nothing to do but to free the chunk.
                let late = seeded(Fault::PunchAfterFailure);
                if queue.is_spilled(index)? && !late {
                    queue.punch(&member.geometry, index, 0);
                }
                queue.mpmc.count_failure(index, claim);
                let freed = if late {
                    queue.free_read(member, index)
                } else {
                    queue.free(member, index, Phase::Reading)
                };
                done = freed.map(|()| true);
                Ok(Reaped::default())
            })?;
            if done? {
                return Ok(());
            }
        }
        queue.free_read(member, index)
    }

    /// Puts a message that was taken back at the end of the queue, as if its reader had died.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`.
    pub fn put_message_back(&self, member: &Member, index: u32) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        let chunk = queue.held(member, index, Phase::Reading)?;
        chunk.flags.fetch_or(REDELIVERED, Relaxed);
        queue.linked(member, index, Phase::Reading)?;
        if !seeded(Fault::PutBackRingsNobody) {
            queue.notify_queued(1);
        }
        Ok(())
    }

    /// Ends the queue: no put begins any more, and readers take the remaining messages.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn end_queue(&self) -> Result<()> {
        let words: &MpmcWords = self.words()?;
        words.ended.store(1, SeqCst);
        if !seeded(Fault::EndWakesNoReader) {
            words.readers.notify_all(self.peers());
        }
        if !seeded(Fault::EndWakesNoWriter) {
            words.writers.notify_all(self.peers());
        }
        words.joiners.notify_all(self.peers());
        Ok(())
    }

    /// Whether the queue has ended.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn queue_has_ended(&self) -> Result<bool> {
        Ok(self.words::<MpmcWords>()?.ended.load(SeqCst) != 0)
    }

    /// Number of messages in the queue, with those that come back from dead readers. Other agents
    /// may be changing it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn queue_size(&self, member: &mut Member) -> Result<u64> {
        let queue = self.queue(&member.geometry)?;
        queue.reap_to_count(member)?;
        Ok(queue.sound(queue.mpmc.len())?.min(member.geometry.capacity.into()))
    }

    /// Waits until every message that was put has been freed.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn join_messages(&self, member: &mut Member, wait: Wait) -> Result<Looked<()>> {
        let queue = self.queue(&member.geometry)?;
        let sleepers = &queue.mpmc.words.joiners;
        let found = sleepers
            .wait_or_give_up(self.peers(), wait, |attempt| queue.finished(member, attempt).transpose());
        Ok(match found.transpose()? {
            Some(()) => Looked::Got(()),
            None => self.until(sleepers),
        })
    }

    /// Number of messages that were put and not freed yet, and number of messages whose readers
    /// died.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn unfinished_messages(&self, member: &mut Member) -> Result<(u32, u64)> {
        let queue = self.queue(&member.geometry)?;
        queue.reap_to_count(member)?;
        let unfinished = queue.mpmc.unfinished().map_err(|_| self.corrupt())?;
        Ok((unfinished, queue.mpmc.words.failed.load(Relaxed)))
    }

    /// An agent that is armed as a reader, a writer or a joiner stops waiting.
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
        let QueueGeometry { message_bytes, spill, most_spilled, .. } = member.geometry;
        if len <= u64::from(message_bytes) || spill && len <= most_spilled {
            return Ok(());
        }
        Err(self.too_large(len, if spill { most_spilled } else { message_bytes.into() }))
    }

    #[cold]
    fn too_large(&self, len: u64, most: u64) -> Error {
        Error::new(
            Code::TooLarge,
            format!(
                "{len} bytes are more than the {most} of a message of \"{}\"; nothing was put",
                self.segment.name
            ),
        )
    }
}

/// The event that an agent waits for at a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueWait {
    /// A message to take.
    Message,
    /// A free chunk.
    Room,
    /// No unfinished message.
    Finish,
}
