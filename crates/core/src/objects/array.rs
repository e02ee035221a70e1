//! An ndarray's guard: one writer at a time, and readers who know whether what they copied is whole.
//!
//! A sequence lock (Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012) whose
//! writers exclude each other by a robust mutex.
//!
//! | the writer died | sequence | mutex | a reader | the next writer |
//! | --- | --- | --- | --- | --- |
//! | before its first change | even | of the dead | copies: the data is whole | takes over; nothing to repair |
//! | inside | odd | of the dead | `ERR_PEER_DIED` | takes over, is told, and makes it even when done |
//! | after its last change | even | of the dead | copies | takes over; nothing to repair |

use std::time::Duration;

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

/// Copies that a busy writer spoils before a reader asks it to wait.
const TRIES: u32 = 8;

/// The guard of an open ndarray.
#[derive(Clone, Copy)]
pub struct Guard<'m> {
    words: &'m GuardWords,
    region: Region<'m>,
}

impl<'m> Guard<'m> {
    /// The guard at `offset`; `None` where there is none, as behind an array that another program made.
    ///
    /// # Errors
    /// `ERR_WRONG_DOMAIN` when the array was made in another domain, `ERR_CORRUPT` when its layout is not ours.
    pub fn find(agent: &Agent, region: Region<'m>, offset: u64) -> Result<Option<Guard<'m>>> {
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
            return Err(Error::new(
                Code::WrongDomain,
                "the array was made in another domain, whose processes can't be seen from here; set CROSSMEM_DOMAIN \
                 to that domain",
            ));
        }
        Ok(Some(Guard { words, region }))
    }

    /// Begins an update, waiting for another writer as `wait` says. `owner_died`: a writer died inside, and the data may
    /// be half-changed.
    pub fn enter(&self, agent: &Agent, wait: Wait) -> Looked<Locked> {
        if let Err(refused) = self.lock(agent.seat(), wait) {
            return Looked::refused(refused, self.region, &self.words.writer.sleepers);
        }
        fail::point("update.locked");
        let sequence = self.words.sequence.load(Ordering::Relaxed);
        let torn = sequence % 2 == 1;
        if !torn && !seeded(Fault::UpdateStaysEven) {
            // Release: who sees it odd sees us as the owner, and doesn't take us for dead (`writer_is_dead`).
            self.words.sequence.store(sequence.wrapping_add(1), Ordering::Release);
        }
        // The odd sequence before any change: pairs with the Acquire fence in `copy_to`.
        fence(Ordering::Release);
        fail::point("update.entered");
        Looked::Got(Locked { owner_died: torn && !seeded(Fault::TornUpdateUntold) })
    }

    /// Who armed itself to begin an update stops waiting.
    pub fn give_up_entering(&self, agent: &Agent) {
        self.words.writer.give_up(agent.seat());
    }

    /// Ends the update: the data is whole.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP` when the caller isn't inside an update.
    pub fn leave(&self, agent: &Agent) -> Result<()> {
        if self.words.writer.holder() != Some(agent.seat().me()) && !seeded(Fault::AnyoneEndsUpdate) {
            return Err(not_inside());
        }
        if seeded(Fault::UnlockBeforeEven) {
            self.words.writer.unlock(agent.seat());
            fail::point("update.left");
        }
        let sequence = self.words.sequence.load(Ordering::Relaxed);
        // Release: pairs with the first load in `copy_to`. An odd word becomes the next even one.
        self.words.sequence.store((sequence | 1).wrapping_add(1), Ordering::Release);
        fail::point("update.left");
        self.words.writer.unlock(agent.seat());
        Ok(())
    }

    /// Ends an update that did not repair what a dead writer left: the next one is told again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP` when the caller isn't inside an update.
    pub fn give_up(&self, agent: &Agent) -> Result<()> {
        if self.words.writer.unlock(agent.seat()) { Ok(()) } else { Err(not_inside()) }
    }

    /// Copies the bytes from `offset` on as they were at one instant; `false` when a writer was inside for all of
    /// `timeout`.
    ///
    /// # Errors
    /// `ERR_PEER_DIED` when a writer died inside, `ERR_DEADLOCK` inside the caller's own update.
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
            // The copy before the second look: pairs with the Release fence in `enter`.
            fence(Ordering::Acquire);
            if self.words.sequence.load(Ordering::Relaxed) == before || seeded(Fault::SequenceLookedAtOnce) {
                return Ok(true);
            }
        }
        self.copy_between_updates(agent, offset, to, timeout)
    }

    /// Where writers leave no gap, a reader takes its turn as they do.
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
        // Whether anything is half-changed is told by the sequence, whoever died holding the mutex.
        self.words.writer.mark_consistent();
        Ok(())
    }

    /// With the sequence odd, a mutex that no living agent holds means that its last owner died inside.
    fn writer_is_dead(&self, peers: &Seat, odd: u64) -> bool {
        let dead = self.words.writer.holder().is_none_or(|owner| peers.is_dead(owner));
        dead && self.words.sequence.load(Ordering::Acquire) == odd && !seeded(Fault::TornSnapshot)
    }
}

fn half_changed() -> Error {
    Error::new(
        Code::PeerDied,
        "a process died while it was updating this array: what it left may be half-changed. It is readable through \
         .data; the next update() repairs it",
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
