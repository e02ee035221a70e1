//! What victims that use locks have in common.

use std::sync::atomic::Ordering::SeqCst;

use crate::scene::{Scene, Thing};
use crate::stage::Stage;

/// A scene that its process never closes.
pub fn scene(stage: &Stage) -> &'static Scene {
    Box::leak(Box::new(Scene::open(stage)))
}

/// Notes whether the victim holds the object that its operation may keep from other processes.
pub fn say_inside(scene: &Scene, inside: bool) {
    scene.stage.ledger.victim_inside.store(inside.into(), SeqCst);
}

/// Repairs what a dead process left half-changed, unless a survivor already did.
pub fn repair(scene: &Scene, of: Thing, died: bool) {
    let twins = scene.twins(of);
    assert!(died || twins.are_equal(), "it is half-changed, but no death is reported");
    twins.repair();
}
