//! What victims in locks have in common.

use std::sync::atomic::Ordering::SeqCst;

use crate::scene::{Scene, Thing};
use crate::stage::Stage;

/// A scene that its process never gives up.
pub fn scene(stage: &Stage) -> &'static Scene {
    Box::leak(Box::new(Scene::open(stage)))
}

/// Says that it is inside what it may keep from others, or that it is about to leave.
pub fn say_inside(scene: &Scene, inside: bool) {
    scene.stage.ledger.victim_inside.store(inside.into(), SeqCst);
}

/// What the dead left, unless a survivor was faster.
pub fn repair(scene: &Scene, of: Thing, died: bool) {
    let twins = scene.twins(of);
    assert!(died || twins.are_equal(), "nobody said that it is half-changed");
    twins.repair();
}
