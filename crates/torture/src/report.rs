//! The report: operations × instructions × outcomes.

use std::fmt::Write;
use std::time::Duration;

use crate::arguments::Arguments;
use crate::tally::Tally;

/// What came of one operation.
pub struct Row {
    pub operation: &'static str,
    /// Instructions after which others see a difference.
    pub changes: usize,
    pub alone: Tally,
    pub pairs: Tally,
}

impl Row {
    fn violations(&self) -> impl Iterator<Item = &String> {
        self.alone.violations.iter().chain(&self.pairs.violations)
    }
}

pub fn line(row: &Row) -> String {
    let [killed, frozen, resumed] = row.alone.done;
    format!(
        "{}: {} instructions, {} of them seen by others; {killed} killed, {frozen} frozen and killed, {resumed} frozen and \
         resumed; {} pairs of {}; {} violations",
        row.operation,
        row.alone.instructions,
        row.changes,
        row.pairs.trials(),
        row.pairs.instructions,
        row.violations().count(),
    )
}

/// Operations of which something was not as promised.
pub fn failed(rows: &[Row], closing: &Tally) -> usize {
    let failed = rows.iter().filter(|row| row.violations().next().is_some()).count();
    failed + usize::from(!closing.violations.is_empty())
}

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
    writeln!(page, "## Killed, frozen and resumed at {extent}\n")?;
    writeln!(
        page,
        "An instruction is *seen* if it stores to shared memory or calls the system. *Pairs*: killed after something that is \
         seen, and then whoever repairs that, again after something that is seen. *Longest*: until two survivors had done \
         100 operations each after a death. *Missed*: the victim took another way that \
         time. *Late*: they needed longer than 500 ms, and not when it was tried again.\n"
    )?;
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
