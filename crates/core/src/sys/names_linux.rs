//! Names in `/dev/shm` that any user of the machine may have taken.
//!
//! `/dev/shm` belongs to all users, so another user may have made a file of the wanted name: for a
//! joke, or as root of a user namespace, which is another user outside. Then the next name is
//! taken. All processes that look by one rule agree on one: the first name whose file is theirs.

use std::fs;
use std::io;
use std::path::Path;

use super::directory_linux::DIRECTORY;
use super::file::Taken;
use super::linux::path;

/// The names that a file may have, in order: its own, then with `~1`, `~2` and so on, which no
/// domain's name contains.
pub(super) struct Names<T> {
    /// Those that lead to what the caller looks for, with it.
    pub ours: Vec<(String, T)>,
    /// Those that others have.
    pub taken: Vec<Taken>,
    /// The first that leads nowhere.
    pub free: String,
}

/// Which names of the caller to look for. Usually the very first is, and no directory need be read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ours {
    First,
    All,
}

/// What lies under a name.
pub(super) enum Seen<T> {
    Nothing,
    Ours(T),
    Taken { owner: u32 },
}

impl<T> Names<T> {
    pub(super) fn read(
        name: &str,
        ours: Ours,
        look: impl Fn(&Path) -> io::Result<Seen<T>>,
    ) -> io::Result<Names<T>> {
        let mut names = Names { ours: Vec::new(), taken: Vec::new(), free: String::new() };
        names.sort(name.to_owned(), &look)?;
        if !names.ours.is_empty() && ours == Ours::First {
            return Ok(names);
        }
        let mut numbers: Vec<u64> = fs::read_dir(DIRECTORY)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| number_of(entry.file_name().to_str()?, name))
            .collect();
        numbers.sort_unstable();
        for number in &numbers {
            names.sort(numbered(name, *number), &look)?;
        }
        if names.free.is_empty() {
            let number = (1..=numbers.len() as u64 + 1).find(|number| numbers.binary_search(number).is_err());
            names.free = numbered(name, number.unwrap_or(1));
        }
        Ok(names)
    }

    fn sort(&mut self, name: String, look: impl Fn(&Path) -> io::Result<Seen<T>>) -> io::Result<()> {
        let path = path(&name);
        match look(&path)? {
            Seen::Nothing if self.free.is_empty() => self.free = name,
            Seen::Nothing => {}
            Seen::Ours(file) => self.ours.push((name, file)),
            Seen::Taken { owner } => self.taken.push(Taken { path, owner }),
        }
        Ok(())
    }
}

fn numbered(name: &str, number: u64) -> String {
    format!("{name}~{number}")
}

fn number_of(file: &str, name: &str) -> Option<u64> {
    let number = file.strip_prefix(name)?.strip_prefix('~')?.parse().ok()?;
    (file == numbered(name, number) && number > 0).then_some(number)
}
