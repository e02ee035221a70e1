//! Goes through all operations, and says what came of it.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::arguments::Arguments;
use crate::ledger::Ledger;
use crate::operations::{self, Operation};
use crate::pairs::torture_pairs;
use crate::report::{self, Row};
use crate::stage::{Outcome, check};
use crate::survey::Trace;
use crate::trial::{FATES, SOON, Theatre};

/// What came of the trials of one operation.
#[derive(Default)]
pub struct Tally {
    /// Instructions, or pairs of them, that there are.
    pub instructions: usize,
    /// Trials by fate.
    pub done: [usize; 3],
    /// The victim took another way this time.
    pub missed: usize,
    /// The survivors were not done in time, and were so when it was tried again.
    pub late: usize,
    /// Longest time until the survivors had done their turns.
    pub longest: Duration,
    pub violations: Vec<String>,
}

impl Tally {
    pub fn count(&mut self, fate: usize, needed: Option<Duration>) {
        match needed {
            Some(needed) => {
                self.done[fate] += 1;
                self.longest = self.longest.max(needed);
            }
            None => self.missed += 1,
        }
    }

    fn violated(&mut self, violation: String) {
        println!("VIOLATION: {violation}");
        self.violations.push(violation);
    }

    pub fn trials(&self) -> usize {
        self.done.iter().sum()
    }
}

/// The theatre of the day. After a violation there is a new one.
pub struct Run {
    ledger: &'static Ledger,
    theatre: Option<Theatre>,
    theatres: u32,
    pub random: fastrand::Rng,
}

impl Run {
    /// Does something in the theatre; what is not as promised is noted. `None` then, or if the answer is.
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

    /// A trial after which the survivors go on soon. A machine that has something else to do can be late; what is the
    /// victim's fault happens again.
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
                    format!("{TRIES} times in a row it took the survivors too long, now {needed:?}")
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
        Ok(self.theatre.as_mut().expect("it was just made"))
    }

    /// Trials at all instructions; or where others see a difference, and as many others as there is time for.
    fn torture(&mut self, operation: &Operation, trace: &Trace, time: Option<Duration>) -> Tally {
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

    /// An operation by itself, and with the death of its recoverer.
    fn go_through(&mut self, operation: &Operation, recovery: &Operation, time: Option<Duration>) -> Row {
        let started = Instant::now();
        let mut surveyed = Tally::default();
        let trace =
            self.attempt(&mut surveyed, operation.name, |theatre| theatre.survey(operation).map(Some));
        let Some(trace) = trace else {
            return Row { operation: operation.name, changes: 0, alone: surveyed, pairs: Tally::default() };
        };
        let left = || time.map(|time| time.saturating_sub(started.elapsed()));
        let mut alone = self.torture(operation, &trace, left().map(|left| left * 2 / 3));
        // Where its heap lies differs from one victim to the next, and so may its way through the allocator. But most must come.
        if alone.violations.is_empty() && (alone.done.contains(&0) || alone.missed > alone.trials()) {
            alone.violated(format!("{}: {} trials missed their instruction", operation.name, alone.missed));
        }
        let pairs = torture_pairs(self, operation, &trace, recovery, left());
        let row = Row { operation: operation.name, changes: trace.changes.len(), alone, pairs };
        println!("{} ({:.1} s)", report::line(&row), started.elapsed().as_secs_f64());
        row
    }
}

/// What `npm run torture` runs; the status is 0 if all was as promised.
///
/// # Panics
/// If an operation is said to be recovered by one that isn't in the list.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(e) => {
            eprintln!(
                "{e}\nusage: npm run torture -- [--minutes N] [--only PART] [--seed N] [--report FILE] [--list]"
            );
            return ExitCode::from(2);
        }
    };
    let all = operations::all();
    let wanted: Vec<&Operation> = all
        .iter()
        .filter(|operation| {
            arguments.only.is_empty()
                || arguments.only.iter().any(|part| operation.name.contains(part.as_str()))
        })
        .collect();
    if arguments.list {
        for operation in wanted {
            println!("{}", operation.name);
        }
        return ExitCode::SUCCESS;
    }
    stay_on_one_core();
    // Whoever is forked from here has the same seeds in its maps, and takes the same way through them.
    drop(HashMap::<u8, u8>::new());
    let mut run = Run {
        ledger: Ledger::new(),
        theatre: None,
        theatres: 0,
        random: fastrand::Rng::with_seed(arguments.seed),
    };
    let started = Instant::now();
    let mut rows = Vec::new();
    for (i, operation) in wanted.iter().enumerate() {
        let recovery = all.iter().find(|other| other.name == operation.recovery).expect("it is in the list");
        let share =
            arguments.time.map(|time| time.saturating_sub(started.elapsed()) / (wanted.len() - i) as u32);
        rows.push(run.go_through(operation, recovery, share));
    }
    let mut closing = Tally::default();
    if let Some(theatre) = run.theatre.take()
        && let Err(e) = theatre.close()
    {
        closing.violated(format!("at the end: {e}"));
    }
    let page = report::page(&rows, &closing, &arguments, started.elapsed());
    if let Some(file) = &arguments.report
        && let Err(e) = std::fs::write(file, &page)
    {
        eprintln!("{}: {e}", file.display());
        return ExitCode::FAILURE;
    }
    let failed = report::failed(&rows, &closing);
    println!("{} passed, {failed} failed", rows.len() - failed.min(rows.len()));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A victim and its tracer take turns, which is twice as fast on one core.
fn stay_on_one_core() {
    let mut core = CpuSet::new();
    if core.set(0).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &core);
    }
}

/// Survivors run anywhere.
pub fn run_on_any_core() {
    let mut cores = CpuSet::new();
    for core in 0..CpuSet::count() {
        let _ = cores.set(core);
    }
    let _ = sched_setaffinity(Pid::from_raw(0), &cores);
}
