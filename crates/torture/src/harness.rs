//! Runs all operations and reports the results.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::cores::stay_on_one_core;
use crate::operations::{self, Operation};
use crate::pairs::torture_pairs;
use crate::report::{self, Row};
use crate::run::Run;
use crate::tally::Tally;

/// What `npm run torture` runs. The status is 0 if every promise held.
///
/// # Panics
/// If the recovery that an operation names isn't in the list of operations.
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
    // Children that are forked after this have the same seed in their hash maps. So they execute
    // the same instructions there.
    drop(HashMap::<u8, u8>::new());
    let mut run = Run::new(arguments.seed);
    let started = Instant::now();
    let mut rows = Vec::new();
    for (i, operation) in wanted.iter().enumerate() {
        let recovery = all.iter().find(|other| other.name == operation.recovery).expect("it is in the list");
        let share =
            arguments.time.map(|time| time.saturating_sub(started.elapsed()) / (wanted.len() - i) as u32);
        rows.push(go_through(&mut run, operation, recovery, share));
    }
    let mut closing = Tally::default();
    if let Err(e) = run.close() {
        closing.violated(format!("closing the domain: {e}"));
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

/// Tortures an operation by itself, and then in pairs with its recoverer.
fn go_through(run: &mut Run, operation: &Operation, recovery: &Operation, time: Option<Duration>) -> Row {
    let started = Instant::now();
    let mut surveyed = Tally::default();
    let trace = run.attempt(&mut surveyed, operation.name, |theatre| theatre.survey(operation).map(Some));
    let Some(trace) = trace else {
        return Row { operation: operation.name, changes: 0, alone: surveyed, pairs: Tally::default() };
    };
    let left = || time.map(|time| time.saturating_sub(started.elapsed()));
    let mut alone = run.torture(operation, &trace, left().map(|left| left * 2 / 3));
    // The heap's address differs between victims, so the allocator may execute other instructions.
    // Most victims must reach theirs.
    if alone.violations.is_empty() && (alone.done.contains(&0) || alone.missed > alone.trials()) {
        alone.violated(format!("{}: {} trials missed their instruction", operation.name, alone.missed));
    }
    let pairs = torture_pairs(run, operation, &trace, recovery, left());
    let row = Row { operation: operation.name, changes: trace.changes.len(), alone, pairs };
    println!("{} ({:.1} s)", report::line(&row), started.elapsed().as_secs_f64());
    row
}
