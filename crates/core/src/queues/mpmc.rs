//! A bounded queue of any number of producers and consumers. It is lock-free in the strict sense: a
//! process that is stopped anywhere stops no other. It stays whole if a process is killed anywhere.
//!
//! Messages lie in chunks. One ring of chunk numbers (`index_ring.rs`) has their order. Each chunk
//! has a claim (`claim.rs`). A put claims a free chunk, writes to it and links it. A get claims the
//! first chunk, reads and frees it.
//!
//! | died | others meanwhile | the chunk, when its participant is reaped |
//! | --- | --- | --- |
//! | `Writing` | have one chunk less | freed: the put has not taken effect |
//! | `Queued`, not linked | have one chunk less | linked: the put takes effect now |
//! | `Queued`, linked, `tail` behind | go on from `tail` to the next position | nothing: it is a message like others |
//! | `Reading`, `head` behind | go on from `head` to the next position | as `Reading` |
//! | `Reading` | have one chunk less | freed, its message lost; or linked as `REDELIVERED`, if the queue redelivers |
//!
//! One agent reaps at a time, under a robust mutex. If it dies, the next one begins anew: every
//! change is one CAS from the state that the dead participant left.
//!
//! A message takes three compare-and-swaps: its put claims a chunk and links it, its get claims it.
//! There is no second ring for free chunks: being free is a phase of the claim.
//! `crates/core/tests/mpmc_model` explores it.

use super::claim::{Claim, Phase, change};
use super::index_ring::{Claims, Corrupt, IndexRing};
use super::spsc::Then;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{ChunkWords, INDEX_BITS, MpmcWords, Owner, PARTICIPANTS};
use crate::sync::AtomicU64;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use crate::wait::Peers;

/// The message is in the queue's arena, and the chunk has its length.
pub(crate) const SPILLED: u32 = 1;
/// A reader had the message before, and died.
pub(crate) const REDELIVERED: u32 = 2;

/// The chunks, by number.
pub(crate) trait Chunks {
    fn count(&self) -> u32;
    /// `None`: there is no such chunk.
    fn chunk(&self, index: u32) -> Option<&ChunkWords>;
}

/// The claims in the chunks.
struct ClaimsOf<'c, C>(&'c C);

impl<C: Chunks> Claims for ClaimsOf<'_, C> {
    fn claim(&self, index: u32) -> Option<&AtomicU64> {
        Some(&self.0.chunk(index)?.claim)
    }
}

/// What becomes of the messages that dead participants were reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// They go to other readers.
    pub redeliver: bool,
    /// Lost messages are counted.
    pub count_failures: bool,
}

/// What a reap changed: how many sleepers to wake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reaped {
    pub freed: u32,
    pub queued: u32,
}

/// The queue as its participants see it.
#[derive(Clone, Copy)]
pub(crate) struct Mpmc<'m, C> {
    pub words: &'m MpmcWords,
    pub ring: IndexRing<'m>,
    pub chunks: C,
}

