//! Events.

use crossmem_core::{Looked, Wait};

use super::inside::scene;
use super::operation::{Operation, operation};
use crate::stage::{NAP, Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("event: set", set_event),
    operation("event: wait", wait_event),
    operation("event: sleep and give up", sleep_for_event),
    operation("event: sleep in the event loop", sleep_in_loop),
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

/// As an event loop does: armed, then asleep. Survivors ring it meanwhile.
fn sleep_in_loop(stage: &Stage) {
    let scene = scene(stage);
    let (event, bell) = (scene.on(&scene.event), scene.agent.loop_bell().unwrap());
    let times = event.event_times().unwrap();
    mark();
    let heard = bell.heard();
    let armed = event.wait_event(times, Wait::Arm { again: false }).unwrap();
    let _ = bell.fall_asleep(heard);
    bell.wake_up();
    bell.drain();
    if armed != Looked::Got(()) {
        event.give_up_event().unwrap();
    }
    mark();
}
