//! Mutexes.

use std::sync::atomic::Ordering::SeqCst;

use crossmem_core::{Looked, Wait};

use super::inside::{repair, say_inside, scene};
use super::operation::{Operation, operation};
use crate::scene::{Scene, Thing};
use crate::setting::Setting::Held;
use crate::stage::{NAP, Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("mutex: lock", lock).blocking(Thing::Mutex).recovered_by("mutex: take over"),
    operation("mutex: unlock", unlock).blocking(Thing::Mutex).recovered_by("mutex: take over"),
    operation("mutex: take over", take_over)
        .blocking(Thing::Mutex)
        .after_death_of(die_in_mutex)
        .recovered_by("mutex: take over"),
    operation("mutex: mark consistent", mark_consistent)
        .blocking(Thing::Mutex)
        .after_death_of(die_in_mutex)
        .recovered_by("mutex: take over"),
    operation("mutex: sleep and give up", sleep_for_mutex).in_setting(Held),
];

fn locked(scene: &Scene) -> bool {
    let Looked::Got(locked) = scene.on(&scene.mutex).lock(Wait::Try).unwrap() else {
        panic!("the mutex is not free")
    };
    say_inside(scene, true);
    scene.stage.ledger.in_mutex.store(std::process::id(), SeqCst);
    locked.owner_died
}

fn unlocked(scene: &Scene) {
    scene.twins(Thing::Mutex).change();
    scene.stage.ledger.in_mutex.store(0, SeqCst);
    say_inside(scene, false);
    scene.on(&scene.mutex).unlock(false).unwrap();
}

fn lock(stage: &Stage) {
    let scene = scene(stage);
    mark();
    locked(scene);
    mark();
    unlocked(scene);
}

fn unlock(stage: &Stage) {
    let scene = scene(stage);
    locked(scene);
    mark();
    unlocked(scene);
    mark();
}

fn die_in_mutex(stage: &Stage) {
    let scene = scene(stage);
    locked(scene);
    scene.twins(Thing::Mutex).half_change();
}

fn take_over(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = locked(scene);
    mark();
    repair(scene, Thing::Mutex, died);
    scene.on(&scene.mutex).mark_consistent().unwrap();
    unlocked(scene);
}

fn mark_consistent(stage: &Stage) {
    let scene = scene(stage);
    locked(scene);
    scene.twins(Thing::Mutex).repair();
    mark();
    scene.on(&scene.mutex).mark_consistent().unwrap();
    unlocked(scene);
    mark();
}

/// Waits for a mutex that a live process holds and doesn't release.
fn sleep_for_mutex(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let locked = scene.on(&scene.held).lock(NAP).unwrap();
    mark();
    assert!(matches!(locked, Looked::NotYet { .. }), "{locked:?}");
}
