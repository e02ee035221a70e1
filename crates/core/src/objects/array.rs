//! An ndarray's guard: it admits one writer at a time, and tells a reader whether its copy is
//! whole.
//!
//! A sequence lock (Boehm, "Can seqlocks get along with programming language memory models?", MSPC
//! 2012). A robust mutex admits one writer at a time.
//!
//! | the writer died | sequence | a reader | the next owner of the writers' mutex |
//! | --- | --- | --- | --- |
//! | before its first change | even | copies: the data is whole | has nothing to repair |
//! | inside | odd | `ERR_PEER_DIED` | gets `owner_died`, and makes the sequence even |
//! | after its last change | even | copies: the data is whole | has nothing to repair |

use std::time::Duration;

use super::header::made_elsewhere;
use super::looked::{Locked, Looked};
use crate::domain::{Agent, Seat};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{GUARD_MAGIC, GuardWords, LAYOUT_VERSION};
use crate::locks::Refused;
use crate::region::Region;
use crate::sync::{Ordering, fence};
use crate::wait::{Peers, Wait};

/// After so many copies that a writer overlapped, a reader takes the writers' mutex.
const TRIES: u32 = 8;

/// The guard of an open ndarray.
#[derive(Clone, Copy)]
pub struct ArrayGuard<'m> {
    words: &'m GuardWords,
    region: Region<'m>,
}

