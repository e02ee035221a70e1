//! A lock-free ring of chunk numbers. A process may die in it at any instruction.
//!
//! Positions only grow. Position `p` is in slot `p % n`, and a link there is the slot's round
//! `p / n + 1`. A slot is `{ round: 41 | index: 23 }`: its last round, and the chunk that was
//! linked then. At first it is 0. Nothing empties a slot: the claim of a chunk tells whether the
//! chunk is still a message, and at which position.
//!
//! | slot at a position | chunk | for a put | for a get |
//! | --- | --- | --- | --- |
//! | the round before | | a CAS links the chunk: the put takes effect | the ring is empty |
//! | this round | `Queued` at this position | go on to the next one | a CAS of its claim: the get takes effect |
//! | this round | else | go on to the next one | it was taken: go on to the next one |
//! | a later round | | go on behind that link | go on a lap before that link |
//!
//! `tail` and `head` are hints where to begin. A put stores the position behind its link, a get the
//! position behind its claim. So positions before `tail` are linked, and those before `head` are
//! taken, even if a process that was stopped stores an old position, or dies before it stores.
//!
//! Each chunk is a message at one position at most, and the chunk that is being linked at none.
//! There are no more chunks than slots, and messages are taken in order. So the message that a slot
//! had a lap ago has been taken when the slot is needed again: a put need not look at `head`.
//!
//! `crates/core/tests/mpmc_model` explores it with processes that die anywhere.

use super::claim::{Claim, POSITION_BITS, Phase, change};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::INDEX_BITS;
use crate::sync::AtomicU64;
use crate::sync::Ordering::{Acquire, Relaxed, Release, SeqCst};

/// Attempts, besides one for each slot, after which the ring counts as corrupt. An attempt fails
/// only if another process got on meanwhile, and no process loses a million times in a row.
const ATTEMPTS: usize = if cfg!(loom) { 100 } else { 1 << 20 };

/// The state is one that no process running this code leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// What a slot says about a position.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// No chunk was linked there yet. The slot's word.
    Vacant(u64),
    /// That chunk was linked there.
    Linked(u32),
    /// A chunk was linked a lap or more later: at that position.
    Passed(u64),
}

/// The claims of the chunks, by number.
pub(crate) trait Claims {
    /// `None`: there is no such chunk.
    fn claim(&self, index: u32) -> Option<&AtomicU64>;
}

/// The ring: its positions and its slots. The number of slots is a power of two.
#[derive(Clone, Copy)]
pub(crate) struct IndexRing<'m> {
    pub head: &'m AtomicU64,
    pub tail: &'m AtomicU64,
    pub slots: &'m [AtomicU64],
}

