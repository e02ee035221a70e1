//! Reaping: the messages and chunks of dead participants are put back, freed or counted as
//! failures.

use std::time::{Duration, Instant};

use super::inside::{Mapped, Queue};
use super::member::Member;
use crate::error::Result;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::Kind;
use crate::locks::ATTEMPT_TIMEOUT;
use crate::queues::{Reaped, Terms};
use crate::wait::{Attempt, Wait};

/// The least time between two checks of a participant for dead ones.
const REAP_EVERY: Duration = Duration::from_millis(50);

impl Queue<'_> {
    /// Called after an attempt without success: checks for dead participants, except in the first
    /// attempt of a wait. Returns whether that changed anything.
    pub(super) fn reaps(&self, member: &mut Member, attempt: Attempt) -> Result<bool> {
        if attempt == Attempt::Newcomer { Ok(false) } else { self.reap_if_due(member) }
    }

    /// Checks for dead participants in every 16th call. Where puts and gets always succeed, no
    /// other check would return their chunks.
    pub(super) fn reap_now_and_then(&self, member: &mut Member) -> Result<()> {
        /// To read the clock takes a fifth of the time of a call.
        const CALLS: u32 = 16;
        member.calls = member.calls.wrapping_add(1);
        if member.calls.is_multiple_of(CALLS) && !seeded(Fault::BusyQueuesForgetTheDead) {
            self.reap_if_due(member)?;
        }
        Ok(())
    }

    /// Called before messages are counted: an agent that only looks counts none of a dead
    /// participant.
    pub(super) fn reap_to_count(&self, member: &mut Member) -> Result<()> {
        if !seeded(Fault::CountedBeforeReaped) {
            self.reap_if_due(member)?;
        }
        Ok(())
    }

    fn reap_if_due(&self, member: &mut Member) -> Result<bool> {
        if member.reaped_at.is_some_and(|at| at.elapsed() < REAP_EVERY) {
            return Ok(false);
        }
        member.reaped_at = Some(Instant::now());
        let reaped = self.reap()?;
        // A participant that died may have kept memory of the arena.
        self.give_back_if_idle(member, reaped.is_some());
        Ok(reaped.is_some_and(|reaped| reaped != Reaped::default()))
    }

    /// `None`: no participant has died.
    pub(super) fn reap(&self) -> Result<Option<Reaped>> {
        let Queue { object, mpmc } = self;
        if mpmc.dead(object.peers()).next().is_none() {
            return Ok(None);
        }
        let reaped = self.while_reaping(|| {
            mpmc.dead(object.peers()).try_fold(Reaped::default(), |all, dead| {
                let reaped = self.reap_one(dead)?;
                Ok(Reaped { freed: all.freed + reaped.freed, queued: all.queued + reaped.queued })
            })
        })?;
        Ok(Some(reaped))
    }

    /// Acts under the reapers' mutex. If another agent reaps, nothing is done: the caller tries
    /// again later.
    pub(super) fn while_reaping(&self, act: impl FnOnce() -> Result<Reaped>) -> Result<Reaped> {
        let (mutex, peers) = (&self.mpmc.words.reaper, self.object.peers());
        if mutex.lock(peers, Wait::For(ATTEMPT_TIMEOUT)).is_err() {
            return Ok(Reaped::default());
        }
        fail::point("reap.locked");
        // A reap that a dead reaper left half done is simply done again.
        mutex.mark_consistent();
        let reaped = act();
        mutex.unlock(peers);
        reaped.inspect(|reaped| self.notify_reaped(*reaped))
    }

    fn notify_reaped(&self, reaped: Reaped) {
        if reaped.queued > 0 && !seeded(Fault::RequeuedRingsNobody) {
            self.notify_queued(reaped.queued as usize);
        }
        if reaped.freed > 0 && !seeded(Fault::ReapedRingsNobody) {
            self.notify_freed(reaped.freed as usize);
        }
    }

    pub(super) fn reap_one(&self, dead: u16) -> Result<Reaped> {
        let Queue { object, mpmc } = self;
        let Mapped { geometry, .. } = mpmc.chunks;
        let count_failures = object.kind() == Kind::JoinableQueue && !geometry.redeliver;
        let terms = Terms { redeliver: geometry.redeliver, count_failures };
        let forget = |index| {
            if !seeded(Fault::ReaperKeepsSpilled) {
                self.punch(&geometry, index, 0);
            }
            fail::point("reap.punched");
        };
        self.sound(mpmc.reap(dead, terms, forget))
    }
}
