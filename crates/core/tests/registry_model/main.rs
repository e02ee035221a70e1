//! An explicit-state model of the registry and of agents, under sequential consistency.
//!
//! Every interleaving of a few processes is explored, one store to shared memory or one system call at a time, with no
//! bound on the number of operations or of deaths. A process that is gone may come and register: it opens or makes the
//! control segment, locks the byte of a new instance, takes a slot (a dead agent's, too) and sweeps. A member may create,
//! open, close and unlink objects, sweep, put a message in a segment of its own into a queue, take one, and leave; the
//! last one retires the domain and removes it. Whoever waits for the lock may give up. Any process may die before any
//! step, and the kernel drops its life lock then; one that is stopped is one that isn't chosen.
//!
//! Instances, and numbers of objects and files, are told apart only by where they occur: a new one is one that nobody
//! remembers. Of states that differ just in these numbers, or in which process is which, one is kept. Taking the lock is
//! one step (loom explores the mutex), and so is reading what only its owner changes.
//!
//! Asserted in every state:
//!
//! * A name leads to a whole file, and an entry of a domain that is not retired knows it; an object that is `LIVE` has its
//!   file; no two have one name.
//! * A living agent keeps its slot, the lock while it is inside, its domain, and what it has open, but for what somebody
//!   unlinked. It is attached to nothing else: not to what its predecessor in the slot had.
//! * A message is there as long as somebody has its queue open who may get it.
//! * Each process alone, or a newcomer, completes its operation unless a living process holds the lock. When it has swept
//!   then, no slot, bit, entry or lock of the dead is left; when it has left as the last one, no domain is.
//!
//! [`Fault`] lists what the registry cannot do without; the model finds each.

mod agents;
mod check;
mod create;
mod erase;
#[path = "../common/explore.rs"]
mod explore;
mod faults;
mod lock;
mod model;
mod names;
mod objects;
mod state;
mod sweep;

use crate::explore::{expect_violation, explore_all};
use crate::faults::Fault;
use crate::model::Model;

const DOMAIN: Model =
    Model { processes: 2, objects: 0, persist: false, spills: false, joins: true, fault: None };

const OBJECTS: Model = Model { objects: 1, ..DOMAIN };
const LASTING: Model = Model { persist: true, ..OBJECTS };
const QUEUES: Model = Model { spills: true, joins: false, ..OBJECTS };

#[test]
fn joining_and_leaving() {
    explore_all([DOMAIN]);
}

#[test]
fn objects() {
    explore_all([OBJECTS, LASTING]);
}

#[test]
fn queues_and_their_messages() {
    explore_all([QUEUES]);
}

/// Some minutes and two gigabytes.
#[cfg(feature = "large-models")]
#[test]
fn more_processes_and_queues_of_newcomers() {
    explore_all([Model { processes: 3, ..DOMAIN }, Model { joins: true, ..QUEUES }]);
}

#[test]
fn what_joining_and_leaving_cannot_do_without() {
    find(
        &[DOMAIN, OBJECTS, LASTING],
        &[
            Fault::MapWithoutSecondLook,
            Fault::InstanceReused,
            Fault::SlotBeforeLife,
            Fault::SlotTakenByStore,
            Fault::KeepPredecessorsBits,
            Fault::JoinRetired,
            Fault::RetireDespiteOthers,
            Fault::RetireDespiteObjects,
            Fault::RemoveBeforeRetired,
            Fault::RemoveControlByName,
            Fault::LeaveSlotFirst,
        ],
    );
}

#[test]
fn what_objects_cannot_do_without() {
    find(
        &[OBJECTS],
        &[
            Fault::TakeByStore,
            Fault::NoRepair,
            Fault::UnlockBeforeLive,
            Fault::LinkBeforeWritten,
            Fault::LinkBeforeBorn,
            Fault::LiveBeforeLink,
            Fault::BornIsKept,
            Fault::RemoveBeforeDying,
            Fault::FreeBeforeRemoved,
            Fault::AttachAfterUnlock,
            Fault::CloseErases,
            Fault::SweepErases,
            Fault::SweepClearsSlotsByStore,
        ],
    );
}

#[test]
fn what_messages_cannot_do_without() {
    find(
        &[QUEUES],
        &[
            Fault::UnlinkForgetsChildren,
            Fault::DyingBeforeShared,
            Fault::CloseForgetsChildren,
            Fault::CloseForgetsParent,
            Fault::RepairKeepsShares,
        ],
    );
}

fn find(models: &[Model], faults: &[Fault]) {
    for &fault in faults {
        expect_violation(fault, models.iter().map(|model| Model { fault: Some(fault), ..*model }));
    }
}
