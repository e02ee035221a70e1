//! Explicit-state models of locks with a table by slot, under sequential consistency.
//!
//! Every interleaving of a few processes is explored, one store at a time. The number of calls and
//! deaths is not bounded. Any process may die before any store; then another agent takes its slot.

mod barrier;
#[path = "../common/explore.rs"]
mod explore;
mod gate;
mod semaphore;

use crate::barrier::Barrier;
use crate::explore::{expect_violation, explore_all};
use crate::semaphore::{Fault, Semaphore};

#[test]
fn permits_are_conserved() {
    let sizes = [(2, 1, 1), (2, 1, 2), (2, 2, 3), (3, 1, 1), (3, 2, 2)];
    explore_all(sizes.map(|(processes, permits, most)| Semaphore { processes, permits, most, fault: None }));
}

#[test]
fn every_fault_of_a_semaphore_is_found() {
    for fault in [
        Fault::NoRecount,
        Fault::NoReclaim,
        Fault::ReclaimTheLiving,
        Fault::ReclaimWithoutRecount,
        Fault::InheritCount,
        Fault::ForgetPredecessor,
        Fault::HoldWithoutLook,
        Fault::NoMutex,
    ] {
        expect_violation(fault, [Semaphore { processes: 2, permits: 1, most: 2, fault: Some(fault) }]);
    }
}

#[test]
fn a_meeting_is_met_by_all_or_broken_for_all() {
    explore_all([Barrier { processes: 2, fault: None }]);
}

#[test]
fn every_fault_of_a_barrier_is_found() {
    use crate::barrier::Fault;
    for fault in [
        Fault::NoFollowing,
        Fault::ArrivingBeforeCleared,
        Fault::GenerationBeforeOutcome,
        Fault::WaitBesideDead,
        Fault::ArriveBesideDead,
        Fault::ArriveWhileLed,
        Fault::CompleteWithoutLook,
        Fault::NoLastBroken,
    ] {
        expect_violation(fault, [2, 3].map(|processes| Barrier { processes, fault: Some(fault) }));
    }
}
