//! Locks of readers and writers.

use crossmem_core::{Looked, Wait};

use super::inside::{repair, say_inside, scene};
use super::operation::{Operation, operation};
use crate::scene::{Scene, Thing};
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("rwlock: read", read).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: end read", end_read).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: write", write).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: end write", end_write).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: take over", write_after_death)
        .blocking(Thing::RwLock)
        .after_death_of(die_writing)
        .recovered_by("rwlock: take over"),
    operation("rwlock: write after a reader's death", write)
        .blocking(Thing::RwLock)
        .after_death_of(die_reading)
        .recovered_by("rwlock: take over"),
];

fn reading(scene: &Scene) {
    let read = scene.on(&scene.rwlock).read(Wait::Try).unwrap();
    assert!(matches!(read, Looked::Got(locked) if !locked.owner_died), "{read:?}");
    say_inside(scene, true);
}

fn end_reading(scene: &Scene) {
    say_inside(scene, false);
    scene.on(&scene.rwlock).end_read().unwrap();
}

fn writing(scene: &Scene) -> bool {
    let Looked::Got(locked) = scene.on(&scene.rwlock).write(Wait::Try).unwrap() else {
        panic!("the lock is not free")
    };
    say_inside(scene, true);
    locked.owner_died
}

fn end_writing(scene: &Scene) {
    say_inside(scene, false);
    scene.on(&scene.rwlock).end_write(false).unwrap();
}

fn read(stage: &Stage) {
    let scene = scene(stage);
    mark();
    reading(scene);
    mark();
    end_reading(scene);
}

fn end_read(stage: &Stage) {
    let scene = scene(stage);
    reading(scene);
    mark();
    end_reading(scene);
    mark();
}

fn write(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = writing(scene);
    scene.twins(Thing::RwLock).change();
    mark();
    assert!(!died, "no writer died");
    end_writing(scene);
}

fn end_write(stage: &Stage) {
    let scene = scene(stage);
    writing(scene);
    scene.twins(Thing::RwLock).change();
    mark();
    end_writing(scene);
    mark();
}

fn die_writing(stage: &Stage) {
    let scene = scene(stage);
    writing(scene);
    scene.twins(Thing::RwLock).half_change();
}

fn die_reading(stage: &Stage) {
    reading(scene(stage));
}

fn write_after_death(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = writing(scene);
    mark();
    repair(scene, Thing::RwLock, died);
    scene.on(&scene.rwlock).mark_written_consistent().unwrap();
    end_writing(scene);
}
