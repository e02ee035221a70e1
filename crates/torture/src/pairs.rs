//! Two deaths: a victim's, and that of the process that repairs what the victim left. Both die at
//! the instructions after which other processes see a difference: after each store to shared memory
//! and each system call. These include all fail points.

use std::time::{Duration, Instant};

use crate::operations::Operation;
use crate::run::Run;
use crate::survey::Trace;
use crate::tally::Tally;

/// Tries all pairs. With a limit of time, it tries as many first deaths as there is time for, each
/// with up to 8 second ones.
pub fn torture_pairs(
    run: &mut Run,
    operation: &Operation,
    trace: &Trace,
    recovery: &Operation,
    time: Option<Duration>,
) -> Tally {
    const TOGETHER: usize = 8;
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut firsts = trace.changes.clone();
    if time.is_some() {
        run.random.shuffle(&mut firsts);
    }
    for first in firsts {
        let place = format!("{} at {first}, then {}", operation.name, recovery.name);
        let surveyed = run.attempt(&mut tally, &place, |theatre| {
            theatre.survey_recovery(operation, trace, first, recovery).map(Some)
        });
        let Some(recovered) = surveyed else { continue };
        tally.instructions += recovered.changes.len();
        let mut seconds = recovered.changes.clone();
        if time.is_some() {
            run.random.shuffle(&mut seconds);
            seconds.truncate(TOGETHER);
        }
        for second in seconds {
            let place = format!("{place} at {second}");
            run.attempt_in_time(&mut tally, 0, &place, |theatre| {
                theatre.torture_pair((operation, trace, first), (recovery, &recovered, second))
            });
        }
        if time.is_some_and(|time| started.elapsed() > time) {
            break;
        }
    }
    tally
}
