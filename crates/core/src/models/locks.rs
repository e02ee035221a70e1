//! Models of the mutex, its doorbells, and the lock of readers and writers.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use super::{DEAD, FOREVER, World, models, together};
use crate::layout::{EventWords, MutexWords, RwLockWords};
use crate::locks::{Acquired, Refused, Share};
use crate::sync::{AtomicU32, Ordering};
use crate::wait::{Sleepers, Wait};

type Agent = super::Agent<Locks>;

#[derive(Default)]
struct Locks {
    mutex: MutexWords,
    rwlock: RwLockWords,
    event: EventWords,
    /// Loom fails the model if two threads access it at once, or if one doesn't see the other's
    /// change.
    guarded: UnsafeCell<u32>,
}

impl Agent {
    fn lock(&self) -> Acquired {
        self.world.shared.mutex.lock(self, FOREVER).unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    fn enter(&self) -> Acquired {
        let acquired = self.lock();
        // SAFETY: this agent holds the mutex; loom checks that no other thread is here.
        self.world.shared.guarded.with_mut(|guarded| unsafe { *guarded += 1 });
        acquired
    }

    fn leave(&self) {
        assert!(self.world.shared.mutex.unlock(self));
    }

    fn write(&self) {
        assert!(self.world.shared.rwlock.write(self, FOREVER).is_ok());
        // SAFETY: as in `enter`, for the lock of readers and writers.
        self.world.shared.guarded.with_mut(|guarded| unsafe { *guarded += 1 });
        assert!(self.world.shared.rwlock.end_write(self, false));
    }

    fn read(&self) -> u32 {
        assert!(self.world.shared.rwlock.read(self, FOREVER).is_ok());
        // SAFETY: this agent is inside as a reader; loom checks that no writer is here.
        let seen = self.world.shared.guarded.with(|guarded| unsafe { *guarded });
        assert!(self.world.shared.rwlock.end_read(self));
        seen
    }
}

/// A world in which the dead agent holds the mutex.
fn held_by_the_dead() -> Arc<World<Locks>> {
    let world = World::of_the_dead(Locks::default());
    world.shared.mutex.owner.store(DEAD.word(), Ordering::Relaxed);
    world
}

/// The guarded number, when all threads have ended.
fn count(world: &Arc<World<Locks>>) -> u32 {
    // SAFETY: all threads that could reach it were joined.
    world.shared.guarded.with(|guarded| unsafe { *guarded })
}

/// Two agents enter twice each.
fn exclusion() {
    let world = World::new(Locks::default());
    together(&world, 2, |agent| {
        for _ in 0..2 {
            agent.enter();
            agent.leave();
        }
    });
    assert_eq!(count(&world), 4);
}

/// Three agents enter once each: none is left asleep.
fn three() {
    let world = World::new(Locks::default());
    together(&world, 3, |agent| {
        agent.enter();
        agent.leave();
    });
    assert_eq!(count(&world), 3);
}

/// Two agents find the mutex held by the dead one. The first owner is told and repairs, the second
/// isn't told.
fn take_over() {
    let world = held_by_the_dead();
    together(&world, 2, |agent| {
        let acquired = agent.enter();
        // SAFETY: this agent holds the mutex.
        let first = agent.world.shared.guarded.with(|guarded| unsafe { *guarded }) == 1;
        assert_eq!(acquired, if first { Acquired::OwnerDied } else { Acquired::Clean });
        agent.world.shared.mutex.mark_consistent();
        agent.leave();
    });
    assert_eq!(count(&world), 2);
}

/// No owner repairs: each is told.
fn take_over_unrepaired() {
    let world = held_by_the_dead();
    together(&world, 2, |agent| {
        assert_eq!(agent.enter(), Acquired::OwnerDied);
        agent.leave();
    });
    assert_eq!(count(&world), 2);
}

/// The dead agent held the mutex when the other two went to sleep, one of them before `waiters` was
/// forgotten.
fn dead_sleeper() {
    let world = World::of_the_dead(Locks::default());
    world.shared.mutex.sleepers.insert(usize::from(DEAD.slot));
    together(&world, 2, |agent| {
        agent.enter();
        agent.leave();
    });
    assert_eq!(count(&world), 2);
}

/// One waiter gives up at the moment of the release; the other must still be woken.
fn baton() {
    let world = World::new(Locks::default());
    let mine = Agent::new(&world, 0);
    mine.enter();
    let [hasty, patient] = [Agent::new(&world, 1), Agent::new(&world, 2)];
    let hasty =
        thread::spawn(move || match hasty.world.shared.mutex.lock(&hasty, Wait::Arm { again: true }) {
            Ok(_) => hasty.leave(),
            Err(refused) => {
                assert_eq!(refused, Refused::NotYet);
                hasty.world.shared.mutex.give_up(&hasty);
            }
        });
    let patient = thread::spawn(move || {
        patient.enter();
        patient.leave();
    });
    mine.leave();
    hasty.join().unwrap();
    patient.join().unwrap();
    assert_eq!(count(&world), 2);
}

/// The doorbell alone: one agent waits for a flag that another sets.
fn doorbell() {
    let world = World::new(Locks::default());
    let flag = Arc::new(AtomicU32::default());
    let (waiter, set) = (Agent::new(&world, 1), Arc::clone(&flag));
    let waiting = thread::spawn(move || {
        let is_set = || (flag.load(Ordering::Relaxed) == 1).then_some(());
        assert!(waiter.world.shared.mutex.sleepers.wait(&waiter, FOREVER, |_| is_set()).is_some());
    });
    set.store(1, Ordering::Relaxed);
    world.shared.mutex.sleepers.notify_one(&Agent::new(&world, 0));
    waiting.join().unwrap();
}

/// Two agents wait for an event. Setting it wakes one of them, and that one the other.
fn tree() {
    let world = World::new(Locks::default());
    together(&world, 3, |agent| {
        let event = &agent.world.shared.event;
        match agent.me.slot {
            0 => event.set(agent, false),
            _ => assert!(event.wait(agent, 0, false, FOREVER)),
        }
    });
}

/// A writer against a reader that comes twice.
fn reader_and_writer() {
    let world = World::new(Locks::default());
    together(&world, 2, |agent| match agent.me.slot {
        0 => agent.write(),
        _ => assert!(agent.read() <= agent.read()),
    });
    assert_eq!(count(&world), 1);
}

/// Two writers and a reader.
fn readers_and_writers() {
    let world = World::new(Locks::default());
    together(&world, 3, |agent| match agent.me.slot {
        2 => drop(agent.read()),
        _ => agent.write(),
    });
    assert_eq!(count(&world), 2);
}

/// A reader died inside: a writer doesn't wait for it.
fn dead_reader() {
    let world = World::of_the_dead(Locks::default());
    let share = Share { instance: DEAD.instance, count: 1 };
    world.shared.rwlock.readers.0[usize::from(DEAD.slot)].store(share.word(), Ordering::Relaxed);
    together(&world, 2, Agent::write);
    assert_eq!(count(&world), 2);
}

/// A writer died inside: all readers are told.
fn dead_writer() {
    let world = World::of_the_dead(Locks::default());
    world.shared.rwlock.gate.owner.store(DEAD.word(), Ordering::Relaxed);
    world.shared.rwlock.writing.store(1, Ordering::Relaxed);
    together(&world, 2, |agent| {
        let entered = agent.world.shared.rwlock.read(agent, FOREVER);
        assert_eq!(entered.ok(), Some(Acquired::OwnerDied));
        assert!(agent.world.shared.rwlock.end_read(agent));
    });
}

models! {
    preemptions: 2;
    two_agents_exclude_each_other: exclusion;
    three_agents_exclude_each_other_and_no_wake_up_is_lost: three;
    successors_of_a_dead_holder_are_told_until_one_repairs: take_over;
    each_owner_is_told_while_none_repairs: take_over_unrepaired;
    a_dead_sleeper_swallows_no_wake_up: dead_sleeper;
    a_waiter_that_gives_up_passes_its_wake_up_on: baton;
    a_change_made_before_the_ring_is_seen: doorbell;
    all_that_wait_for_an_event_are_woken_in_a_tree: tree;
    a_reader_and_a_writer_exclude_each_other: reader_and_writer;
    two_writers_and_a_reader_exclude_each_other: readers_and_writers;
    a_writer_does_not_wait_for_a_dead_reader: dead_reader;
    all_readers_are_told_of_a_dead_writer: dead_writer;
}
