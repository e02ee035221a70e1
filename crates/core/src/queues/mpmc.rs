//! A bounded queue of any number of producers and consumers. It is lock-free in the strict sense: a
//! process that is stopped anywhere stops no other. It stays whole if a process is killed anywhere.
//!
//! Messages lie in chunks. One ring of chunk numbers (`index_ring.rs`) has their order. Each chunk
//! has a claim (`claim.rs`). A put claims a free chunk, writes to it and links it. A get claims the
//! first chunk, reads and frees it.
//!
//! | died | the chunk, when its participant is reaped |
//! | --- | --- |
//! | `Writing` | freed: the put has not taken effect |
//! | `Queued`, not linked | linked: the put takes effect now |
//! | `Queued`, linked | nothing: it is a message like others |
//! | `Reading`, slot not emptied | the slot is emptied, if a get didn't do that before; then: |
//! | `Reading` | freed, its message lost; or linked as `REDELIVERED`, if the queue redelivers |
//!
//! One agent reaps at a time, under a robust mutex. If it dies, the next one begins anew: every
//! change is one CAS from the state that the dead participant left.
//!
//! There is no second ring for free chunks: being free is a phase of the claim, which halves the
//! atomic operations of a message. `crates/core/tests/mpmc_model` explores it.

use std::collections::HashSet;

