//! The trials of an operation, one after the other, in one theatre.

use std::time::{Duration, Instant};

use crate::ledger::Ledger;
use crate::operations::Operation;
use crate::stage::{Outcome, check};
use crate::survey::Trace;
use crate::tally::Tally;
use crate::trial::{FATES, SOON, Theatre};

/// A run of trials. After a violation, the next trial gets a new theatre.
pub struct Run {
    ledger: &'static Ledger,
    theatre: Option<Theatre>,
    theatres: u32,
    pub random: fastrand::Rng,
}

impl Run {
    pub fn new(seed: u64) -> Run {
        let random = fastrand::Rng::with_seed(seed);
        Run { ledger: Ledger::new(), theatre: None, theatres: 0, random }
    }

    /// Closes the theatre, if there is one.
    pub fn close(self) -> Outcome {
        self.theatre.map_or(Ok(()), Theatre::close)
    }

    /// Runs `act` in the theatre. If a promise is broken, the tally gets a violation and the result
    /// is `None`.
    pub fn attempt<T>(
        &mut self,
        tally: &mut Tally,
        place: &str,
        act: impl FnOnce(&mut Theatre) -> Outcome<Option<T>>,
    ) -> Option<T> {
        let acted = self.theatre().and_then(act);
        acted.unwrap_or_else(|e| {
            tally.violated(format!("{place}: {e}"));
            self.theatre = None;
            self.ledger.clear();
            None
        })
    }

    /// Runs a trial after which the survivors must go on soon. A busy machine can make them late
    /// once; what a victim causes happens again. So a trial that is late three times in a row is a
    /// violation.
    pub fn attempt_in_time(
        &mut self,
        tally: &mut Tally,
        fate: usize,
        place: &str,
        act: impl Fn(&mut Theatre) -> Outcome<Option<Duration>>,
    ) {
        const TRIES: usize = 3;
        for tried in 1..=TRIES {
            let violations = tally.violations.len();
            let needed = self.attempt(tally, place, |theatre| {
                let needed = act(theatre)?;
                let late = tried == TRIES && needed.is_some_and(|needed| needed > SOON);
                check(!late, || {
                    format!("the survivors were late {TRIES} times in a row, the last time after {needed:?}")
                })?;
                Ok(needed)
            });
            if tally.violations.len() > violations {
                return;
            }
            if needed.is_none_or(|needed| needed <= SOON) {
                tally.count(fate, needed);
                return;
            }
            tally.late += 1;
        }
    }

    fn theatre(&mut self) -> Outcome<&mut Theatre> {
        if self.theatre.is_none() {
            self.theatres += 1;
            self.theatre = Some(Theatre::new(self.ledger, self.theatres)?);
        }
        Ok(self.theatre.as_mut().expect("made above"))
    }

    /// Tortures an operation at all its instructions. With a limit of time, it tries those after
    /// which other processes see a difference, and then as many of the rest as there is time for.
    pub fn torture(&mut self, operation: &Operation, trace: &Trace, time: Option<Duration>) -> Tally {
        let started = Instant::now();
        let mut places = trace.places();
        let mut tally = Tally { instructions: places.len(), ..Tally::default() };
        let mut needed = places.len();
        if time.is_some() {
            places.retain(|at| trace.changes.binary_search(at).is_err());
            self.random.shuffle(&mut places);
            places.splice(0..0, trace.changes.iter().copied());
            needed = trace.changes.len();
        }
        for (done, at) in places.into_iter().enumerate() {
            if done >= needed && time.is_some_and(|time| started.elapsed() > time) {
                break;
            }
            for (i, fate) in FATES.into_iter().enumerate() {
                let place = format!("{} at {at}, {fate:?}", operation.name);
                self.attempt_in_time(&mut tally, i, &place, |theatre| {
                    theatre.torture(operation, trace, at, fate)
                });
            }
        }
        tally
    }
}
