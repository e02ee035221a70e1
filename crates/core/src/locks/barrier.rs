//! A meeting point for a number of parties. It breaks for all of them when one dies or gives up, or
//! when an agent breaks it.
//!
//! Everything changes under a mutex that is held inside one call only. `generation` counts the
//! meetings that have ended, and one store to it ends a meeting; `outcomes` is written before. The
//! next agent that takes the mutex finishes the work of one that died:
//!
//! | died | seen by the next | repair |
//! | --- | --- | --- |
//! | before `generation` grows | the meeting goes on; or `broken` is set, waiters are told | none |
//! | after it | `arriving` ≠ `generation` | the table is cleared, then `arriving` follows |
//! | as the leader, in the action | `leader` is dead | the meeting is broken off |

use std::time::Duration;

use super::mutex::Refused;
use super::short::{ATTEMPT_TIMEOUT, DEFERRABLE_TIMEOUT};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{BarrierWords, Owner};
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::fence;
use crate::wait::{Attempt, Peers, Wait};

/// The caller's part in a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The caller waits for the end of the meeting.
    Waiting {
        /// The number of the meeting.
        generation: u64,
        /// How many parties came before.
        index: u32,
    },
    /// The caller came last, and has to end the meeting.
    Leading {
        /// The number of the meeting.
        generation: u64,
        /// How many parties came before.
        index: u32,
    },
    /// The barrier is broken.
    Broken,
}

/// How a meeting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Met,
    Broken,
}

struct Inside<'a, P: Peers> {
    words: &'a BarrierWords,
    peers: &'a P,
}

impl BarrierWords {
    /// Arrives. `None`: the action of the meeting before still runs. Then an armed caller is among
    /// the sleepers.
    pub(crate) fn arrive(&self, peers: &impl Peers, parties: u32, wait: Wait) -> Option<Arrived> {
        self.sleepers.wait_in_tree(
            peers,
            wait,
            |_| true,
            |_| {
                let inside = self.enter(peers, ATTEMPT_TIMEOUT)?;
                // In every attempt, not only before sleeping: dead agents must not count as
                // parties.
                if !seeded(Fault::DeadCountedAsParties) {
                    inside.break_off_if_a_party_died();
                }
                if self.broken.load(Relaxed) != 0 {
                    return Some(Arrived::Broken);
                }
                (self.leader.load(Relaxed) == 0).then(|| inside.arrive(parties))
            },
        )
    }

    /// Waits for the end of the meeting. `None`: it goes on.
    pub(crate) fn wait(&self, peers: &impl Peers, generation: u64, wait: Wait) -> Option<Outcome> {
        self.sleepers.wait_in_tree(
            peers,
            wait,
            |_| true,
            |attempt| {
                self.outcome(generation).or_else(|| {
                    if attempt != Attempt::Newcomer {
                        self.enter(peers, ATTEMPT_TIMEOUT)?.break_off_if_a_party_died();
                    }
                    self.outcome(generation)
                })
            },
        )
    }

    fn outcome(&self, generation: u64) -> Option<Outcome> {
        loop {
            // Acquire: pairs with the Release in `end`.
            let now = self.generation.load(Acquire);
            if now == generation {
                return (self.broken.load(Acquire) != 0).then_some(Outcome::Broken);
            }
            let outcomes = self.outcomes.load(Acquire);
            let last_broken = self.last_broken.load(Acquire);
            // The bit belongs to a later meeting by now, or may in a moment. Then `last_broken`
            // tells only whether a meeting broke off since.
            let is_old = now.wrapping_sub(generation) >= 63;
            let broken =
                if is_old { last_broken > generation } else { outcomes >> (generation % 64) & 1 == 1 };
            if self.generation.load(Relaxed) == now {
                return Some(if broken { Outcome::Broken } else { Outcome::Met });
            }
        }
    }

    /// Ends the meeting after the leader's action. `Broken`: it was broken off meanwhile.
    pub(crate) fn complete(
        &self,
        peers: &impl Peers,
        generation: u64,
        patience: Duration,
    ) -> Result<Outcome, Refused> {
        let inside = self.enter(peers, patience).ok_or(Refused::NotYet)?;
        let leads = self.generation.load(Relaxed) == generation
            && (Owner::of(self.leader.load(Relaxed)) == Some(peers.me()) || seeded(Fault::AnyoneLeads));
        if leads {
            inside.end(Outcome::Met);
        }
        Ok(if leads { Outcome::Met } else { Outcome::Broken })
    }

    /// Breaks the barrier; with `only`, if that meeting still goes on. Returns how the meeting
    /// ended.
    pub(crate) fn abort(&self, peers: &impl Peers, only: Option<u64>) -> Outcome {
        let inside = self.enter(peers, DEFERRABLE_TIMEOUT);
        let ended = only.filter(|_| !seeded(Fault::LateAbortBreaks));
        if let Some(outcome) = ended.and_then(|generation| self.outcome(generation)) {
            return outcome;
        }
        if let Some(inside) = inside {
            inside.break_off();
        } else {
            // An agent is stopped inside. The barrier is broken, and the next agent that gets in
            // ends the meeting.
            self.broken.store(1, Release);
            self.sleepers.notify_in_tree(peers, |_| true);
        }
        Outcome::Broken
    }

