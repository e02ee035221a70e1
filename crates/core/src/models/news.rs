//! A model of calm reactors, and of agents with news.

use loom::sync::Arc;
use loom::thread;

use super::{Agent, World, models};
use crate::sync::{AtomicU32, Ordering};
use crate::wait::tell;

/// Agent 1 says that it is calm and looks once more, while agent 0 changes something and tells it.
fn news() {
    let world = World::new(());
    let change = Arc::new(AtomicU32::default());
    let (calm, changing) = (Agent::new(&world, 1), Arc::clone(&change));
    let looking = thread::spawn(move || {
        calm.world.bells[1].calm_down();
        change.load(Ordering::Relaxed) == 1
    });
    changing.store(1, Ordering::Relaxed);
    tell(&Agent::new(&world, 0), [1].into_iter());
    let sees = looking.join().unwrap();
    let bell = &world.bells[1];
    let is_told = !bell.is_calm() && bell.rings.load(Ordering::Relaxed) == 1;
    assert!(sees || is_told);
}

models! {
    preemptions: 2;
    what_a_calm_reactor_doesnt_see_is_told: news;
}