impl IndexRing<'_> {
    fn slot(&self, position: u64) -> &AtomicU64 {
        &self.slots[(position as usize) & (self.slots.len() - 1)]
    }

    /// The round of a link at that position.
    fn round(&self, position: u64) -> u64 {
        (position >> self.slots.len().trailing_zeros()).wrapping_add(1) & (u64::MAX >> INDEX_BITS)
    }

    #[inline]
    fn at(&self, position: u64) -> Result<Slot, Corrupt> {
        // Acquire: pairs with the Release in `link`. SeqCst: for `Mpmc::is_finished`.
        let word = self.slot(position).load(SeqCst);
        // The difference of two rounds, modulo 2^41.
        let later =
            ((word >> INDEX_BITS).wrapping_sub(self.round(position)) << INDEX_BITS) as i64 >> INDEX_BITS;
        match later {
            0 => Ok(Slot::Linked((word & ((1 << INDEX_BITS) - 1)) as u32)),
            -1 => Ok(Slot::Vacant(word)),
            1.. => {
                Ok(Slot::Passed(position.wrapping_add((later as u64).wrapping_mul(self.slots.len() as u64))))
            }
            _ => Err(Corrupt),
        }
    }

    /// Puts in a chunk that is in no slot, in the name of participant `by`. `mark` makes the chunk
    /// `Queued` at a position, and returns whether the caller still has it.
    #[inline]
    pub(crate) fn link(&self, index: u32, mut mark: impl FnMut(u64) -> bool) -> Result<bool, Corrupt> {
        let mut tail = self.tail.load(Acquire);
        for _ in 0..ATTEMPTS + self.slots.len() {
            match self.at(tail)? {
                Slot::Vacant(word) => {
                    // Before the link: a get that sees the link sees the position.
                    if !mark(tail) {
                        return Ok(false);
                    }
                    // SeqCst, as in `claim::change`. Release: pairs with the load in `at`.
                    let linked = self.round(tail) << INDEX_BITS | u64::from(index);
                    let order = if seeded(Fault::RelaxedLink) { Relaxed } else { SeqCst };
                    if self.slot(tail).compare_exchange(word, linked, order, Relaxed).is_ok() {
                        fail::point("queue.linked");
                        advance(self.tail, tail.wrapping_add(1));
                        fail::point("queue.tail-moved");
                        return Ok(true);
                    }
                }
                Slot::Passed(last) => tail = last,
                Slot::Linked(_) => {}
            }
            if !seeded(Fault::NoTailHelp) {
                tail = tail.wrapping_add(1);
            }
        }
        Err(Corrupt)
    }

    /// Takes out the first chunk, which is then `Reading` by `me`. `None`: the ring is empty.
    #[inline]
    pub(crate) fn take(&self, claims: &impl Claims, me: u16) -> Result<Option<u32>, Corrupt> {
        let mut from = self.head.load(Acquire);
        for _ in 0..ATTEMPTS {
            let (head, first) = self.first(claims, from)?;
            let Some((index, claim, before)) = first else {
                return Ok(None);
            };
            if change(claim, before, Claim::of(before).next(Phase::Reading, me)) {
                fail::point("queue.taken");
                advance(self.head, head.wrapping_add(1));
                fail::point("queue.head-moved");
                return Ok(Some(index));
            }
            // Another process took it: `first` loads its claim.
            from = head;
        }
        Err(Corrupt)
    }

    /// The first position from `from` on whose chunk was not taken: the chunk, its claim and the
    /// claim's word. `None`: no chunk was linked there yet. All chunks before `from` were taken.
    #[inline]
    fn first<'c>(&self, claims: &'c impl Claims, from: u64) -> Result<(u64, Option<First<'c>>), Corrupt> {
        let mut head = from;
        for _ in 0..ATTEMPTS + self.slots.len() {
            match self.at(head)? {
                Slot::Linked(index) => {
                    let claim = claims.claim(index).ok_or(Corrupt)?;
                    // Acquire: pairs with the CAS of the get that took the chunk. What was linked
                    // before that is seen at the next position.
                    let before = claim.load(Acquire);
                    if Claim::of(before).is_queued_at(head) {
                        return Ok((head, Some((index, claim, before))));
                    }
                    if !seeded(Fault::NoHeadHelp) {
                        head = head.wrapping_add(1);
                    }
                }
                Slot::Passed(last) => head = last.wrapping_sub(self.slots.len() as u64 - 1),
                Slot::Vacant(_) => {
                    advance(self.head, head);
                    return Ok((head, None));
                }
            }
        }
        Err(Corrupt)
    }

    /// The position at which the next chunk is linked.
    pub(crate) fn end(&self) -> Result<u64, Corrupt> {
        let mut tail = self.tail.load(Acquire);
        for _ in 0..ATTEMPTS + self.slots.len() {
            match self.at(tail)? {
                Slot::Vacant(_) => return Ok(tail),
                Slot::Passed(last) => tail = last,
                Slot::Linked(_) => {}
            }
            tail = tail.wrapping_add(1);
        }
        Err(Corrupt)
    }

    /// Whether a chunk was linked at the position that its claim names. If it was, and the slot was
    /// used again since, the claim has changed.
    pub(crate) fn has(&self, position: u64, index: u32) -> bool {
        let word = self.slot(position).load(Acquire);
        // The claim has only so many bits of the round.
        let same = (word >> INDEX_BITS ^ self.round(position))
            << (64 - POSITION_BITS)
            << self.slots.len().trailing_zeros()
            == 0;
        same && word as u32 & ((1 << INDEX_BITS) - 1) == index
    }

    /// Messages in the ring at about one instant.
    pub(crate) fn len(&self, claims: &impl Claims) -> Result<u64, Corrupt> {
        // In this order, the count is never more than there were.
        let tail = self.end()?;
        let (head, _) = self.first(claims, self.head.load(Acquire))?;
        Ok(if (tail.wrapping_sub(head) as i64) < 0 { 0 } else { tail.wrapping_sub(head) })
    }
}

/// The first message: its chunk, the chunk's claim, and the claim's word.
type First<'c> = (u32, &'c AtomicU64, u64);

/// Moves `head` or `tail` forward. If the process is stopped between the two accesses, it may move
/// it back.
#[inline]
fn advance(position: &AtomicU64, to: u64) {
    if to.wrapping_sub(position.load(Relaxed)) as i64 > 0 {
        // Release: a process that sees the new position sees the links and claims before it.
        position.store(to, Release);
    }
}