    /// Makes the barrier as new. For agents that wait now it is broken.
    pub(crate) fn reset(&self, peers: &impl Peers, patience: Duration) -> Result<(), Refused> {
        let inside = self.enter(peers, patience).ok_or(Refused::NotYet)?;
        inside.end(Outcome::Broken);
        if !seeded(Fault::ResetStaysBroken) {
            self.broken.store(0, Relaxed);
        }
        Ok(())
    }

    /// How many parties wait in a meeting that can still be met.
    pub(crate) fn waiting(&self, peers: &impl Peers) -> u32 {
        self.standing(peers).unwrap_or(0)
    }

    /// Whether the barrier is broken, or the next agent that gets in breaks it because a party of
    /// the meeting has died.
    pub(crate) fn is_broken(&self, peers: &impl Peers) -> bool {
        self.standing(peers).is_none()
    }

    /// How many parties wait; `None` if the barrier is broken. Takes no mutex and changes nothing:
    /// a party that died breaks the barrier here as it does in `arrive` and `wait`.
    fn standing(&self, peers: &impl Peers) -> Option<u32> {
        loop {
            let generation = self.generation.load(Acquire);
            // Otherwise the table is that of a meeting that has ended.
            let is_open = self.arriving.load(Acquire) == generation;
            let waiting = if is_open { self.arrivals() } else { 0 };
            let is_broken = self.broken.load(Acquire) != 0
                || is_open && !seeded(Fault::DeadPartyUnseen) && self.has_lost_a_party(peers);
            fence(Acquire);
            if self.generation.load(Relaxed) == generation {
                return (!is_broken).then_some(waiting);
            }
        }
    }

    fn arrivals(&self) -> u32 {
        self.arrived.shares().fold(0, |waiting, (_, word)| waiting.saturating_add(word as u32))
    }

    /// Whether a party of the meeting, or the leader in its action, is dead.
    fn has_lost_a_party(&self, peers: &impl Peers) -> bool {
        let leader = Owner::of(self.leader.load(Relaxed));
        leader.is_some_and(|owner| peers.is_dead(owner)) || self.arrived.dead_shares(peers).next().is_some()
    }

    fn enter<'a, P: Peers>(&'a self, peers: &'a P, patience: Duration) -> Option<Inside<'a, P>> {
        self.mutex.lock(peers, Wait::For(patience)).ok()?;
        let inside = Inside { words: self, peers };
        fail::point("barrier.locked");
        inside.follow();
        // Broken by an agent that died before it could end the meeting.
        if self.broken.load(Relaxed) != 0 && (self.leader.load(Relaxed) != 0 || self.arrivals() > 0) {
            inside.end(Outcome::Broken);
        }
        self.mutex.mark_consistent();
        Some(inside)
    }
}

impl<P: Peers> Inside<'_, P> {
    fn arrive(&self, parties: u32) -> Arrived {
        let words = self.words;
        let generation = words.generation.load(Relaxed);
        let index = words.arrivals();
        words.arrived.set_my_count(self.peers, words.arrived.my_count(self.peers).saturating_add(1), Relaxed);
        fail::point("barrier.arrived");
        if index.saturating_add(1) < parties {
            return Arrived::Waiting { generation, index };
        }
        words.leader.store(self.peers.me().word(), Relaxed);
        fail::point("barrier.leading");
        Arrived::Leading { generation, index }
    }

    fn break_off_if_a_party_died(&self) {
        if !seeded(Fault::DeadMembersWaitedFor) && self.words.has_lost_a_party(self.peers) {
            self.break_off();
        }
    }

    fn break_off(&self) {
        self.words.broken.store(1, Release);
        fail::point("barrier.broken");
        self.end(Outcome::Broken);
    }

    /// Ends the meeting for all its parties.
    fn end(&self, outcome: Outcome) {
        let words = self.words;
        let generation = words.generation.load(Relaxed);
        if seeded(Fault::EndBeforeOutcome) {
            words.generation.store(generation.wrapping_add(1), Release);
            fail::point("barrier.ended");
        }
        let bit = 1 << (generation % 64);
        let outcomes = words.outcomes.load(Relaxed) & !bit;
        words.outcomes.store(outcomes | if outcome == Outcome::Broken { bit } else { 0 }, Relaxed);
        if outcome == Outcome::Broken {
            words.last_broken.store(generation.wrapping_add(1), Relaxed);
        }
        fail::point("barrier.outcome");
        // Release: pairs with the Acquire in `outcome`.
        words.generation.store(generation.wrapping_add(1), Release);
        fail::point("barrier.ended");
        self.follow();
        if !seeded(Fault::EndOfMeetingWakesNobody) {
            words.sleepers.notify_in_tree(self.peers, |_| true);
        }
    }

    /// Clears the table of a meeting that has ended.
    fn follow(&self) {
        let words = self.words;
        let generation = words.generation.load(Relaxed);
        if words.arriving.load(Relaxed) == generation {
            return;
        }
        words.leader.store(0, Relaxed);
        for (slot, _) in words.arrived.shares().filter(|_| !seeded(Fault::LastMeetingCounted)) {
            words.arrived.0[slot].store(0, Relaxed);
        }
        fail::point("barrier.cleared");
        // The table is empty before any agent takes it for that of the next meeting.
        fence(Release);
        words.arriving.store(generation, Relaxed);
    }
}

impl<P: Peers> Drop for Inside<'_, P> {
    fn drop(&mut self) {
        self.words.mutex.unlock(self.peers);
    }
}
