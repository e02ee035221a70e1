//! Events.

use crossmem_core::{Looked, Wait};

use super::inside::scene;
use super::operation::{Operation, operation};
use crate::stage::{NAP, Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("event: set", set_event),
    operation("event: wait", wait_event),
    operation("event: sleep and give up", sleep_for_event),
];

fn set_event(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.event).set_event().unwrap();
    scene.on(&scene.event).clear_event().unwrap();
    mark();
}

fn wait_event(stage: &Stage) {
    let scene = scene(stage);
    let event = scene.on(&scene.event);
    let times = event.event_times().unwrap();
    event.set_event().unwrap();
    mark();
    let came = event.wait_event(times, Wait::Try).unwrap();
    mark();
    assert_eq!(came, Looked::Got(()));
}

fn sleep_for_event(stage: &Stage) {
    let scene = scene(stage);
    let event = scene.on(&scene.event);
    let times = event.event_times().unwrap();
    mark();
    // Survivors may set it meanwhile.
    event.wait_event(times, NAP).unwrap();
    mark();
}
