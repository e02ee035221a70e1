//! An explicit-state model of the registry and of agents, under sequential consistency.
//!
//! Every interleaving of a few processes is explored, one store to shared memory or one system call
//! at a time. The number of operations and deaths is not bounded.
//!
//! * A process that is gone may come again and register: it opens or makes the control segment,
//!   locks the byte of a new instance, takes a slot (also that of a dead agent), and sweeps.
//! * An agent may create, open, close and unlink objects, sweep, and leave. Objects may have a
//!   second file, the arena of a queue. The last agent retires the domain and removes it.
//! * A process that waits for the registry's mutex may give up.
//! * Any process may die before any step. The kernel then drops its life lock, the lock on the byte
//!   of its instance. A stopped process is one that is not chosen.
//!
//! Instances, and numbers of objects and files, are told apart only by where they occur: a new
//! number is one that occurs nowhere. Of states that differ only in these numbers, or in the order
//! of processes, one is explored. Taking the mutex is one step, since loom explores the mutex.
//! Reading what only its owner changes is no step of its own.
//!
//! Of the index, an entry has one bit: whether it is in the list of its name. An owner of the mutex
//! that doesn't die makes one change of the other links, and the next owner of one that dies makes
//! all of them again. So between two owners they say what the entries say. The test of
//! `domain/registry/index.rs` shows this with the code itself, for deaths after each store.
//!
//! Asserted in every state:
//!
//! * A name leads to a whole file that an entry knows, in a domain that is not retired. A `LIVE`
//!   object has its file, and its arena. No two objects have one name.
//! * A live agent keeps its slot, the mutex while it holds it, its domain, and each object that it
//!   has open, unless the object was unlinked. It is attached to no other object: in particular to
//!   none that its predecessor in the slot had.
//! * Each process alone, or a newcomer, completes its operation unless a live process holds the
//!   mutex. After it has swept, no slot, bit, entry or mutex of a dead agent is left. After it has
//!   left as the last agent, no domain is left.
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
    Model { processes: 2, objects: 0, persist: false, arenas: false, joins: true, fault: None };

const OBJECTS: Model = Model { objects: 1, ..DOMAIN };
const LASTING: Model = Model { persist: true, ..OBJECTS };
const QUEUES: Model = Model { arenas: true, joins: false, ..OBJECTS };

#[test]
fn joining_and_leaving() {
    explore_all([DOMAIN]);
}

#[test]
fn objects() {
    explore_all([OBJECTS, LASTING]);
}

#[test]
fn objects_with_arenas() {
    explore_all([QUEUES]);
}

/// Takes some minutes and two gigabytes.
#[cfg(feature = "large-models")]
#[test]
fn more_processes_and_queues_of_newcomers() {
    explore_all([Model { processes: 3, ..DOMAIN }, Model { joins: true, ..QUEUES }]);
}

#[test]
fn every_fault_in_joining_and_leaving_is_found() {
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
fn every_fault_in_objects_is_found() {
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
fn every_fault_in_arenas_is_found() {
    find(&[QUEUES], &[Fault::ArenaBeforeBorn, Fault::ArenaAfterLive, Fault::EraseForgetsArena]);
}

fn find(models: &[Model], faults: &[Fault]) {
    for &fault in faults {
        expect_violation(fault, models.iter().map(|model| Model { fault: Some(fault), ..*model }));
    }
}
