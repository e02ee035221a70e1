//! Many readers or one writer: a mutex as the gate, and a table of the readers inside.
//!
//! A reader holds the gate to enter, and leaves without it. A writer takes the gate, waits until
//! the readers inside have left, and keeps the gate while it writes. So writers don't starve.
//! Readers don't either, since the gate is fair.
//!
//! | died | the gate | the next agent |
//! | --- | --- | --- |
//! | a reader at the gate, a writer that waits for readers | held | takes it, reports nothing |
//! | a reader inside | unaffected | a writer clears the dead reader's entry |
//! | a writer inside, `writing` = 1 | held | sets `torn`, then clears `writing` |
//!
//! Each agent that enters while `torn` is set is told, until a writer marks the data consistent.

use super::mutex::{Acquired, Refused};
use super::short::ATTEMPT_TIMEOUT;
use super::table::Share;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{Owner, RwLockWords, SlotSet};
use crate::sync::{Ordering, fence};
use crate::wait::{Attempt, Peers, Sleepers, Wait};

/// Why the lock is not available, and the set in which an armed caller sleeps.
pub(crate) struct Busy<'a> {
    pub reason: Refused,
    pub sleepers: &'a SlotSet,
}

impl RwLockWords {
    /// Enters as a reader. An agent may be inside as a reader more than once.
    pub(crate) fn read(&self, peers: &impl Peers, wait: Wait) -> Result<Acquired, Busy<'_>> {
        if seeded(Fault::ReaderSkipsGate) {
            self.count_me(peers);
            return Ok(Acquired::Clean);
        }
        self.pass_gate(peers, self.reader_wait(wait))?;
        fail::point("rwlock.read.gate");
        self.count_me(peers);
        fail::point("rwlock.read.counted");
        let state = self.state();
        self.gate.unlock(peers);
        Ok(state)
    }

    /// With `Try`, a reader waits a moment while another reader passes the gate, rather than being
    /// refused.
    fn reader_wait(&self, wait: Wait) -> Wait {
        let writer_waits = || self.draining.iter().next().is_some();
        if wait == Wait::Try && self.writing.load(Ordering::Relaxed) == 0 && !writer_waits() {
            Wait::For(ATTEMPT_TIMEOUT)
        } else {
            wait
        }
    }

    fn count_me(&self, peers: &impl Peers) {
        let count = self.readers.my_count(peers);
        self.readers.set_my_count(peers, count.saturating_add(1), Ordering::Relaxed);
    }

    /// Leaves as a reader. `false`: the caller isn't one.
    pub(crate) fn end_read(&self, peers: &impl Peers) -> bool {
        let count = self.readers.my_count(peers);
        if count == 0 {
            return false;
        }
        // Release: reads under the lock come before a writer's changes; pairs with the Acquire in
        // `Table::shares`.
        let order = if seeded(Fault::RelaxedReaderExit) { Ordering::Relaxed } else { Ordering::Release };
        self.readers.set_my_count(peers, count - 1, order);
        fail::point("rwlock.read.left");
        if count == 1 && !seeded(Fault::ReaderLeavesSilently) {
            self.draining.notify_one(peers);
        }
        true
    }

    /// Enters as the writer. After `NotYet`, the caller calls again or gives up, unless it passed
    /// `Try`.
    pub(crate) fn write(&self, peers: &impl Peers, wait: Wait) -> Result<Acquired, Busy<'_>> {
        // An armed caller that has the gate goes on waiting for the readers to leave.
        let is_draining = self.gate.holder() == Some(peers.me()) && self.writing.load(Ordering::Relaxed) == 0;
        if !is_draining {
            self.pass_gate(peers, wait)?;
            fail::point("rwlock.write.gate");
        }
        let drained = self.draining.wait(peers, wait, |attempt| self.drained(peers, attempt));
        match drained {
            Some(true) => {}
            blocked => {
                let mine = blocked == Some(false);
                // A writer that goes on waiting keeps the gate, or readers would enter between two
                // slices of its wait.
                let gives_way = seeded(Fault::WaitingWriterOpensGate);
                if mine || wait == Wait::Try && !is_draining || gives_way {
                    self.give_up_write(peers);
                }
                let reason = if mine { Refused::Mine } else { Refused::NotYet };
                return Err(Busy { reason, sleepers: &self.draining });
            }
        }
        self.writing.store(1, Ordering::Relaxed);
        fail::point("rwlock.write.entered");
        Ok(self.state())
    }

    /// `true`: no reader is left. `false`: only the caller itself is left, so it would wait for
    /// itself.
    fn drained(&self, peers: &impl Peers, attempt: Attempt) -> Option<bool> {
        if seeded(Fault::WriterSkipsReaders) {
            return Some(true);
        }
        if attempt != Attempt::Newcomer && !seeded(Fault::WaitForDeadReaders) {
            self.readers.clear_dead(peers);
        }
        let me = peers.me();
        let owners = self.readers.shares().map(|(slot, word)| Share::of(word).owner(slot));
        // An entry in the caller's slot that isn't the caller's was its dead predecessor's.
        let is_mine =
            |owner: &Owner| *owner == me || seeded(Fault::PredecessorReads) && owner.slot == me.slot;
        let mut readers = owners.filter(|owner| owner.slot != me.slot || is_mine(owner));
        match readers.next() {
            None => Some(true),
            Some(owner) if is_mine(&owner) && readers.next().is_none() => Some(false),
            Some(_) => None,
        }
    }

    /// Leaves as the writer. `false`: the caller isn't the writer.
    pub(crate) fn end_write(&self, peers: &impl Peers, abandon: bool) -> bool {
        if !self.is_writer(peers) {
            return false;
        }
        if abandon {
            self.torn.store(1, Ordering::Relaxed);
            // `torn` before `writing`: otherwise a death right here would hide that the data is
            // half-changed.
            fence(Ordering::Release);
        }
        self.writing.store(0, Ordering::Relaxed);
        fail::point("rwlock.write.left");
        self.gate.unlock(peers)
    }

    pub(crate) fn is_writer(&self, peers: &impl Peers) -> bool {
        let holds = self.gate.holder() == Some(peers.me()) || seeded(Fault::AnyoneEndsWrite);
        holds && self.writing.load(Ordering::Relaxed) == 1
    }

    /// The writer declares the guarded data whole again. `false`: the caller isn't the writer.
    pub(crate) fn mark_consistent(&self, peers: &impl Peers) -> bool {
        let is_writer = self.is_writer(peers);
        if is_writer && !seeded(Fault::RepairUntold) {
            self.torn.store(0, Ordering::Relaxed);
        }
        is_writer
    }

    /// The caller stops waiting to write.
    pub(crate) fn give_up_write(&self, peers: &impl Peers) {
        if self.gate.holder() == Some(peers.me()) && self.writing.load(Ordering::Relaxed) == 0 {
            self.draining.remove(usize::from(peers.me().slot));
            if !seeded(Fault::GateStaysShut) {
                self.gate.unlock(peers);
            }
        } else {
            self.gate.give_up(peers);
        }
    }

    fn pass_gate(&self, peers: &impl Peers, wait: Wait) -> Result<(), Busy<'_>> {
        let passed = self.gate.lock(peers, wait);
        let acquired = passed.map_err(|reason| Busy { reason, sleepers: &self.gate.sleepers })?;
        if acquired == Acquired::OwnerDied {
            if self.writing.load(Ordering::Relaxed) != 0 && !seeded(Fault::TornWriteUntold) {
                if seeded(Fault::WritingClearedFirst) {
                    self.writing.store(0, Ordering::Relaxed);
                    fail::point("rwlock.torn");
                }
                self.torn.store(1, Ordering::Relaxed);
                // `torn` before `writing` is cleared: otherwise a death right here would hide the
                // first death.
                fence(Ordering::Release);
                fail::point("rwlock.torn");
                self.writing.store(0, Ordering::Relaxed);
            }
            fail::point("rwlock.repaired");
            self.gate.mark_consistent();
        }
        Ok(())
    }

    fn state(&self) -> Acquired {
        if self.torn.load(Ordering::Relaxed) == 0 { Acquired::Clean } else { Acquired::OwnerDied }
    }
}
