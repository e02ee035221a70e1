//! An explicit-state model of the MPMC queue, under sequential consistency; `failures.rs` has one of its counters.
//!
//! Every interleaving of a few processes is explored, one shared access at a time, with no bound on the number of
//! operations or of deaths. An idle process may begin a put (its claim scan from any chunk; half written, it may be
//! cancelled), a get (it may retire the message, and remove its segment, before it frees the chunk), the reap of a dead process, or the end of the queue. Any process but the last may die before
//! any access; its id is used again after its reap. Of laps and positions only the distance from the head matters,
//! and of a generation only whether the owner word is still the one that was read: so the states are finitely many.
//! Of those that differ just in the names of processes one is kept.
//!
//! Asserted on every transition: the abstract FIFO (linked, not yet claimed) changes only by a link, at its back, and
//! by a claim, at its front; EMPTY is returned only when it is empty; once a reader has concluded that an ended queue
//! is done, nothing is linked. In every state:
//!
//! * A chunk is in at most one slot, and in none unless it is queued or being taken. It is free, queued, or held by a
//!   dead process or by one that knows it, hence never leaked. Queued or taken, it is wholly written.
//! * Head and tail are within one ring of each other, and a link always has room.
//! * Each live process alone, the dead unreaped, completes its operation and then any other. When it has reaped the
//!   dead, the queue holds exactly the messages due, drains, and takes as many as there are chunks less those that
//!   other live processes hold (ended, it is done, unless one of those may still bring a message).
//!
//! [`Fault`] lists what the algorithm cannot do without; the model finds each. That a reap changes the owner word of
//! a chunk that the dead held by a CAS is not among them: under the mutex nobody else changes it.

mod check;
#[path = "../common/explore.rs"]
mod explore;
mod failures;
mod faults;
mod model;
mod moves;
mod state;
mod step;

use crate::explore::{expect_violation, explore_all};
use crate::failures::Failures;
use crate::faults::Fault;
use crate::model::Model;

fn models(processes: u8, sizes: &[(u8, u8)]) -> impl Iterator<Item = Model> {
    let variants = [(false, false), (true, false), (false, true), (true, true)];
    let model = move |(chunks, slots)| {
        variants.map(|(redeliver, ends)| Model { processes, chunks, slots, redeliver, ends, fault: None })
    };
    sizes.iter().copied().flat_map(model)
}

#[test]
fn two_processes() {
    explore_all(models(2, &[(1, 1), (1, 2), (2, 2), (2, 4)]));
}

#[test]
fn three_processes() {
    explore_all(models(3, &[(1, 1), (1, 2)]));
}

/// Two minutes and more than a gigabyte.
#[cfg(feature = "large-models")]
#[test]
fn three_processes_with_two_chunks() {
    explore_all(models(3, &[(2, 2)]));
}

#[test]
fn every_fault_is_found() {
    for fault in [
        Fault::TakeWithoutSecondLook,
        Fault::NoGeneration,
        Fault::NoHelpForClaimed,
        Fault::NoTailHelp,
        Fault::NoHeadHelp,
        Fault::LinkBeforeQueued,
        Fault::SlotLeftToHelpers,
        Fault::FreeBeforeRemoval,
        Fault::ReapWithoutScan,
        Fault::ReapStoresQueued,
        Fault::ReapLeavesSlot,
        Fault::ReapLeavesHead,
        Fault::ReapWithoutMutex,
        Fault::EndedLoadBeforeClaim,
        Fault::DoneDespiteWriting,
        Fault::DoneDespiteQueued,
        Fault::DoneDespiteReading,
        Fault::RemoveWithoutRetire,
    ] {
        let sizes = models(2, &[(1, 1)]).chain(models(3, &[(1, 1)]));
        expect_violation(fault, sizes.map(|model| Model { fault: Some(fault), ..model }));
    }
}

#[test]
fn failures_are_counted_once() {
    let sizes = [(2, 1), (3, 2), (3, 3), (4, 2)];
    explore_all(sizes.map(|(processes, chunks)| Failures { processes, chunks, fault: None }));
}

#[test]
fn every_fault_in_counting_is_found() {
    use crate::failures::Fault;
    for fault in [
        Fault::CountUp,
        Fault::FailingBeforeBefore,
        Fault::NoSettling,
        Fault::SettleWithoutCount,
        Fault::SettleWithoutFreeing,
        Fault::NoGeneration,
        Fault::FreeBeforeCount,
        Fault::GiveUpWithoutMutex,
    ] {
        expect_violation(fault, [Failures { processes: 3, chunks: 2, fault: Some(fault) }]);
    }
}
