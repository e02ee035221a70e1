//! Many messages in one call, with one round of wake-ups.

use super::inside::{Queue, Room};
use super::member::{Chunk, Member};
use crate::error::Result;
use crate::faults::{Fault, seeded};
use crate::objects::object::Object;
use crate::objects::put_got::{Got, Put, pop_all, put_all};
use crate::queues::{Phase, Then};
use crate::region::Region;
use crate::sync::Ordering::SeqCst;
use crate::sync::fence;
use crate::wait::Attempt;

/// A participant for many messages: only `wake` wakes other agents.
pub struct Participant<'a, 'm> {
    queue: Queue<'a>,
    member: &'m mut Member,
    /// Puts and frees since the last `wake`.
    queued: usize,
    freed: usize,
}

impl Participant<'_, '_> {
    /// Puts a message of at most `message_bytes`. `None` if there is no room now.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE`, `ERR_CORRUPT`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the caller knows the length, the copy is a few moves")]
    pub fn try_push(&mut self, bytes: &[u8]) -> Result<Option<Put<()>>> {
        let Participant { queue, member, queued, .. } = self;
        if bytes.len() > member.message_bytes() {
            return Err(queue.object.too_large(bytes.len() as u64, member.message_bytes() as u64));
        }
        Ok(match queue.claim_once(member)? {
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

    /// Takes the first message and passes its chunk to `take`, which returns whether it copied the
    /// message. If so, the chunk is freed; if not, the caller has it. `None` if there is no message
    /// now.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `try_push`")]
    pub fn try_pop(&mut self, take: impl FnOnce(Region<'_>, Chunk) -> bool) -> Result<Option<Got<bool>>> {
        let Participant { queue, member, freed, .. } = self;
        Ok(match queue.take_once(member)? {
            Some(Got::Message(chunk)) => {
                let copied = take(queue.object.segment.region(), chunk);
                if copied {
                    queue.free_then(member, chunk.index, Phase::Reading, Then::Another)?;
                    *freed += 1;
                }
                Some(Got::Message(copied))
            }
            Some(Got::Ended) => Some(Got::Ended),
            None => None,
        })
    }

    /// Wakes one reader for each message that was put, and one writer for each chunk that was
    /// freed.
    pub fn wake(&mut self) {
        let (queued, freed) = (std::mem::take(&mut self.queued), std::mem::take(&mut self.freed));
        if queued > 0 && !seeded(Fault::PutBatchRingsNobody) {
            self.queue.notify_queued(queued);
        }
        if freed > 0 && !seeded(Fault::GotBatchRingsNobody) {
            // The chunks were freed by stores; see `Sleepers::notify`.
            fence(SeqCst);
            self.queue.notify_freed(freed);
        }
    }
}

impl Queue<'_> {
    /// As `claim`, for one attempt.
    #[inline(never)]
    fn claim_once(&self, member: &mut Member) -> Result<Option<Put<Chunk>>> {
        self.claim(member, Attempt::Once, Room::InChunk)
    }

    /// As `take`, for one attempt.
    #[inline(never)]
    fn take_once(&self, member: &mut Member) -> Result<Option<Got<Chunk>>> {
        self.take(member, Attempt::Once)
    }
}

impl<'a> Object<'a> {
    /// Puts as many of these messages as there is room for now, up to the first that is longer than
    /// `message_bytes`, and returns how many.
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

    /// Takes at most `most` messages that are there now. Passes each chunk to `take`, which returns
    /// whether it copied the message. If so, the chunk is freed; if not, the caller has it, and it
    /// is the last one.
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
        let popped = pop_all(most, true, || participant.try_pop(&mut take))?;
        participant.wake();
        Ok(popped)
    }
}
