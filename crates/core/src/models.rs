//! Exhaustive models of the mutex and its doorbells, under loom: every interleaving with at most three preemptions, and
//! every value that the memory model lets a load see. Run by `npm test` (`RUSTFLAGS="--cfg loom"`).
//!
//! Parking has no time-out here: what the models show doesn't rest on slices.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::doorbell::Peers;
use crate::layout::{MutexWords, SlotSet};
use crate::mutex::{Acquired, Refused};
use crate::owner::Owner;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// An agent that was killed before the model begins.
const DEAD: Owner = Owner { instance: 100, slot: 63 };

struct World {
    mutex: MutexWords,
    bells: [AtomicU32; 3],
    /// The kernel's side of the bells: it compares and goes to sleep, or wakes, as one step. A thread that sleeps here
    /// for ever is a deadlock to loom.
    futex: loom::sync::Mutex<()>,
    woken: loom::sync::Condvar,
    /// What the mutex guards: loom fails the model if two threads are inside at once, or one doesn't see the other.
    guarded: UnsafeCell<u32>,
}

impl World {
    fn new(owner: u64) -> Arc<World> {
        Arc::new(World {
            mutex: MutexWords { owner: AtomicU64::new(owner), sleepers: SlotSet([AtomicU64::new(0)]) },
            bells: [AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)],
            futex: loom::sync::Mutex::new(()),
            woken: loom::sync::Condvar::new(),
            guarded: UnsafeCell::new(0),
        })
    }
}

struct Agent {
    world: Arc<World>,
    me: Owner,
}

impl Agent {
    fn new(world: &Arc<World>, slot: u16) -> Agent {
        Agent { world: Arc::clone(world), me: Owner { instance: u32::from(slot) + 1, slot } }
    }

    fn lock(&self) -> Acquired {
        self.world.mutex.lock(self, Duration::MAX).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    fn enter(&self) -> Acquired {
        let acquired = self.lock();
        // SAFETY: we hold the mutex; that nobody else is here is what loom checks.
        self.world.guarded.with_mut(|guarded| unsafe { *guarded += 1 });
        acquired
    }

    fn leave(&self) {
        assert!(self.world.mutex.unlock(self));
    }
}

impl Peers for Agent {
    fn me(&self) -> Owner {
        self.me
    }
    fn is_dead(&self, owner: Owner) -> bool {
        owner == DEAD
    }
    fn in_slot(&self, slot: usize) -> Option<Owner> {
        Some(if slot == usize::from(DEAD.slot) {
            DEAD
        } else {
            Owner { instance: slot as u32 + 1, slot: slot as u16 }
        })
    }
    fn bell(&self, slot: usize) -> &AtomicU32 {
        &self.world.bells[slot]
    }
    fn park(&self, bell: &AtomicU32, heard: u32, _: Duration) {
        let guard = self.world.futex.lock().unwrap();
        if bell.load(Ordering::Relaxed) == heard {
            drop(self.world.woken.wait(guard).unwrap());
        }
    }
    fn ring(&self, _: &AtomicU32) {
        let _guard = self.world.futex.lock().unwrap();
        self.world.woken.notify_all();
    }
}

fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Runs `each` as `agents` threads, this one included, and hands back the world they shared.
fn together(owner: u64, agents: u16, each: impl Fn(Agent) + Copy + Send + 'static) -> Arc<World> {
    let world = World::new(owner);
    let others: Vec<_> = (1..agents)
        .map(|slot| {
            let agent = Agent::new(&world, slot);
            thread::spawn(move || each(agent))
        })
        .collect();
    each(Agent::new(&world, 0));
    for other in others {
        other.join().unwrap();
    }
    world
}

/// SAFETY of the read: all threads were joined.
fn count(world: &World) -> u32 {
    world.guarded.with(|guarded| unsafe { *guarded })
}

#[test]
fn two_agents_exclude_each_other_and_no_wake_up_is_lost() {
    explore(|| {
        let world = together(0, 2, |agent| {
            for _ in 0..2 {
                assert_eq!(agent.enter(), Acquired::Clean);
                agent.leave();
            }
        });
        assert_eq!(count(&world), 4);
    });
}

#[test]
fn three_agents_exclude_each_other_and_no_wake_up_is_lost() {
    explore(|| {
        let world = together(0, 3, |agent| {
            agent.enter();
            agent.leave();
        });
        assert_eq!(count(&world), 3);
    });
}

#[test]
fn one_takes_over_from_the_dead_and_each_is_told_until_it_is_repaired() {
    explore(|| {
        let world = together(DEAD.word(), 2, |agent| {
            // Whoever comes first repairs; the other is told nothing any more.
            let acquired = agent.enter();
            let first = agent.world.guarded.with(|guarded| unsafe { *guarded }) == 1;
            assert_eq!(acquired, if first { Acquired::OwnerDied } else { Acquired::Clean });
            agent.world.mutex.mark_consistent();
            agent.leave();
        });
        assert_eq!(count(&world), 2);
    });
}

/// A sleeper that died is in the set: the release must go to one that lives.
#[test]
fn a_dead_sleeper_swallows_no_wake_up() {
    explore(|| {
        let world = World::new(0);
        world.mutex.sleepers.insert(usize::from(DEAD.slot));
        let mine = Agent::new(&world, 0);
        mine.enter();
        let other = Agent::new(&world, 1);
        let waiter = thread::spawn(move || {
            other.enter();
            other.leave();
        });
        mine.leave();
        waiter.join().unwrap();
        assert_eq!(count(&world), 2);
    });
}

/// One waiter gives up at the moment of the release; the other must still be woken.
#[test]
fn who_gives_up_passes_the_baton() {
    explore(|| {
        let world = World::new(0);
        let mine = Agent::new(&world, 0);
        mine.enter();
        let [hasty, patient] = [Agent::new(&world, 1), Agent::new(&world, 2)];
        let hasty = thread::spawn(move || match hasty.world.mutex.lock(&hasty, Duration::ZERO) {
            Ok(_) => hasty.leave(),
            Err(refused) => assert!(matches!(refused, Refused::Timeout(_))),
        });
        let patient = thread::spawn(move || {
            patient.enter();
            patient.leave();
        });
        mine.leave();
        hasty.join().unwrap();
        patient.join().unwrap();
        assert_eq!(count(&world), 2);
    });
}
