//! Updates and snapshots of arrays.

use crossmem_core::{Looked, Wait};

use super::inside::{repair, say_inside, scene};
use super::operation::{Operation, operation};
use crate::scene::{Scene, Thing};
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("array: begin an update", enter_update).blocking(Thing::Array).recovered_by("array: take over"),
    operation("array: end an update", leave_update).blocking(Thing::Array).recovered_by("array: take over"),
    operation("array: snapshot", snapshot).blocking(Thing::Array),
    operation("array: take over", update_after_death)
        .blocking(Thing::Array)
        .after_death_of(die_in_update)
        .recovered_by("array: take over"),
];

fn updating(scene: &Scene) -> bool {
    let Looked::Got(locked) = scene.guard().unwrap().enter(&scene.agent, Wait::Try) else {
        panic!("an update is being made")
    };
    say_inside(scene, true);
    locked.owner_died
}

fn end_updating(scene: &Scene) {
    say_inside(scene, false);
    scene.guard().unwrap().leave(&scene.agent).unwrap();
}

fn enter_update(stage: &Stage) {
    let scene = scene(stage);
    mark();
    updating(scene);
    scene.twins(Thing::Array).change();
    mark();
    end_updating(scene);
}

fn leave_update(stage: &Stage) {
    let scene = scene(stage);
    updating(scene);
    scene.twins(Thing::Array).change();
    mark();
    end_updating(scene);
    mark();
}

fn snapshot(stage: &Stage) {
    let scene = scene(stage);
    let guard = scene.guard().unwrap();
    let mut copy = [0; 16];
    mark();
    let copied = guard.copy_to(&scene.agent, 0, &mut copy, std::time::Duration::from_secs(5)).unwrap();
    mark();
    assert!(copied && copy[..8] == copy[8..], "{copy:?}");
}

fn die_in_update(stage: &Stage) {
    let scene = scene(stage);
    updating(scene);
    scene.twins(Thing::Array).half_change();
}

fn update_after_death(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = updating(scene);
    mark();
    repair(scene, Thing::Array, died);
    end_updating(scene);
}
