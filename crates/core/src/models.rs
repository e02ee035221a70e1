//! Exhaustive models of the mutex, its doorbells, and the lock of readers and writers, under loom: every interleaving with at
//! most three preemptions, and every value that the memory model lets a load see. Run by `npm test`
//! (`RUSTFLAGS="--cfg loom"`).
//!
//! Parking has no time-out here: what the models show doesn't rest on slices. Each fault of `faults.rs` makes one of them
//! fail, which is tested, too.

use std::time::Duration;

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

use crate::doorbell::{Peers, Sleepers, Wait};
use crate::faults::Fault;
use crate::layout::{MutexWords, RwLockWords, SlotSet, Table};
use crate::mutex::{Acquired, Refused};
use crate::owner::Owner;
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::table::Share;

/// An agent that was killed before the model begins.
const DEAD: Owner = Owner { instance: 100, slot: 2 };
const FOREVER: Wait = Wait::For(Duration::MAX);

struct World {
    mutex: MutexWords,
    rwlock: RwLockWords,
    bells: [AtomicU32; 3],
    /// The kernel's side of the bells: it compares and goes to sleep, or wakes, as one step. A thread that sleeps here
    /// for ever is a deadlock to loom.
    futex: loom::sync::Mutex<()>,
    woken: loom::sync::Condvar,
    /// What is guarded: loom fails the model if two threads are inside at once, or one doesn't see the other.
    guarded: UnsafeCell<u32>,
    /// Whether slot 2 is the dead agent's.
    somebody_died: bool,
}

fn mutex(owner: u64) -> MutexWords {
    MutexWords { owner: AtomicU64::new(owner), sleepers: set() }
}

fn set() -> SlotSet {
    SlotSet([AtomicU64::new(0)])
}

impl World {
    fn new() -> Arc<World> {
        Self::after(false, 0)
    }

    /// A world in which the dead agent holds the mutex.
    fn of_the_dead() -> Arc<World> {
        Self::after(true, DEAD.word())
    }

