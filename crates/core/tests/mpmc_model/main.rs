//! An explicit-state model of the MPMC queue, under sequential consistency. `failures.rs` is a
//! model of its counters.
//!
//! Every interleaving of a few processes is explored, one shared access at a time. The number of
//! operations and deaths is not bounded. An idle process may begin one of these:
//!
//! * a put, which scans for a free chunk from any chunk on, and may be cancelled half written,
//! * a get, which may retire the message and remove its segment before it frees the chunk,
//! * the reap of a dead process,
//! * the end of the queue.
//!
//! Any process but the last may die before any access; its id is used again after its reap. The
//! states are finitely many: laps and positions are kept relative to the end of the ring, and of a
//! position that is older than every slot, only its slot is kept. A process that has read an owner
//! word keeps whether the word is still that one. Except in the largest model, a process that was
//! stopped with an old position stores it as head or tail. Of states that differ in the names of
//! processes only, one is explored.
//!
//! Asserted on every transition:
//!
//! * The abstract FIFO, which is the linked and unclaimed chunks, changes only by a link at its
//!   back or a claim at its front.
//! * EMPTY is returned only when the FIFO is empty.
//! * Nothing is linked once a reader has concluded that an ended queue is done.
//!
//! Asserted in every state:
//!
//! * The queued chunks that are linked lie in a row at the end of the ring. No chunk is leaked: it
//!   is free, linked, held by a dead process, or held by a process that knows it. A queued or taken
//!   chunk is wholly written.
//! * The tail is not behind the end of the ring, nor the head behind the first message, and a link
//!   always has room.
//! * Each live process alone completes its operation and then any other, even before dead processes
//!   are reaped. Once it has reaped them, the queue holds exactly the messages that are due, and
//!   drains. Then it takes a message for each chunk that no other live process holds. An ended
//!   queue is done instead, unless another live process may still bring a message.
//!
//! [`Fault`] lists what the algorithm cannot do without; the model finds each. The CAS with which a
//! reap changes the owner word of a dead process's chunk is not among them: under the mutex, no
//! other process changes that word.

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

fn models(processes: u8, late: bool, sizes: &[(u8, u8)]) -> impl Iterator<Item = Model> {
    let variants = [(false, false), (true, false), (false, true), (true, true)];
    let model = move |(chunks, slots)| {
        variants.map(|(redeliver, ends)| Model {
            processes,
            chunks,
            slots,
            redeliver,
            ends,
            late,
            fault: None,
        })
    };
    sizes.iter().copied().flat_map(model)
}

#[test]
fn two_processes() {
    explore_all(models(2, true, &[(1, 1), (1, 2), (2, 2)]));
}

#[test]
fn three_processes() {
    explore_all(models(3, true, &[(1, 1), (1, 2)]));
}

/// Takes a minute and more than a gigabyte.
#[cfg(feature = "large-models")]
#[test]
fn two_processes_with_four_slots() {
    explore_all(models(2, true, &[(2, 4)]));
}

/// Takes minutes and more than a gigabyte.
#[cfg(feature = "large-models")]
#[test]
fn three_processes_with_two_chunks() {
    explore_all(models(3, false, &[(2, 2)]));
}

#[test]
fn every_fault_is_found() {
    for fault in [
        Fault::PositionIgnored,
        Fault::NoTailHelp,
        Fault::NoHeadHelp,
        Fault::HeadSkipsLap,
        Fault::LinkBeforeQueued,
        Fault::MarkedOnce,
        Fault::TailBeforeLink,
        Fault::HeadBeforeClaim,
        Fault::ReapWithoutLook,
        Fault::ReapStoresQueued,
        Fault::ReapWithoutMutex,
        Fault::EndedLoadBeforeClaim,
        Fault::DoneDespiteWriting,
        Fault::DoneDespiteQueued,
        Fault::DoneDespiteReading,
        Fault::RemoveWithoutRetire,
    ] {
        let one = models(2, true, &[(1, 1)]).chain(models(3, true, &[(1, 1)]));
        let sizes = one.chain(models(2, true, &[(2, 2)]));
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
        Fault::FailingByNumber,
        Fault::CountWithoutFreeing,
        Fault::GiveUpWithoutMutex,
    ] {
        expect_violation(fault, [Failures { processes: 3, chunks: 2, fault: Some(fault) }]);
    }
}
