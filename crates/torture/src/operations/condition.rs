//! Conditions.

use crossmem_core::{Looked, Wait};

use super::inside::scene;
use super::operation::{Operation, operation};
use crate::scene::Thing;
use crate::setting::Setting::Waiting;
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("condition: enter", enter_condition).recovered_by("condition: pass on after a death"),
    operation("condition: notify", notify)
        .in_setting(Waiting)
        .recovered_by("condition: pass on after a death"),
    operation("condition: pass on after a death", notify)
        .in_setting(Waiting)
        .after_death_of(die_notified)
        .recovered_by("condition: pass on after a death"),
    operation("condition: settle", settle).blocking(Thing::Condition),
    operation("condition: leave with a notification", leave_condition)
        .in_setting(Waiting)
        .recovered_by("condition: pass on after a death"),
];

fn enter_condition(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.condition).enter_condition().unwrap();
    mark();
    scene.on(&scene.condition).leave_condition(0).unwrap();
}

fn notify(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.condition).notify_condition(1).unwrap();
    mark();
}

/// Dies notified, but without knowing it. The notification must go to another waiter.
fn die_notified(stage: &Stage) {
    let scene = scene(stage);
    let condition = scene.on(&scene.condition);
    condition.enter_condition().unwrap();
    condition.notify_condition(u32::MAX).unwrap();
}

fn settle(stage: &Stage) {
    let scene = scene(stage);
    let condition = scene.on(&scene.condition);
    condition.enter_condition().unwrap();
    condition.notify_condition(u32::MAX).unwrap();
    mark();
    assert_eq!(condition.wait_condition(0, Wait::Try).unwrap(), Looked::Got(()));
    condition.settle_condition().unwrap();
    mark();
}

/// Leaves notified, but without knowing it. The notification goes to the next waiter.
fn leave_condition(stage: &Stage) {
    let scene = scene(stage);
    let condition = scene.on(&scene.condition);
    condition.enter_condition().unwrap();
    condition.notify_condition(u32::MAX).unwrap();
    mark();
    condition.leave_condition(0).unwrap();
    mark();
}