    fn after(somebody_died: bool, owner: u64) -> Arc<World> {
        Arc::new(World {
            mutex: mutex(owner),
            rwlock: RwLockWords {
                gate: mutex(0),
                writing: AtomicU32::new(0),
                torn: AtomicU32::new(0),
                draining: set(),
                readers: Table([AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)]),
            },
            bells: [AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)],
            futex: loom::sync::Mutex::new(()),
            woken: loom::sync::Condvar::new(),
            guarded: UnsafeCell::new(0),
            somebody_died,
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
        self.world.mutex.lock(self, FOREVER).unwrap_or_else(|refused| panic!("{refused:?}"))
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

    fn write(&self) {
        assert!(self.world.rwlock.write(self, FOREVER).is_ok());
        // SAFETY: as in `enter`, for the lock of readers and writers.
        self.world.guarded.with_mut(|guarded| unsafe { *guarded += 1 });
        assert!(self.world.rwlock.end_write(self, false));
    }

    fn read(&self) -> u32 {
        assert!(self.world.rwlock.read(self, FOREVER).is_ok());
        // SAFETY: we are inside as a reader; that no writer is here is what loom checks.
        let seen = self.world.guarded.with(|guarded| unsafe { *guarded });
        assert!(self.world.rwlock.end_read(self));
        seen
    }
}

impl Peers for Agent {
    fn me(&self) -> Owner {
        self.me
    }
    fn is_dead(&self, owner: Owner) -> bool {
        self.world.somebody_died && owner == DEAD
    }
    fn in_slot(&self, slot: usize) -> Option<Owner> {
        Some(if self.world.somebody_died && slot == usize::from(DEAD.slot) {
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

/// Runs a model through all its executions.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Runs `act` for each of the agents 0..`agents` at the same time, agent 0 on this thread.
fn together(world: &Arc<World>, agents: u16, act: fn(&Agent)) {
    let threads: Vec<_> = (1..agents)
        .map(|slot| {
            let agent = Agent::new(world, slot);
            thread::spawn(move || act(&agent))
        })
        .collect();
    act(&Agent::new(world, 0));
    for thread in threads {
        thread.join().unwrap();
    }
}

/// What is guarded, when all threads have ended.
fn count(world: &Arc<World>) -> u32 {
    // SAFETY: all threads that could reach it were joined.
    world.guarded.with(|guarded| unsafe { *guarded })
}

// The models. Each is a function, so that it can be run with a fault, too.

/// Two agents enter twice each.
fn exclusion() {
    let world = World::new();
    together(&world, 2, |agent| {
        for _ in 0..2 {
            agent.enter();
            agent.leave();
        }
    });
    assert_eq!(count(&world), 4);
}

/// Three agents enter once each: nobody is left asleep.
fn three() {
    let world = World::new();
    together(&world, 3, |agent| {
        agent.enter();
        agent.leave();
    });
    assert_eq!(count(&world), 3);
}

/// Two agents find the mutex with the dead one: whoever comes first repairs, the other is told nothing any more.
fn take_over() {
    let world = World::of_the_dead();
    together(&world, 2, |agent| {
        let acquired = agent.enter();
        // SAFETY: we hold the mutex.
        let first = agent.world.guarded.with(|guarded| unsafe { *guarded }) == 1;
        assert_eq!(acquired, if first { Acquired::OwnerDied } else { Acquired::Clean });
        agent.world.mutex.mark_consistent();
        agent.leave();
    });
    assert_eq!(count(&world), 2);
}

/// Nobody repairs: each is told.
fn take_over_unrepaired() {
    let world = World::of_the_dead();
    together(&world, 2, |agent| {
        assert_eq!(agent.enter(), Acquired::OwnerDied);
        agent.leave();
    });
    assert_eq!(count(&world), 2);
}

/// The dead agent held the mutex when the other two went to sleep, one of them before `waiters` was forgotten.
fn dead_sleeper() {
    let world = World::after(true, 0);
    world.mutex.sleepers.insert(usize::from(DEAD.slot));
    together(&world, 2, |agent| {
        agent.enter();
        agent.leave();
    });
    assert_eq!(count(&world), 2);
}

/// One waiter gives up at the moment of the release; the other must still be woken.
fn baton() {
    let world = World::new();
    let mine = Agent::new(&world, 0);
    mine.enter();
    let [hasty, patient] = [Agent::new(&world, 1), Agent::new(&world, 2)];
    let hasty = thread::spawn(move || match hasty.world.mutex.lock(&hasty, Wait::Arm { again: true }) {
        Ok(_) => hasty.leave(),
        Err(refused) => {
            assert_eq!(refused, Refused::NotYet);
            hasty.world.mutex.give_up(&hasty);
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

/// The doorbell alone: one waits for a flag that the other one sets.
fn doorbell() {
    let world = World::new();
    let flag = Arc::new(AtomicU32::new(0));
    let (waiter, set) = (Agent::new(&world, 1), Arc::clone(&flag));
    let waiting = thread::spawn(move || {
        let is_set = || (flag.load(Ordering::Relaxed) == 1).then_some(());
        assert!(waiter.world.mutex.sleepers.wait(&waiter, FOREVER, |_| is_set()).is_some());
    });
    set.store(1, Ordering::Relaxed);
    world.mutex.sleepers.notify_one(&Agent::new(&world, 0));
    waiting.join().unwrap();
}

/// A writer against a reader that comes twice.
fn reader_and_writer() {
    let world = World::new();
    together(&world, 2, |agent| match agent.me.slot {
        0 => agent.write(),
        _ => assert!(agent.read() <= agent.read()),
    });
    assert_eq!(count(&world), 1);
}

/// Two writers and a reader.
fn readers_and_writers() {
    let world = World::new();
    together(&world, 3, |agent| match agent.me.slot {
        2 => drop(agent.read()),
        _ => agent.write(),
    });
    assert_eq!(count(&world), 2);
}

/// A reader died inside: a writer doesn't wait for it.
fn dead_reader() {
    let world = World::after(true, 0);
    let share = Share { instance: DEAD.instance, count: 1 };
    world.rwlock.readers.0[usize::from(DEAD.slot)].store(share.word(), Ordering::Relaxed);
    together(&world, 2, Agent::write);
    assert_eq!(count(&world), 2);
}

/// A writer died inside: all who come are told.
fn dead_writer() {
    let world = World::after(true, 0);
    world.rwlock.gate.owner.store(DEAD.word(), Ordering::Relaxed);
    world.rwlock.writing.store(1, Ordering::Relaxed);
    together(&world, 2, |agent| {
        let entered = agent.world.rwlock.read(agent, FOREVER);
        assert_eq!(entered.ok(), Some(Acquired::OwnerDied));
        assert!(agent.world.rwlock.end_read(agent));
    });
}

macro_rules! models {
    ($($test:ident: $model:ident;)*) => {
        $(#[test]
        fn $test() {
            explore($model);
        })*
    };
}

models! {
    two_agents_exclude_each_other: exclusion;
    three_agents_exclude_each_other_and_no_wake_up_is_lost: three;
    one_takes_over_from_the_dead_and_the_others_are_told_until_it_is_repaired: take_over;
    each_is_told_while_nobody_repairs: take_over_unrepaired;
    a_dead_sleeper_swallows_no_wake_up: dead_sleeper;
    who_gives_up_passes_the_baton: baton;
    what_is_set_before_the_bell_rings_is_seen: doorbell;
    a_reader_and_a_writer_exclude_each_other: reader_and_writer;
    two_writers_and_a_reader_exclude_each_other: readers_and_writers;
    a_writer_does_not_wait_for_a_dead_reader: dead_reader;
    all_are_told_of_a_dead_writer: dead_writer;
}

/// What each model does not let pass.
const CAUGHT: &[(Fault, &str)] = &[
    (Fault::PlainStoreForCas, "two_agents_exclude_each_other"),
    (Fault::RelaxedUnlock, "two_agents_exclude_each_other"),
    (Fault::ForgetWaiters, "three_agents_exclude_each_other_and_no_wake_up_is_lost"),
    (Fault::ForgetDied, "one_takes_over_from_the_dead_and_the_others_are_told_until_it_is_repaired"),
    (Fault::NoFenceInNotify, "what_is_set_before_the_bell_rings_is_seen"),
    (Fault::LookBeforeInsert, "what_is_set_before_the_bell_rings_is_seen"),
    (Fault::RingTheDead, "a_dead_sleeper_swallows_no_wake_up"),
    (Fault::KeepTheBaton, "who_gives_up_passes_the_baton"),
    (Fault::SilentBell, "what_is_set_before_the_bell_rings_is_seen"),
    (Fault::WriterSkipsReaders, "a_reader_and_a_writer_exclude_each_other"),
    (Fault::RelaxedReaderExit, "a_reader_and_a_writer_exclude_each_other"),
    (Fault::ReaderLeavesSilently, "a_reader_and_a_writer_exclude_each_other"),
    (Fault::WaitForDeadReaders, "a_writer_does_not_wait_for_a_dead_reader"),
    (Fault::ReaderSkipsGate, "a_reader_and_a_writer_exclude_each_other"),
];

/// In a process for each, since the fault is the process's, and a deadlock in a model ends it.
#[test]
fn every_fault_makes_its_model_fail() {
    let this = std::env::current_exe().unwrap();
    let passes = |fault: &str, model: &str| {
        let mut run = std::process::Command::new(&this);
        let run = run.args(["--exact", &format!("models::{model}")]).env("CROSSMEM_FAULT", fault);
        let ended = run.env("RUST_BACKTRACE", "0").output().unwrap();
        assert!(
            String::from_utf8_lossy(&ended.stdout).contains("running 1 test"),
            "there is no model {model}"
        );
        ended.status.success()
    };
    let missed: Vec<_> =
        CAUGHT.iter().filter(|(fault, model)| passes(&format!("{fault:?}"), model)).collect();
    assert!(missed.is_empty(), "these faults went unnoticed: {missed:?}");
    assert!(passes("none", CAUGHT[0].1), "without a fault the model passes");
}
