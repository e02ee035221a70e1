//! Barriers.

use crossmem_core::{Arrived, Looked, Wait};

use super::inside::scene;
use super::operation::{Operation, operation};
use crate::scene::{Scene, Thing};
use crate::setting::Setting::Meeting;
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("barrier: lead", lead).blocking(Thing::Barrier),
    operation("barrier: complete", complete).blocking(Thing::Barrier),
    operation("barrier: arrive as the last party", arrive_last)
        .in_setting(Meeting)
        .recovered_by("barrier: arrive after a death"),
    operation("barrier: arrive after a death", arrive_after_death)
        .in_setting(Meeting)
        .after_death_of(die_leading)
        .recovered_by("barrier: arrive after a death"),
    operation("barrier: abort", abort).in_setting(Meeting).recovered_by("barrier: arrive after a death"),
    operation("barrier: reset", reset).in_setting(Meeting).recovered_by("barrier: arrive after a death"),
];

fn leading(scene: &Scene) -> u64 {
    let arrived = scene.on(&scene.barrier).arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Leading { generation, .. }) = arrived else { panic!("{arrived:?}") };
    generation
}

fn lead(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let generation = leading(scene);
    mark();
    assert!(scene.on(&scene.barrier).complete_meeting(generation).unwrap());
}

fn complete(stage: &Stage) {
    let scene = scene(stage);
    let generation = leading(scene);
    mark();
    let met = scene.on(&scene.barrier).complete_meeting(generation).unwrap();
    mark();
    assert!(met);
}

fn arrive_last(stage: &Stage) {
    let scene = scene(stage);
    let pair = scene.on(&scene.pair);
    mark();
    let arrived = pair.arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Leading { generation, .. }) = arrived else { panic!("{arrived:?}") };
    let met = pair.complete_meeting(generation).unwrap();
    mark();
    assert!(met);
}

fn die_leading(stage: &Stage) {
    let scene = scene(stage);
    let arrived = scene.on(&scene.pair).arrive(Wait::Try).unwrap();
    assert!(matches!(arrived, Looked::Got(Arrived::Leading { .. })), "{arrived:?}");
}

/// The death breaks the barrier for all parties. If a survivor has reset it meanwhile, this victim
/// is one more party that waits.
fn arrive_after_death(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.pair).arrive(Wait::Try).unwrap();
    mark();
}

fn abort(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.pair).abort_meeting(None).unwrap();
    mark();
}

fn reset(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.pair).reset_barrier().unwrap();
    mark();
}