use super::claim::{Claim, Phase, change};
use super::index_ring::{Claims, Corrupt, IndexRing};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{ChunkWords, INDEX_BITS, MpmcWords, Owner, PARTICIPANTS};
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
    fn claim(&self, index: u32) -> Option<&crate::sync::AtomicU64> {
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
    pub(crate) fn claim(&self, me: u16) -> Result<Option<u32>, Corrupt> {
        let count = self.chunks.count();
        match self.ring.len().cmp(&u64::from(count)) {
            std::cmp::Ordering::Less => {}
            // `head` lags by at most one.
            _ if self.ring.len() > u64::from(count) + 1 => return Err(Corrupt),
            _ => return Ok(None),
        }
        let mut index = self.words.hint.load(Relaxed) % count;
        for _ in 0..count {
            let chunk = self.chunk(index)?;
            // Acquire: pairs with the Release in `free`; the chunk's last message was read.
            let before = chunk.claim.load(Acquire);
            let next = if index + 1 == count { 0 } else { index + 1 };
            if Claim::of(before).phase == Phase::Free {
                if seeded(Fault::ClaimByStore) {
                    chunk.claim.store(Claim::of(before).next(Phase::Writing, me), Release);
                } else if !change(&chunk.claim, before, Phase::Writing, me) {
                    index = next;
                    continue;
                }
                fail::point("queue.claimed");
                self.words.hint.store(next, Relaxed);
                return Ok(Some(index));
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
    pub(crate) fn claim_this(&self, index: u32, me: u16) -> Result<bool, Corrupt> {
        let claim = &self.chunk(index)?.claim;
        // Acquire: pairs with the Release in `free`.
        let before = claim.load(Acquire);
        let claimed = Claim::of(before).phase == Phase::Free && change(claim, before, Phase::Writing, me);
        if claimed {
            fail::point("queue.claimed");
        }
        Ok(claimed)
    }

    /// Number of chunks that no message is in. Other participants may be changing it.
    pub(crate) fn room(&self) -> u64 {
        u64::from(self.chunks.count()).saturating_sub(self.ring.len())
    }

    /// Puts in a chunk that `me` has in `phase`. `false`: it hasn't.
    pub(crate) fn publish(&self, index: u32, phase: Phase, me: u16) -> Result<bool, Corrupt> {
        let claim = &self.chunk(index)?.claim;
        let before = claim.load(Relaxed); // Only `me` changes it.
        if !Claim::of(before).is(phase, me) {
            return Ok(false);
        }
        fail::point("queue.written");
        let order = if seeded(Fault::RelaxedPublish) { Relaxed } else { Release };
        claim.store(Claim::of(before).next(Phase::Queued, me), order);
        fail::point("queue.queued");
        self.ring.link(index)?;
        Ok(true)
    }

    /// Takes the first message: its chunk, which is then `Reading`.
    pub(crate) fn take(&self, me: u16) -> Result<Option<u32>, Corrupt> {
        self.ring.take(&ClaimsOf(&self.chunks), me)
    }

    /// Frees a chunk that `me` has in `phase`. `false`: it hasn't.
    pub(crate) fn free(&self, index: u32, phase: Phase, me: u16) -> Result<bool, Corrupt> {
        let claim = &self.chunk(index)?.claim;
        let before = claim.load(Relaxed); // Only `me` changes it.
        if !Claim::of(before).is(phase, me) {
            return Ok(false);
        }
        fail::point("queue.freeing");
        // Release: pairs with the Acquire in `claim`. SeqCst: for `notify_ordered`.
        let order = if seeded(Fault::RelaxedFree) { Relaxed } else { SeqCst };
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
        let retired = Claim::of(before).is(Phase::Reading, me) && change(claim, before, phase, me);
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
    /// A put during this call moves `tail`. If none did, a chunk that is free here stays free. The
    /// exception is a chunk that a put had claimed before, and not linked yet: no other process can
    /// know of that put.
    pub(crate) fn is_finished(&self) -> Result<bool, Corrupt> {
        let tail = self.ring.tail.load(SeqCst);
        let finished = self.none_is(|claim| matches!(claim.phase, Phase::Queued | Phase::Reading))?
            || seeded(Fault::FinishedDespiteReading) && self.ring.len() == 0;
        Ok(finished && self.ring.tail.load(SeqCst) == tail)
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
        let mut queued = Vec::new();
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
                Phase::Queued => queued.push((index, before)),
                Phase::Reading if terms.redeliver => {
                    self.ring.unlink_claimed(index);
                    let mark = if seeded(Fault::RedeliveryUnmarked) { 0 } else { REDELIVERED };
                    chunk.flags.store(chunk.flags.load(Relaxed) | mark, Relaxed);
                    fail::point("reap.marked");
                    reaped.queued += self.requeue(chunk, index, before)?;
                }
                Phase::Reading => {
                    self.ring.unlink_claimed(index);
                    forget(index);
                    if terms.count_failures {
                        self.count_failure(index, claim);
                    }
                    reaped.freed += u32::from(change(&chunk.claim, before, Phase::Free, 0));
                    fail::point("reap.freed");
                }
                Phase::Writing | Phase::Free => {
                    forget(index);
                    reaped.freed += u32::from(change(&chunk.claim, before, Phase::Free, 0));
                    fail::point("reap.freed");
                }
            }
        }
        // Loaded after the claims: a chunk that was linked meanwhile is either found here, or its
        // claim has changed.
        let linked: HashSet<u32> =
            if seeded(Fault::ReapWithoutScan) { HashSet::new() } else { self.ring.linked().collect() };
        if seeded(Fault::UnlinkedLost) {
            queued.clear();
        }
        for (index, before) in queued.into_iter().filter(|(index, _)| !linked.contains(index)) {
            reaped.queued += self.requeue(self.chunk(index)?, index, before)?;
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
        if !change(&chunk.claim, before, Phase::Queued, Claim::of(before).participant) {
            return Ok(0);
        }
        fail::point("reap.requeued");
        self.ring.link(index)?;
        if seeded(Fault::RequeuedTwice) {
            self.ring.link(index)?;
        }
        Ok(1)
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
            change(&chunk.claim, before, Phase::Free, 0);
        }
    }

    fn add_failure(&self) {
        self.words.failed.store(self.words.failed_before.load(Relaxed).wrapping_add(1), Relaxed);
    }
}

/// The failure of a claim, as `failing` has it.
fn failure(index: u32, claim: Claim) -> u64 {
    claim.generation << INDEX_BITS | u64::from(index)
}

#[cfg(all(test, not(loom)))]
mod tests;
