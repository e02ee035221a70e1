//! Models under loom: every interleaving with at most two or three preemptions, and every value
//! that the memory model lets a load see. Run by `npm test` (`RUSTFLAGS="--cfg loom"`).
//!
//! Parking has no timeout here, so the proofs don't rest on slices. `faults.rs` lists the faults
//! that the models notice, and tests that they do.
//!
//! To loom, a `SeqCst` access is an `AcqRel` one; only `SeqCst` fences are more. How a queue ends
//! needs the one order of all `SeqCst` accesses, so `crates/core/tests/mpmc_model` shows that.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use loom::sync::Arc;
use loom::sync::atomic::AtomicBool;
use loom::thread;

use crate::fail::{DOOMED, Killed};
use crate::layout::{Doorbell, Owner};
use crate::sync::{Ordering, STEPPED};
use crate::wait::{Peers, Wait, asleep};

mod locks;
mod news;
mod queues;
mod records;
mod rings;

/// The agent that is killed before a model begins.
const DEAD: Owner = owner(2);
const FOREVER: Wait = Wait::For(Duration::MAX);

const fn owner(slot: u16) -> Owner {
    Owner { instance: slot as u32 + 1, slot }
}

/// The agents' shared state, and the kernel.
struct World<S> {
    shared: S,
    bells: [Doorbell; 3],
    /// The kernel's side of the bells: comparing and going to sleep are one step, and so is waking.
    /// A thread that sleeps here for ever is a deadlock to loom.
    futex: loom::sync::Mutex<()>,
    woken: loom::sync::Condvar,
    /// Whether the agent in this slot was killed.
    killed: [AtomicBool; 3],
}

impl<S> World<S> {
    fn new(shared: S) -> Arc<World<S>> {
        Arc::new(World {
            shared,
            bells: Default::default(),
            futex: loom::sync::Mutex::new(()),
            woken: loom::sync::Condvar::new(),
            killed: Default::default(),
        })
    }

    /// A world in which one agent is dead.
    fn of_the_dead(shared: S) -> Arc<World<S>> {
        let world = Self::new(shared);
        world.kill(DEAD);
        world
    }

    /// An agent that learns from the kernel of this death sees everything that the dead agent did.
    fn kill(&self, agent: Owner) {
        self.killed[usize::from(agent.slot)].store(true, Ordering::Release);
    }
}

struct Agent<S> {
    world: Arc<World<S>>,
    me: Owner,
}

impl<S> Agent<S> {
    fn new(world: &Arc<World<S>>, slot: u16) -> Agent<S> {
        Agent { world: Arc::clone(world), me: owner(slot) }
    }

    /// Calls `act`, and is killed at that step of it.
    fn killed_at(&self, step: &'static str, act: impl FnOnce(&Self)) {
        DOOMED.set(Some((step, thread::current().id())));
        let ended = catch_unwind(AssertUnwindSafe(|| act(self)));
        DOOMED.set(None);
        match ended {
            Err(why) if why.is::<Killed>() => self.world.kill(self.me),
            Err(why) => resume_unwind(why),
            Ok(()) => panic!("it doesn't come to {step}"),
        }
    }
}

impl<S> Peers for Agent<S> {
    fn me(&self) -> Owner {
        self.me
    }
    fn is_dead(&self, owner: Owner) -> bool {
        self.world.killed[usize::from(owner.slot)].load(Ordering::Acquire)
    }
    fn in_slot(&self, slot: usize) -> Option<Owner> {
        Some(owner(slot as u16))
    }
    fn bell(&self, slot: usize) -> &Doorbell {
        &self.world.bells[slot]
    }
    fn park(&self, heard: u32, _: Duration) {
        let bell = self.bell(usize::from(self.me.slot));
        bell.fall_asleep(asleep::PARKED);
        let guard = self.world.futex.lock().unwrap();
        if bell.rings.load(Ordering::Relaxed) == heard {
            drop(self.world.woken.wait(guard).unwrap());
        }
        bell.wake_up(asleep::PARKED);
    }
    fn rouse(&self, _: usize, _: u32) {
        let _guard = self.world.futex.lock().unwrap();
        self.world.woken.notify_all();
    }
}

/// Runs a model twice: through the executions that loom tells apart, and through all with at most
/// `preemptions`.
fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let model = std::sync::Arc::new(model);
    for (stepped, preemptions) in [(false, 3), (true, preemptions)] {
        STEPPED.set(stepped);
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.max_branches = 10_000;
        let model = std::sync::Arc::clone(&model);
        builder.check(move || model());
    }
}

/// Runs `act` for each of the agents 0..`agents` at the same time, agent 0 on this thread. Returns
/// their results.
fn together<S: 'static, T: 'static>(
    world: &Arc<World<S>>,
    agents: u16,
    act: impl Fn(&Agent<S>) -> T + Copy + 'static,
) -> Vec<T> {
    let threads: Vec<_> = (1..agents)
        .map(|slot| {
            let agent = Agent::new(world, slot);
            thread::spawn(move || act(&agent))
        })
        .collect();
    let first = act(&Agent::new(world, 0));
    let others = threads.into_iter().map(|thread| thread.join().unwrap());
    std::iter::once(first).chain(others).collect()
}

/// Makes a test of each model.
macro_rules! models {
    (preemptions: $preemptions:literal; $($test:ident: $model:expr;)*) => {
        $(#[test]
        fn $test() {
            crate::models::explore($preemptions, $model);
        })*
    };
}
use models;