impl<'m> ArrayGuard<'m> {
    /// The guard at `offset`. `None` if there is none, as behind an array that another program
    /// made.
    ///
    /// # Errors
    /// `ERR_WRONG_DOMAIN` if the array was made in another domain, `ERR_CORRUPT` if its trailer has
    /// another layout.
    pub fn find(agent: &Agent, region: Region<'m>, offset: u64) -> Result<Option<ArrayGuard<'m>>> {
        if offset.checked_add(size_of::<GuardWords>() as u64).is_none_or(|end| end > region.len() as u64) {
            return Ok(None);
        }
        let words: &GuardWords = region.at(offset)?;
        if words.magic.load(Ordering::Relaxed) != GUARD_MAGIC {
            return Ok(None);
        }
        let layout = words.layout.load(Ordering::Relaxed);
        if layout != LAYOUT_VERSION {
            return Err(Error::new(
                Code::Corrupt,
                format!(
                    "the array's trailer has layout {layout}, this crossmem has {LAYOUT_VERSION}; use one version"
                ),
            ));
        }
        if words.domain_id.load(Ordering::Relaxed) != agent.seat().domain().id() {
            return Err(made_elsewhere("the array", words.domain_id.load(Ordering::Relaxed)));
        }
        Ok(Some(ArrayGuard { words, region }))
    }

    /// Begins an update; waits for another writer as `wait` says. `owner_died`: a writer died
    /// inside, and the data may be half-changed.
    pub fn enter(&self, agent: &Agent, wait: Wait) -> Looked<Locked> {
        if let Err(refused) = self.lock(agent.seat(), wait) {
            return Looked::refused(refused, self.region, &self.words.writer.sleepers);
        }
        fail::point("update.locked");
        let sequence = self.words.sequence.load(Ordering::Relaxed);
        let torn = sequence % 2 == 1;
        if !torn && !seeded(Fault::UpdateStaysEven) {
            // Release: a reader that sees the odd sequence also sees this agent as the mutex's
            // owner (`writer_is_dead`).
            self.words.sequence.store(sequence.wrapping_add(1), Ordering::Release);
        }
        // The odd sequence is visible before any change: pairs with the Acquire fence in `copy_to`.
        fence(Ordering::Release);
        fail::point("update.entered");
        Looked::Got(Locked { owner_died: torn && !seeded(Fault::TornUpdateUntold) })
    }

    /// An agent that is armed to begin an update stops waiting.
    pub fn give_up_entering(&self, agent: &Agent) {
        self.words.writer.give_up(agent.seat());
    }

    /// Ends the update and declares the data whole.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP` if the caller isn't inside an update.
    pub fn leave(&self, agent: &Agent) -> Result<()> {
        if self.words.writer.holder() != Some(agent.seat().me()) && !seeded(Fault::AnyoneEndsUpdate) {
            return Err(not_inside());
        }
        if seeded(Fault::UnlockBeforeEven) {
            self.words.writer.unlock(agent.seat());
            fail::point("update.left");
        }
        let sequence = self.words.sequence.load(Ordering::Relaxed);
        // Release: pairs with the first load in `copy_to`. An odd sequence becomes the next even
        // one.
        self.words.sequence.store((sequence | 1).wrapping_add(1), Ordering::Release);
        fail::point("update.left");
        self.words.writer.unlock(agent.seat());
        Ok(())
    }

    /// Ends an update that did not repair what a dead writer left: the next writer gets
    /// `owner_died` again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP` if the caller isn't inside an update.
    pub fn give_up(&self, agent: &Agent) -> Result<()> {
        if self.words.writer.unlock(agent.seat()) { Ok(()) } else { Err(not_inside()) }
    }

    /// Copies the bytes from `offset` on, as they were at one instant. `false` if writers were
    /// inside for all of `timeout`.
    ///
    /// # Errors
    /// `ERR_PEER_DIED` if a writer died inside, `ERR_DEADLOCK` inside the caller's own update.
    pub fn copy_to(&self, agent: &Agent, offset: u64, to: &mut [u8], timeout: Duration) -> Result<bool> {
        for _ in 0..TRIES {
            let before = self.words.sequence.load(Ordering::Acquire);
            if before % 2 == 1 {
                if self.writer_is_dead(agent.seat(), before) {
                    return Err(half_changed());
                }
                break;
            }
            fail::point("snapshot.looked");
            self.region.copy_to(offset, to)?;
            // The copy comes before the second load: pairs with the Release fence in `enter`.
            fence(Ordering::Acquire);
            if self.words.sequence.load(Ordering::Relaxed) == before || seeded(Fault::SequenceLookedAtOnce) {
                return Ok(true);
            }
        }
        self.copy_between_updates(agent, offset, to, timeout)
    }

    /// If writers leave no gap, a reader takes their mutex.
    fn copy_between_updates(
        &self,
        agent: &Agent,
        offset: u64,
        to: &mut [u8],
        timeout: Duration,
    ) -> Result<bool> {
        match self.lock(agent.seat(), Wait::For(timeout)) {
            Ok(()) => {}
            Err(Refused::NotYet) => return Ok(false),
            Err(Refused::Mine) => return Err(inside()),
        }
        let torn = self.words.sequence.load(Ordering::Relaxed) % 2 == 1 && !seeded(Fault::TornSnapshot);
        let copied = if torn { Err(half_changed()) } else { self.region.copy_to(offset, to).map(|()| true) };
        self.words.writer.unlock(agent.seat());
        copied
    }

    /// Takes the writers' mutex.
    fn lock(&self, peers: &Seat, wait: Wait) -> std::result::Result<(), Refused> {
        self.words.writer.lock(peers, wait)?;
        // The sequence says whether the data is half-changed, so a dead owner of the mutex doesn't
        // matter.
        self.words.writer.mark_consistent();
        Ok(())
    }

    /// If the sequence is odd and no living agent holds the mutex, its last owner died inside.
    fn writer_is_dead(&self, peers: &Seat, odd: u64) -> bool {
        let dead = self.words.writer.holder().is_none_or(|owner| peers.is_dead(owner));
        dead && self.words.sequence.load(Ordering::Acquire) == odd && !seeded(Fault::TornSnapshot)
    }
}

fn half_changed() -> Error {
    Error::new(
        Code::PeerDied,
        "a process died while it was updating this array, so the data may be half-changed: read it through .data, or \
         repair it in the next update()",
    )
}

fn inside() -> Error {
    Error::new(
        Code::Deadlock,
        "this thread is already updating this array: take the snapshot before or after, or read .data",
    )
}

fn not_inside() -> Error {
    Error::new(Code::LostOwnership, "this thread is not updating this array")
}
