//! Queues as their users call them: messages in chunks, waits, and errors that say what to do.

use std::time::{Duration, Instant};

use crate::claim::{Claim, Phase};
use crate::doorbell::{Look, Sleepers, Spins, Wait};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::geometry::{QueueGeometry, SPILL_BYTES};
use crate::index_ring::{Corrupt, IndexRing};
use crate::kind::Kind;
use crate::layout::{ChunkWords, MpmcWords, PARTICIPANTS};
use crate::mpmc::{Chunks, Mpmc, REDELIVERED, Reaped, SPILLED, Terms};
use crate::object::{Looked, Object};
use crate::owner::Owner;
use crate::region::Region;
use crate::registry::GLANCE;
use crate::spill::Spill;
use crate::sync::Ordering::{Relaxed, SeqCst};

/// How often who finds nothing looks whether somebody died of it.
const REAP_EVERY: Duration = Duration::from_millis(50);

/// What an agent that uses a queue remembers of it.
pub struct Member {
    id: u16,
    geometry: QueueGeometry,
    reaped_at: Option<Instant>,
    spins: Spins,
}

impl Member {
    /// Most bytes of a message that lies in the queue.
    #[must_use]
    pub fn message_bytes(&self) -> usize {
        self.geometry.message_bytes as usize
    }
}

/// What became of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put<T> {
    /// It took effect, or there is room for it.
    Done(T),
    /// The queue has ended.
    Ended,
}

/// What a get found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got<T> {
    /// A message.
    Message(T),
    /// The queue has ended, and everything was taken out.
    Ended,
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

/// Chunks in a mapped segment.
#[derive(Clone, Copy)]
struct Mapped<'m> {
    region: Region<'m>,
    geometry: QueueGeometry,
}

impl Chunks for Mapped<'_> {
    fn count(&self) -> u32 {
        self.geometry.capacity
    }

    fn chunk(&self, index: u32) -> Option<&ChunkWords> {
        (index < self.geometry.capacity).then(|| self.region.at(self.geometry.chunk_at(index)).ok()).flatten()
    }
}

/// A queue, for one call.
struct Queue<'a> {
    object: Object<'a>,
    mpmc: Mpmc<'a, Mapped<'a>>,
}

impl<'a> Object<'a> {
    /// Makes the caller's agent a participant of a queue.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_LIMIT` (1,024 participants), `ERR_CORRUPT`.
    pub fn join_queue(&self) -> Result<Member> {
        let geometry = QueueGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        let queue = self.queue(&geometry)?;
        let joined = queue.mpmc.join(self.agent).or_else(|| {
            let _ = queue.reap();
            queue.mpmc.join(self.agent)
        });
        let id = joined.ok_or_else(|| {
            Error::new(Code::Limit, format!("\"{}\" has 1024 participants", self.segment.name))
        })?;
        Ok(Member { id, geometry, reaped_at: None, spins: Spins::default() })
    }

