//! Named locks.

use crossmem_core::Wanted;

use super::inside::{say_inside, scene};
use super::operation::{Operation, operation};
use crate::scene::Thing;
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("named lock: request", request)
        .blocking(Thing::NamedLock)
        .recovered_by("named lock: take over"),
    operation("named lock: end", end_request)
        .blocking(Thing::NamedLock)
        .recovered_by("named lock: take over"),
    operation("named lock: steal", steal).blocking(Thing::NamedLock).recovered_by("named lock: take over"),
    operation("named lock: take over", request)
        .blocking(Thing::NamedLock)
        .after_death_of(die_with_named_locks)
        .recovered_by("named lock: take over"),
];

const EXCLUSIVE: Wanted<'_> = Wanted { name: b"lock", shared: false, if_available: false, steal: false };

fn request(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    mark();
    let entered = table.request(&EXCLUSIVE).unwrap().unwrap();
    say_inside(scene, true);
    mark();
    assert!(entered.granted.is_some(), "the lock was free");
    say_inside(scene, false);
    table.end_request(entered.request, false).unwrap();
}

fn end_request(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    let held = table.request(&EXCLUSIVE).unwrap().unwrap();
    let pending = table.request(&EXCLUSIVE).unwrap().unwrap();
    // The second one holds it as soon as the first is gone.
    say_inside(scene, true);
    mark();
    table.end_request(held.request, false).unwrap();
    say_inside(scene, false);
    table.end_request(pending.request, true).unwrap();
    mark();
}

fn steal(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    let robbed = table.request(&EXCLUSIVE).unwrap().unwrap();
    say_inside(scene, true);
    mark();
    let thief = table.request(&Wanted { steal: true, ..EXCLUSIVE }).unwrap().unwrap();
    mark();
    assert!(thief.granted.is_some());
    assert!(table.end_request(robbed.request, false).unwrap().stolen);
    say_inside(scene, false);
    table.end_request(thief.request, false).unwrap();
}

fn die_with_named_locks(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    for wanted in [EXCLUSIVE, EXCLUSIVE, Wanted { shared: true, ..EXCLUSIVE }] {
        table.request(&wanted).unwrap();
    }
}
