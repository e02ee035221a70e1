//! Waiting for a change under a mutex, until an agent that made one notifies the waiter.
//!
//! Each agent has one entry `{ instance: 32 | waiting: 16 | notified: 16 }`. Every change is one
//! CAS on it, so there is nothing to repair. A notification stays in the entry until its waiter has
//! the mutex again (`settle`). If the waiter dies before that, or gives up, the notification is
//! passed on: first given to another waiter, then taken from the entry. If a process dies between
//! these two steps, one waiter too many is woken, never one too few.

use super::table::Share;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{ConditionWords, TABLE};
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed};
use crate::wait::{Attempt, Peers, Wait};

#[derive(Clone, Copy)]
struct Waiters {
    instance: u32,
    waiting: u16,
    notified: u16,
}

impl Waiters {
    fn of(word: u64) -> Waiters {
        Waiters { instance: (word >> 32) as u32, waiting: (word >> 16) as u16, notified: word as u16 }
    }

    fn word(self) -> u64 {
        u64::from(self.instance) << 32 | u64::from(self.waiting) << 16 | u64::from(self.notified)
    }
}

impl ConditionWords {
    /// Adds a waiter of the caller. To be called before the mutex is released. `false`: the caller
    /// has 65,535 already.
    pub(crate) fn enter(&self, peers: &impl Peers) -> bool {
        let slot = slot_of(peers);
        // Once more if an agent notified the caller's dead predecessor meanwhile.
        while let Some((_, word)) = self.waiters.dead_shares(peers).find(|(at, _)| *at == slot) {
            self.pass_on(peers, slot, word);
        }
        let entered = self.change_mine(peers, |mine| {
            (mine.waiting < u16::MAX).then(|| Waiters { waiting: mine.waiting + 1, ..mine })
        });
        fail::point("condition.entered");
        entered
    }

    /// Waits for one more notification than the `heard` ones that waiters of the caller have
    /// received and not settled yet.
    pub(crate) fn wait(&self, peers: &impl Peers, heard: u32, wait: Wait) -> bool {
        let told = || (u32::from(self.mine(peers).notified) > heard).then_some(());
        let notified = self.sleepers.wait_in_tree(
            peers,
            wait,
            |slot| self.is_notified(slot),
            |attempt| {
                if told().is_some() {
                    return told();
                }
                if attempt != Attempt::Newcomer {
                    for (slot, word) in self.waiters.dead_shares(peers) {
                        self.pass_on(peers, slot, word);
                    }
                }
                told()
            },
        );
        notified.is_some()
    }

    /// A notified waiter has the mutex again: its wait is over.
    pub(crate) fn settle(&self, peers: &impl Peers) {
        self.change_mine(peers, |mine| {
            (mine.notified > 0 && mine.waiting > 0 && !seeded(Fault::HeardForEver)).then(|| Waiters {
                waiting: mine.waiting - 1,
                notified: mine.notified - 1,
                ..mine
            })
        });
        fail::point("condition.settled");
    }

    /// A waiter of the caller gives up without having received a notification. If one came for it,
    /// that is passed on.
    pub(crate) fn leave(&self, peers: &impl Peers, heard: u32) {
        let mine = self.mine(peers);
        let is_told = mine.notified >= mine.waiting && u32::from(mine.notified) > heard;
        if is_told && !seeded(Fault::NotificationKept) {
            self.notify(peers, 1);
            fail::point("condition.given");
            return self.settle(peers);
        }
        let left = self.change_mine(peers, |mine| {
            (mine.waiting > mine.notified).then(|| Waiters { waiting: mine.waiting - 1, ..mine })
        });
        if !left && mine.waiting > mine.notified && !seeded(Fault::NotificationKept) {
            // Notified since `mine` was loaded.
            self.leave(peers, heard);
        }
    }

    fn mine(&self, peers: &impl Peers) -> Waiters {
        let there = Waiters::of(self.waiters.mine(peers).load(Acquire));
        let instance = peers.me().instance;
        if there.instance == instance { there } else { Waiters { instance, waiting: 0, notified: 0 } }
    }

    /// Notifies at most `most` waiters, agent by agent from the slot after the caller's on. Returns
    /// how many it notified.
    pub(crate) fn notify(&self, peers: &impl Peers, most: u32) -> u32 {
        let mut left = most;
        for turn in 1..=TABLE {
            let slot = (slot_of(peers) + turn) % TABLE;
            if left == 0 {
                break;
            }
            left -= self.notify_agent(peers, slot, left);
        }
        // Only now: each agent that wakes up wakes others that are notified by then. A ring takes
        // the agent out of the set, so that its reactor knows which wait the ring is for.
        if left < most && !seeded(Fault::NotifyRingsNobody) {
            self.sleepers.notify_in_tree(peers, |slot| self.is_notified(slot));
        }
        most - left
    }

    /// Whether a waiter of the agent in that slot was notified.
    fn is_notified(&self, slot: usize) -> bool {
        Waiters::of(self.waiters.0[slot % TABLE].load(Acquire)).notified > 0
    }

    fn notify_agent(&self, peers: &impl Peers, slot: usize, most: u32) -> u32 {
        let entry = &self.waiters.0[slot];
        let mut word = entry.load(Acquire);
        loop {
            let there = Waiters::of(word);
            let idle = u32::from(there.waiting.saturating_sub(there.notified));
            let now = idle.min(most);
            let owner = Share::of(word).owner(slot);
            // Only an agent that waits is worth a question to the kernel.
            let is_dead = || owner != peers.me() && peers.is_dead(owner) && !seeded(Fault::DeadNotified);
            if now == 0 || is_dead() {
                return 0;
            }
            let told = Waiters { notified: there.notified + now as u16, ..there };
            match entry.compare_exchange(word, told.word(), AcqRel, Acquire) {
                Ok(_) => {
                    fail::point("condition.notified");
                    return now;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Gives the notifications that a dead agent didn't receive to other waiters.
    fn pass_on(&self, peers: &impl Peers, slot: usize, word: u64) {
        let lost = u32::from(Waiters::of(word).notified);
        if lost > 0 && !seeded(Fault::NotificationDies) {
            self.notify(peers, lost);
            fail::point("condition.passed-on");
        }
        // A failed CAS: another agent did the same.
        let _ = self.waiters.0[slot].compare_exchange(word, 0, AcqRel, Relaxed);
    }

    fn change_mine(&self, peers: &impl Peers, change: impl FnMut(Waiters) -> Option<Waiters>) -> bool {
        let mut change = change;
        let instance = peers.me().instance;
        let entry = self.waiters.mine(peers);
        entry
            .fetch_update(AcqRel, Acquire, |word| {
                let there = Waiters::of(word);
                let mine = if there.instance == instance {
                    there
                } else {
                    Waiters { instance, waiting: 0, notified: 0 }
                };
                change(mine).map(Waiters::word)
            })
            .is_ok()
    }
}

fn slot_of(peers: &impl Peers) -> usize {
    usize::from(peers.me().slot) % TABLE
}