    /// The caller's agent is no participant any more. What it still has is given back, as if it had died.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    #[expect(clippy::needless_pass_by_value, reason = "it is of no use any more")]
    pub fn leave_queue(&self, member: Member) -> Result<()> {
        let queue = self.queue(&member.geometry)?;
        // If somebody is stopped inside, it is reaped when this agent has left.
        queue.while_reaping(|| queue.reap_one(member.id))?;
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
        let queue = self.queue(&member.geometry)?;
        let mut pushed = 0;
        for bytes in messages {
            if bytes.len() > member.message_bytes() {
                break;
            }
            let chunk = match queue.claim(member, Look::Once) {
                Ok(Some(Put::Done(chunk))) => chunk,
                // What else there is to say is said when it is the first one's turn.
                _ if pushed > 0 => break,
                Ok(Some(Put::Ended)) => return Ok(Put::Ended),
                Ok(None) => break,
                Err(e) => return Err(e),
            };
            self.segment.region().write(chunk.offset, bytes)?;
            queue.publish(member, chunk.index, bytes.len() as u32, 0)?;
            pushed += 1;
        }
        if pushed > 0 {
            queue.notify_queued(pushed);
        }
        Ok(Put::Done(pushed))
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
        let queue = self.queue(&member.geometry)?;
        let mut popped = 0;
        let mut freed = 0;
        while popped < most {
            let look = if popped == 0 { Look::Once } else { Look::Newcomer };
            let chunk = match queue.take(member, look) {
                Ok(Some(Got::Message(chunk))) => chunk,
                // What else there is to say is said when it is the first one's turn.
                _ if popped > 0 => break,
                Ok(Some(Got::Ended)) => return Ok(Got::Ended),
                Ok(None) => break,
                Err(e) => return Err(e),
            };
            popped += 1;
            if !take(self.segment.region(), chunk) {
                break;
            }
            queue.free_quietly(member, chunk.index, Phase::Reading)?;
            freed += 1;
        }
        if freed > 0 {
            queue.notify_freed(freed);
        }
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
            queue.while_reaping(|| {
                queue.mpmc.count_failure(index, claim);
                Ok(Reaped::default())
            })?;
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
        let geometry = QueueGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
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

    pub(crate) fn corrupt(&self) -> Error {
        Error::new(
            Code::Corrupt,
            format!(
                "\"{}\" was overwritten by something else; unlink it and make it anew",
                self.segment.name
            ),
        )
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

impl Queue<'_> {
    fn sound<T>(&self, done: std::result::Result<T, Corrupt>) -> Result<T> {
        done.map_err(|Corrupt| self.object.corrupt())
    }

    fn reserve(&self, member: &mut Member, wait: Wait) -> Result<Option<Put<Chunk>>> {
        let mut spins = member.spins;
        let found =
            self.mpmc.words.writers.wait_spinning(self.object.agent, wait, &mut spins, |look| {
                self.claim(member, look).transpose()
            });
        member.spins = spins;
        found.transpose()
    }

    fn wait_for_message(&self, member: &mut Member, wait: Wait) -> Result<Option<Got<Chunk>>> {
        let mut spins = member.spins;
        let found =
            self.mpmc.words.readers.wait_spinning(self.object.agent, wait, &mut spins, |look| {
                self.take(member, look).transpose()
            });
        member.spins = spins;
        found.transpose()
    }

    /// A chunk to write to; `None`: not now.
    fn claim(&self, member: &mut Member, look: Look) -> Result<Option<Put<Chunk>>> {
        let mut claimed = self.sound(self.mpmc.claim(member.id))?;
        if claimed.is_none() && self.reaps(member, look)? {
            claimed = self.sound(self.mpmc.claim(member.id))?;
        }
        // After the claim: see `is_drained`.
        if self.mpmc.words.ended.load(SeqCst) != 0 {
            if let Some(index) = claimed {
                self.free(member, index, Phase::Writing)?;
            }
            return Ok(Some(Put::Ended));
        }
        Ok(claimed.map(|index| {
            let (offset, len) = (member.geometry.message_at(index), u64::from(member.geometry.message_bytes));
            Put::Done(Chunk { index, offset, len, spilled: false, redelivered: false })
        }))
    }

    /// The first message; `None`: not now.
    fn take(&self, member: &mut Member, look: Look) -> Result<Option<Got<Chunk>>> {
        let mut taken = self.sound(self.mpmc.take(member.id))?;
        if taken.is_none() && self.reaps(member, look)? {
            taken = self.sound(self.mpmc.take(member.id))?;
        }
        let Some(index) = taken else { return self.at_the_end(member) };
        let chunk = self.sound(self.mpmc.chunk(index))?;
        let (flags, len) = (chunk.flags.load(Relaxed), chunk.len.load(Relaxed));
        let offset = member.geometry.message_at(index);
        let spilled = flags & SPILLED != 0;
        let found = if spilled {
            Spill::read(self.object.segment.region(), offset).map(|spill| spill.len)
        } else if len <= member.geometry.message_bytes {
            Ok(u64::from(len))
        } else {
            Err(self.object.corrupt())
        };
        let len = found.inspect_err(|_| drop(self.free(member, index, Phase::Reading)))?;
        Ok(Some(Got::Message(Chunk { index, offset, len, spilled, redelivered: flags & REDELIVERED != 0 })))
    }

    fn at_the_end(&self, member: &Member) -> Result<Option<Got<Chunk>>> {
        if self.mpmc.words.ended.load(SeqCst) == 0 {
            return Ok(None);
        }
        let drained = self.sound(self.mpmc.is_drained(member.geometry.redeliver, member.id))?;
        Ok(drained.then_some(Got::Ended))
    }

    fn finished(&self, member: &mut Member, look: Look) -> Result<Option<()>> {
        let finished = self.sound(self.mpmc.is_finished())?;
        let finished = finished || self.reaps(member, look)? && self.sound(self.mpmc.is_finished())?;
        Ok(finished.then_some(()))
    }

    /// In vain: now and then one looks whether somebody died of it, unless this is the first look of a wait. Whether that
    /// changed anything.
    fn reaps(&self, member: &mut Member, look: Look) -> Result<bool> {
        if look == Look::Newcomer || member.reaped_at.is_some_and(|at| at.elapsed() < REAP_EVERY) {
            return Ok(false);
        }
        member.reaped_at = Some(Instant::now());
        self.reap()
    }

    fn reap(&self) -> Result<bool> {
        let Queue { object, mpmc } = self;
        if mpmc.dead(object.agent).next().is_none() {
            return Ok(false);
        }
        let reaped = self.while_reaping(|| {
            mpmc.dead(object.agent).try_fold(Reaped::default(), |all, dead| {
                let reaped = self.reap_one(dead)?;
                Ok(Reaped { freed: all.freed + reaped.freed, queued: all.queued + reaped.queued })
            })
        })?;
        Ok(reaped != Reaped::default())
    }

    /// Nothing is done while another one reaps: whoever wants it comes again.
    fn while_reaping(&self, act: impl FnOnce() -> Result<Reaped>) -> Result<Reaped> {
        let (mutex, agent) = (&self.mpmc.words.reaper, self.object.agent);
        if mutex.lock(agent, Wait::For(GLANCE)).is_err() {
            return Ok(Reaped::default());
        }
        fail::point("reap.locked");
        // What a reaper that died left is found as it was.
        mutex.mark_consistent();
        let reaped = act();
        mutex.unlock(agent);
        reaped.inspect(|reaped| self.notify_reaped(*reaped))
    }

    fn notify_reaped(&self, reaped: Reaped) {
        if reaped.queued > 0 {
            self.notify_queued(reaped.queued as usize);
        }
        if reaped.freed > 0 {
            self.notify_freed(reaped.freed as usize);
        }
    }

    fn reap_one(&self, dead: u16) -> Result<Reaped> {
        let Queue { object, mpmc } = self;
        let Mapped { region, geometry } = mpmc.chunks;
        let count_failures = object.kind() == Kind::JoinableQueue && !geometry.redeliver;
        let terms = Terms { redeliver: geometry.redeliver, count_failures };
        let forget = |chunk: &ChunkWords, index| {
            if chunk.flags.load(Relaxed) & SPILLED != 0
                && let Ok(spill) = Spill::read(region, geometry.message_at(index))
            {
                spill.remove(object.agent);
            }
        };
        self.sound(mpmc.reap(dead, terms, forget))
    }

    /// Puts in a message that is too large for its chunk.
    fn spill(&self, member: &Member, index: u32, bytes: &[u8]) -> Result<()> {
        let object = &self.object;
        let spill = Spill::new(bytes.len() as u64)?;
        let chunk = self.held(member, index, Phase::Writing)?;
        object.segment.region().write(member.geometry.message_at(index), &spill.to_bytes())?;
        // Release: whoever reaps this chunk and sees the flag sees which segment it is.
        chunk.flags.store(SPILLED, crate::sync::Ordering::Release);
        fail::point("spill.named");
        if let Err(e) = spill.create(object.agent, object.segment, bytes) {
            chunk.flags.store(0, Relaxed);
            return Err(e);
        }
        self.publish(member, index, SPILL_BYTES as u32, SPILLED)?;
        self.notify_queued(1);
        Ok(())
    }

    /// Frees the chunk of a message that was handed over, and the segment that had it, if it had one.
    fn free_read(&self, member: &Member, index: u32) -> Result<()> {
        let chunk = self.held(member, index, Phase::Reading)?;
        if chunk.flags.load(Relaxed) & SPILLED == 0 {
            return self.free(member, index, Phase::Reading);
        }
        self.sound(self.mpmc.retire(index, member.id))?;
        Spill::read(self.object.segment.region(), member.geometry.message_at(index))?
            .remove(self.object.agent);
        fail::point("spill.removed");
        self.free(member, index, Phase::Writing)
    }

    fn held(&self, member: &Member, index: u32, phase: Phase) -> Result<&ChunkWords> {
        if self.mpmc.has(index, phase, member.id) {
            return self.sound(self.mpmc.chunk(index));
        }
        Err(self.object.lost("that message"))
    }

    fn publish(&self, member: &Member, index: u32, len: u32, flags: u32) -> Result<()> {
        let chunk = self.held(member, index, Phase::Writing)?;
        chunk.len.store(len, Relaxed);
        chunk.flags.store(flags, Relaxed);
        self.linked(member, index, Phase::Writing)
    }

    fn linked(&self, member: &Member, index: u32, phase: Phase) -> Result<()> {
        let linked = self.sound(self.mpmc.publish(index, phase, member.id))?;
        if linked { Ok(()) } else { Err(self.object.lost("that message")) }
    }

    fn free(&self, member: &Member, index: u32, phase: Phase) -> Result<()> {
        self.free_quietly(member, index, phase)?;
        self.notify_freed(1);
        Ok(())
    }

    fn free_quietly(&self, member: &Member, index: u32, phase: Phase) -> Result<()> {
        let freed = self.sound(self.mpmc.free(index, phase, member.id))?;
        if freed { Ok(()) } else { Err(self.object.lost("that message")) }
    }

    /// So many messages were put in.
    fn notify_queued(&self, count: usize) {
        self.mpmc.words.readers.notify_ordered(self.object.agent, count);
    }

    /// So many chunks were freed: writers have room, and it may have been the last message.
    fn notify_freed(&self, count: usize) {
        let (words, agent) = (self.mpmc.words, self.object.agent);
        words.writers.notify_ordered(agent, count);
        if words.ended.load(Relaxed) != 0 {
            words.readers.notify_all(agent);
        }
        if self.object.kind() == Kind::JoinableQueue && self.mpmc.ring.len() == 0 {
            words.joiners.notify_all(agent);
        }
    }
}