impl<C: Chunks> Mpmc<'_, C> {
    pub(crate) fn chunk(&self, index: u32) -> Result<&ChunkWords, Corrupt> {
        self.chunks.chunk(index).ok_or(Corrupt)
    }

    /// Claims a chunk to write to. `None`: all are in use. That is weaker than "the queue is full":
    /// other participants may be writing or reading right now.
    #[inline]
    pub(crate) fn claim(&self, me: u16) -> Result<Option<u32>, Corrupt> {
        let count = self.chunks.count();
        let hint = self.words.hint.load(Relaxed);
        let mut index = if hint < count { hint } else { 0 };
        for visited in 0..count {
            let next = if index + 1 == count { 0 } else { index + 1 };
            if self.claim_this(index, me)? {
                self.words.hint.store(next, Relaxed);
                return Ok(Some(index));
            }
            // Mostly that chunk has the first message. A search would take its time.
            if visited == 0 && self.is_full()? {
                return Ok(None);
            }
            index = next;
        }
        Ok(None)
    }

    /// Claims one of the first `most` chunks to write to. `None`: none of them is free.
    pub(crate) fn claim_among_first(&self, most: u32, me: u16) -> Result<Option<u32>, Corrupt> {
        for index in 0..most.min(self.chunks.count()) {
            if self.claim_this(index, me)? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// Claims that chunk to write to. `false`: it isn't free.
    #[inline]
    pub(crate) fn claim_this(&self, index: u32, me: u16) -> Result<bool, Corrupt> {
        let claimed = claim_free(&self.chunk(index)?.claim, me);
        if claimed {
            fail::point("queue.claimed");
        }
        Ok(claimed)
    }

    /// Number of chunks that no message is in. Other participants may be changing it.
    pub(crate) fn room(&self) -> Result<u64, Corrupt> {
        Ok(u64::from(self.chunks.count()).saturating_sub(self.len()?))
    }

    /// Whether each chunk has a message that was not taken.
    fn is_full(&self) -> Result<bool, Corrupt> {
        match self.len()?.cmp(&u64::from(self.chunks.count())) {
            std::cmp::Ordering::Less => Ok(false),
            std::cmp::Ordering::Equal => Ok(true),
            std::cmp::Ordering::Greater => Err(Corrupt),
        }
    }

    /// Messages that were not taken, at about one instant.
    pub(crate) fn len(&self) -> Result<u64, Corrupt> {
        self.ring.len(&ClaimsOf(&self.chunks))
    }

    /// Puts in a chunk that `me` has in `phase`. `false`: it hasn't.
    #[inline]
    pub(crate) fn publish(&self, index: u32, phase: Phase, me: u16) -> Result<bool, Corrupt> {
        let claim = &self.chunk(index)?.claim;
        if !Claim::of(claim.load(Relaxed)).is(phase, me) {
            return Ok(false); // Only `me` changes it.
        }
        fail::point("queue.written");
        self.ring.link(index, |position| {
            // Relaxed: the link publishes it; and an agent counts as dead only after all it stored.
            claim.store(Claim::queued(position, me), Relaxed);
            fail::point("queue.queued");
            true
        })
    }

    /// Takes the first message: its chunk, which is then `Reading`.
    #[inline]
    pub(crate) fn take(&self, me: u16) -> Result<Option<u32>, Corrupt> {
        self.ring.take(&ClaimsOf(&self.chunks), me)
    }

    /// Frees a chunk that `me` has in `phase`. `false`: it hasn't.
    #[inline]
    pub(crate) fn free(&self, index: u32, phase: Phase, me: u16, then: Then) -> Result<bool, Corrupt> {
        let claim = &self.chunk(index)?.claim;
        let before = claim.load(Relaxed); // Only `me` changes it.
        if !Claim::of(before).is(phase, me) {
            return Ok(false);
        }
        fail::point("queue.freeing");
        // Release: pairs with the Acquire in `claim_free`.
        let order = if seeded(Fault::RelaxedFree) { Relaxed } else { then.order() };
        claim.store(Claim::of(before).next(Phase::Free, 0), order);
        fail::point("queue.freed");
        Ok(true)
    }

    /// Notes that the message that `me` reads was handed over: if `me` dies from here on, it is not
    /// redelivered. `false`: `me` doesn't read it.
    pub(crate) fn retire(&self, index: u32, me: u16) -> Result<bool, Corrupt> {
        let claim = &self.chunk(index)?.claim;
        let before = claim.load(Relaxed);
        let phase = if seeded(Fault::NotRetired) { Phase::Reading } else { Phase::Writing };
        let retired = Claim::of(before).is(Phase::Reading, me)
            && change(claim, before, Claim::of(before).next(phase, me));
        fail::point("queue.retired");
        Ok(retired)
    }

    /// Whether `me` has that chunk in `phase`.
    pub(crate) fn has(&self, index: u32, phase: Phase, me: u16) -> bool {
        self.chunk(index).is_ok_and(|chunk| Claim::of(chunk.claim.load(Relaxed)).is(phase, me))
    }

    /// Whether a queue that has ended has no message, and gets none: none is queued, and no put has
    /// begun. With `redeliver`, messages that other participants than `me` are reading may come
    /// back.
    ///
    /// A put claims its chunk and then loads whether the queue has ended. The caller has seen the
    /// end before it loads the claims here. All of this is `SeqCst`, so a put that didn't see the
    /// end is seen here.
    pub(crate) fn is_drained(&self, redeliver: bool, me: u16) -> Result<bool, Corrupt> {
        self.none_is(|claim| match claim.phase {
            Phase::Free => false,
            Phase::Writing => !seeded(Fault::DrainedDespiteWriting),
            Phase::Queued => !seeded(Fault::DrainedDespiteQueued),
            Phase::Reading => {
                let is_others = claim.participant != me || seeded(Fault::ReaderWaitsForItself);
                redeliver && is_others && !seeded(Fault::DrainedDespiteReading)
            }
        })
    }

    /// Whether every message that was put has been read and freed, at some instant of this call.
    ///
    /// A put during this call links a chunk, so the ring ends further on. If none did, a chunk that
    /// is free or being written here is so when this call ends.
    pub(crate) fn is_finished(&self) -> Result<bool, Corrupt> {
        let end = self.ring.end()?;
        let finished = self.none_is(|claim| matches!(claim.phase, Phase::Queued | Phase::Reading))?
            || seeded(Fault::FinishedDespiteReading) && self.len()? == 0;
        Ok(finished && self.ring.end()? == end)
    }

    fn none_is(&self, unwanted: impl Fn(Claim) -> bool) -> Result<bool, Corrupt> {
        for index in 0..self.chunks.count() {
            if unwanted(Claim::of(self.chunk(index)?.claim.load(SeqCst))) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many chunks are `Queued` or `Reading`.
    pub(crate) fn unfinished(&self) -> Result<u32, Corrupt> {
        let mut count = 0;
        for index in 0..self.chunks.count() {
            let claim = Claim::of(self.chunk(index)?.claim.load(Acquire));
            count += u32::from(matches!(claim.phase, Phase::Queued | Phase::Reading));
        }
        Ok(count)
    }

    /// Makes the caller a participant. `None`: there is no room for one more.
    pub(crate) fn join(&self, peers: &impl Peers) -> Option<u16> {
        let me = peers.me().word();
        let entry = self.words.participants.iter().position(|entry| {
            if entry.load(Relaxed) != 0 {
                return false;
            }
            fail::point("queue.joining");
            if seeded(Fault::PlaceByStore) {
                entry.store(me, Release);
                return true;
            }
            entry.compare_exchange(0, me, AcqRel, Relaxed).is_ok()
        });
        entry.map(|entry| entry as u16)
    }

    /// Removes a participant, which has no chunk any more.
    pub(crate) fn leave(&self, me: u16) {
        self.words.participants[usize::from(me)].store(0, Release);
    }

    /// Participants that died and are not reaped yet.
    pub(crate) fn dead(&self, peers: &impl Peers) -> impl Iterator<Item = u16> {
        (0..PARTICIPANTS as u16).filter(move |&participant| {
            let word = self.words.participants[usize::from(participant)].load(Acquire);
            Owner::of(word).is_some_and(|owner| {
                owner != peers.me() && (peers.is_dead(owner) || seeded(Fault::ReapTheLiving))
            })
        })
    }

    /// Returns the chunks of a dead participant to the queue. The caller holds `reaper`. `forget`
    /// is called with each chunk whose message is lost, or was never whole, before the chunk is
    /// freed.
    pub(crate) fn reap(
        &self,
        dead: u16,
        terms: Terms,
        mut forget: impl FnMut(u32),
    ) -> Result<Reaped, Corrupt> {
        let mut reaped = Reaped::default();
        if seeded(Fault::PlaceBeforeChunks) {
            self.leave(dead);
        }
        for index in 0..self.chunks.count() {
            let chunk = self.chunk(index)?;
            let before = chunk.claim.load(Acquire);
            let claim = Claim::of(before);
            if claim.participant != dead || claim.phase == Phase::Free {
                continue;
            }
            match claim.phase {
                Phase::Queued => {
                    let is_linked = self.ring.has(claim.position, index) && !seeded(Fault::ReapWithoutLook);
                    if !is_linked && !seeded(Fault::UnlinkedLost) {
                        reaped.queued += self.requeue(chunk, index, before)?;
                    }
                }
                Phase::Reading if terms.redeliver => {
                    let mark = if seeded(Fault::RedeliveryUnmarked) { 0 } else { REDELIVERED };
                    chunk.flags.store(chunk.flags.load(Relaxed) | mark, Relaxed);
                    fail::point("reap.marked");
                    reaped.queued += self.requeue(chunk, index, before)?;
                }
                Phase::Reading | Phase::Writing | Phase::Free => {
                    forget(index);
                    if claim.phase == Phase::Reading && terms.count_failures {
                        self.count_failure(index, claim);
                    }
                    reaped.freed += u32::from(change(&chunk.claim, before, claim.next(Phase::Free, 0)));
                    fail::point("reap.freed");
                }
            }
        }
        fail::point("reap.done");
        if !seeded(Fault::DeadKeepPlaces) {
            self.leave(dead);
        }
        Ok(reaped)
    }

    /// Links a chunk in the dead participant's name: if the reaper dies, too, the next one finds it
    /// like the other chunks of that participant.
    fn requeue(&self, chunk: &ChunkWords, index: u32, before: u64) -> Result<u32, Corrupt> {
        let dead = Claim::of(before).participant;
        let mut last = before;
        let requeued = self.ring.link(index, |position| {
            let queued = Claim::queued(position, dead);
            // Fails if the chunk was linked and has been taken since.
            let is_dead_ones = change(&chunk.claim, std::mem::replace(&mut last, queued), queued);
            fail::point("reap.requeued");
            is_dead_ones
        })?;
        Ok(u32::from(requeued))
    }

    /// Counts the failure of the participant that died with this claim, or abandoned it: once, even
    /// if reapers die here.
    pub(crate) fn count_failure(&self, index: u32, claim: Claim) {
        let words = self.words;
        let failure = failure(index, claim);
        if words.failing.load(Acquire) != failure || seeded(Fault::FailureCountedAgain) {
            self.settle_failure();
            words.failed_before.store(words.failed.load(Relaxed), Relaxed);
            words.failing.store(failure, Release);
        }
        fail::point("reap.failing");
        self.add_failure();
        fail::point("reap.counted");
    }

    /// If a reaper died with the last failure before it freed the chunk, finishes its work. So no
    /// failure is counted twice.
    fn settle_failure(&self) {
        let last = self.words.failing.load(Acquire);
        let index = (last & ((1 << INDEX_BITS) - 1)) as u32;
        let Ok(chunk) = self.chunk(index) else { return };
        let before = chunk.claim.load(Acquire);
        let claim = Claim::of(before);
        if claim.phase == Phase::Reading && failure(index, claim) == last {
            self.add_failure();
            change(&chunk.claim, before, claim.next(Phase::Free, 0));
        }
    }

    fn add_failure(&self) {
        self.words.failed.store(self.words.failed_before.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

/// Claims a chunk if it is free.
#[inline]
fn claim_free(claim: &AtomicU64, me: u16) -> bool {
    // Acquire: pairs with the Release in `free`; the chunk's last message was read.
    let before = claim.load(Acquire);
    let claimed = Claim::of(before).next(Phase::Writing, me);
    if Claim::of(before).phase != Phase::Free {
        return false;
    }
    if seeded(Fault::ClaimByStore) {
        claim.store(claimed, Release);
        return true;
    }
    change(claim, before, claimed)
}

/// The failure of a claim, as `failing` has it: never 0, which is no failure.
fn failure(index: u32, claim: Claim) -> u64 {
    claim.position << (INDEX_BITS + 1) | 1 << INDEX_BITS | u64::from(index)
}

#[cfg(all(test, not(loom)))]
mod tests;
