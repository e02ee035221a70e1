//! `crossmem-torture [--minutes N] [--only PART OF A NAME] [--seed N] [--report FILE] [--list]`

use std::path::PathBuf;
use std::time::Duration;

pub struct Arguments {
    /// How long a sample may take; `None` for every instruction.
    pub time: Option<Duration>,
    /// Parts of names: operations whose names contain one of these are run. If empty, all are.
    pub only: Vec<String>,
    pub seed: u64,
    /// The file that the report is written to.
    pub report: Option<PathBuf>,
    pub list: bool,
}

impl Arguments {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
        let mut arguments = Arguments { time: None, only: Vec::new(), seed: 1, report: None, list: false };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            let number = |text: String| text.parse::<f64>().map_err(|_| format!("{text} is not a number"));
            match word.as_str() {
                "--minutes" => {
                    let minutes = number(value()?)?;
                    arguments.time = Some(
                        Duration::try_from_secs_f64(minutes * 60.0).map_err(|_| "--minutes: at least 0")?,
                    );
                }
                "--only" => arguments.only.push(value()?),
                "--seed" => arguments.seed = number(value()?)? as u64,
                "--report" => arguments.report = Some(value()?.into()),
                "--list" => arguments.list = true,
                _ => return Err(format!("unknown argument {word}")),
            }
        }
        Ok(arguments)
    }
}
