//! The report: a row for each operation, with its instructions, trials and violations.

use std::fmt::Write;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::tally::Tally;

/// The results of one operation.
pub struct Row {
    pub operation: &'static str,
    /// How many instructions change what other processes see.
    pub changes: usize,
    pub alone: Tally,
    pub pairs: Tally,
}

impl Row {
    fn violations(&self) -> impl Iterator<Item = &String> {
        self.alone.violations.iter().chain(&self.pairs.violations)
    }
}

/// What the columns mean.
const LEGEND: &str = "\
- *instructions*: how many the operation executes.
- *seen*: how many of them change what other processes see: they store to shared memory or call the system.
- *killed*; *frozen, killed*; *frozen, resumed*: how many trials were made. Each leads a victim to one instruction. \
There it is killed, or frozen while two survivors use all objects, and then killed or resumed.
- *pairs tried*: how many trials killed a victim after a seen instruction, and then the process that repaired this, \
after a seen instruction of the repair. *of*: how many such pairs there are after the first deaths that were tried.
- *missed*: trials whose victim executed other instructions and didn't reach its own.
- *late*: trials after which the survivors needed more than 500 ms, but not when the trial was repeated.
- *longest*: the longest time in which the two survivors did 100 operations each after a trial.
";

/// A line for the terminal.
pub fn line(row: &Row) -> String {
    let [killed, frozen, resumed] = row.alone.done;
    format!(
        "{}: {} instructions, {} of them seen by other processes; {killed} killed, {frozen} frozen and \
         killed, {resumed} frozen and resumed; {} pairs of {}; {} violations",
        row.operation,
        row.alone.instructions,
        row.changes,
        row.pairs.trials(),
        row.pairs.instructions,
        row.violations().count(),
    )
}

/// How many operations broke a promise; closing the domain counts as one.
pub fn failed(rows: &[Row], closing: &Tally) -> usize {
    let failed = rows.iter().filter(|row| row.violations().next().is_some()).count();
    failed + usize::from(!closing.violations.is_empty())
}

/// The whole report, as Markdown.
pub fn page(rows: &[Row], closing: &Tally, arguments: &Arguments, took: Duration) -> String {
    let mut page = String::new();
    let _ = write_page(&mut page, rows, closing, arguments, took);
    page
}

fn write_page(
    page: &mut String,
    rows: &[Row],
    closing: &Tally,
    arguments: &Arguments,
    took: Duration,
) -> std::fmt::Result {
    let extent = match arguments.time {
        None => "every instruction".to_owned(),
        Some(time) => {
            format!("a sample of {:.1} minutes, seed {}", time.as_secs_f64() / 60.0, arguments.seed)
        }
    };
    writeln!(page, "## Killed, frozen and resumed: {extent}\n")?;
    writeln!(page, "{LEGEND}")?;
    writeln!(
        page,
        "| operation | instructions | seen | killed | frozen, killed | frozen, resumed | pairs tried | of | missed | late | longest, ms | violations |"
    )?;
    writeln!(page, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")?;
    for row in rows {
        let [killed, frozen, resumed] = row.alone.done;
        let longest = row.alone.longest.max(row.pairs.longest).as_secs_f64() * 1000.0;
        writeln!(
            page,
            "| {} | {} | {} | {killed} | {frozen} | {resumed} | {} | {} | {} | {} | {longest:.0} | {} |",
            row.operation,
            row.alone.instructions,
            row.changes,
            row.pairs.trials(),
            row.pairs.instructions,
            row.alone.missed + row.pairs.missed,
            row.alone.late + row.pairs.late,
            row.violations().count(),
        )?;
    }
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    writeln!(
        page,
        "\n{} operations, {} instructions, {} trials and {} pairs in {:.1} minutes: {} violations.",
        rows.len(),
        sum(|row| row.alone.instructions),
        sum(|row| row.alone.trials()),
        sum(|row| row.pairs.trials()),
        took.as_secs_f64() / 60.0,
        sum(|row| row.violations().count()) + closing.violations.len(),
    )?;
    for violation in rows.iter().flat_map(Row::violations).chain(&closing.violations) {
        writeln!(page, "- {violation}")?;
    }
    Ok(())
}
