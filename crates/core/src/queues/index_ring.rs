//! A lock-free ring of chunk numbers. A process may die in it at any instruction.
//!
//! A slot is `{ lap: 40 | full: 1 | index: 23 }`. Position `p` is in slot `p % n`, on lap `p / n`.
//! No process claims a slot before it writes to it: the claim is in the chunk. So if a process dies
//! over a slot, the next one empties it.
//!
//! | slot | at `tail` | at `head` |
//! | --- | --- | --- |
//! | `{ lap, empty }` | room: a CAS links the chunk: the put takes effect | the ring is empty |
//! | `{ lap, full }` | `tail` lags: advance it | claim it: the get takes effect; empty the slot |
//! | `{ lap + 1, empty }` | `tail` lags: advance it | `head` lags: advance it |
//! | else | `tail` was read too early | `head` was read too early |
//!
//! If the chunk at `head` is claimed already, a get empties the slot for the process that claimed
//! it, and goes on.
//!
//! `crates/core/tests/mpmc_model` explores it with processes that die anywhere.

use super::claim::{Claim, Phase, change};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::INDEX_BITS;
use crate::sync::AtomicU64;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

const FULL: u64 = 1 << INDEX_BITS;
const LAP: u32 = INDEX_BITS + 1;

/// Attempts after which the ring counts as corrupt. An attempt fails only if another process got on
/// meanwhile, and no process loses a million times in a row.
const ATTEMPTS: u32 = if cfg!(loom) { 100 } else { 1 << 20 };

/// The state is one that no process running this code leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;

/// A slot's word, unpacked.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot {
    lap: u64,
    /// The chunk in it.
    index: Option<u32>,
}

impl Slot {
    fn of(word: u64) -> Slot {
        Slot { lap: word >> LAP, index: (word & FULL != 0).then_some((word & (FULL - 1)) as u32) }
    }

    fn word(self) -> u64 {
        self.lap << LAP | self.index.map_or(0, |index| FULL | u64::from(index))
    }
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

    fn lap(&self, position: u64) -> u64 {
        (position >> self.slots.len().trailing_zeros()) & (u64::MAX >> LAP)
    }

    fn after(lap: u64) -> u64 {
        (lap + 1) & (u64::MAX >> LAP)
    }

    /// Puts in a chunk that is `Queued` by the caller and in no slot.
    pub(crate) fn link(&self, index: u32) -> Result<(), Corrupt> {
        for _ in 0..ATTEMPTS {
            let tail = self.tail.load(Acquire);
            let slot = self.slot(tail);
            let word = slot.load(Acquire);
            let (seen, lap) = (Slot::of(word), self.lap(tail));
            if seen == (Slot { lap, index: None }) {
                fail::point("queue.linking");
                // SeqCst, as in `claim::change`. Release: pairs with the load of the slot in
                // `take`, which then sees the claim.
                let linked = Slot { lap, index: Some(index) }.word();
                if slot.compare_exchange(word, linked, SeqCst, Relaxed).is_ok() {
                    fail::point("queue.linked");
                    advance(self.tail, tail);
                    fail::point("queue.tail-moved");
                    return Ok(());
                }
            } else if (seen.lap == lap || seen.lap == Self::after(lap)) && !seeded(Fault::NoTailHelp) {
                advance(self.tail, tail);
            }
        }
        Err(Corrupt)
    }

    /// Takes out the first chunk, which is then `Reading` by `me`. `None`: the ring is empty.
    pub(crate) fn take(&self, claims: &impl Claims, me: u16) -> Result<Option<u32>, Corrupt> {
        for _ in 0..ATTEMPTS {
            let head = self.head.load(Acquire);
            let slot = self.slot(head);
            // Acquire: pairs with the Release in `link`.
            let word = slot.load(Acquire);
            let (seen, lap) = (Slot::of(word), self.lap(head));
            if seen.lap == Self::after(lap) && !seeded(Fault::NoHeadHelp) {
                advance(self.head, head);
            }
            if seen.lap != lap {
                continue;
            }
            let Some(index) = seen.index else { return self.is_sound(head).then_some(None).ok_or(Corrupt) };
            let claim = claims.claim(index).ok_or(Corrupt)?;
            // Acquire: pairs with the Release in `publish`; the message in the chunk is seen whole.
            let before = claim.load(Acquire);
            if slot.load(Relaxed) != word && !seeded(Fault::NoSlotReread) {
                continue; // The claim that was loaded may be of the chunk's next life.
            }
            let is_queued = Claim::of(before).phase == Phase::Queued;
            if is_queued && !change(claim, before, Phase::Reading, me) {
                continue;
            }
            if is_queued {
                fail::point("queue.taken");
            } else if seeded(Fault::NoHelpForClaimed) {
                continue;
            }
            // Also if another process claimed the chunk, and has not emptied the slot yet.
            self.empty(head, word);
            if is_queued {
                return Ok(Some(index));
            }
        }
        Err(Corrupt)
    }

    /// Empties the slot at `head`, whose chunk was claimed.
    fn empty(&self, head: u64, word: u64) {
        let emptied = Slot { lap: Self::after(self.lap(head)), index: None }.word();
        let _ = self.slot(head).compare_exchange(word, emptied, AcqRel, Relaxed);
        fail::point("queue.emptied");
        advance(self.head, head);
        fail::point("queue.head-moved");
    }

    /// Empties the slot of a chunk whose claimant died before it did so. That can only be the slot
    /// at `head`.
    pub(crate) fn unlink_claimed(&self, index: u32) {
        let head = self.head.load(Acquire);
        let word = self.slot(head).load(Acquire);
        let seen = Slot::of(word);
        if seen == (Slot { lap: self.lap(head), index: Some(index) }) {
            self.empty(head, word);
        } else if seen.lap == Self::after(self.lap(head)) {
            advance(self.head, head);
        }
    }

    /// The chunks in the ring, including claimed ones, at about one instant.
    pub(crate) fn linked(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.iter().filter_map(|slot| Slot::of(slot.load(Acquire)).index)
    }

    /// Whether `tail` is where it can be if the ring is empty at `head`: it lags by at most one.
    fn is_sound(&self, head: u64) -> bool {
        self.tail.load(Acquire).wrapping_add(1) >= head
    }

    /// Messages in the ring at about one instant.
    pub(crate) fn len(&self) -> u64 {
        // In this order, the count is never more than there were.
        let tail = self.tail.load(Acquire);
        tail.saturating_sub(self.head.load(Acquire))
    }
}

/// Advances `head` or `tail`, unless another process did.
fn advance(position: &AtomicU64, from: u64) {
    // Release: a process that sees the new position sees the change to the slot before it.
    let _ = position.compare_exchange(from, from.wrapping_add(1), Release, Relaxed);
}
