//! Semaphores.

use std::sync::atomic::Ordering::SeqCst;

use crossmem_core::{Looked, Wait};

use super::inside::{say_inside, scene};
use super::operation::{Operation, operation};
use crate::scene::Thing;
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("semaphore: acquire", acquire).blocking(Thing::Semaphore).recovered_by("semaphore: recount"),
    operation("semaphore: release", release).blocking(Thing::Semaphore).recovered_by("semaphore: recount"),
    operation("semaphore: consume and add", consume)
        .blocking(Thing::Semaphore)
        .recovered_by("semaphore: recount"),
    operation("semaphore: recount", acquire)
        .blocking(Thing::Semaphore)
        .after_death_of(die_with_permits)
        .recovered_by("semaphore: recount"),
];

fn acquire(stage: &Stage) {
    let scene = scene(stage);
    let semaphore = scene.on(&scene.semaphore);
    mark();
    let got = semaphore.acquire(Wait::Try).unwrap();
    say_inside(scene, true);
    mark();
    assert_eq!(got, Looked::Got(()));
    say_inside(scene, false);
    semaphore.release(1, true).unwrap();
}

fn release(stage: &Stage) {
    let scene = scene(stage);
    let semaphore = scene.on(&scene.semaphore);
    assert_eq!(semaphore.acquire(Wait::Try).unwrap(), Looked::Got(()));
    say_inside(scene, true);
    mark();
    say_inside(scene, false);
    semaphore.release(1, true).unwrap();
    mark();
}

/// Consumes a permit and adds a new one, as two processes may do that hand something over.
fn consume(stage: &Stage) {
    let scene = scene(stage);
    let semaphore = scene.on(&scene.semaphore);
    assert_eq!(semaphore.acquire(Wait::Try).unwrap(), Looked::Got(()));
    stage.ledger.consuming.store(1, SeqCst);
    mark();
    semaphore.consume().unwrap();
    semaphore.release(1, false).unwrap();
    mark();
    stage.ledger.consuming.store(0, SeqCst);
}

fn die_with_permits(stage: &Stage) {
    let scene = scene(stage);
    while scene.on(&scene.semaphore).acquire(Wait::Try).unwrap() == Looked::Got(()) {}
}
