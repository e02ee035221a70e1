//! Small tables, with the code of the index itself: every operation from every state that can be
//! reached, with an owner that dies after each of its stores, and a next owner that dies after each
//! store of its repair.

use std::collections::HashSet;

use super::super::state::{BORN, DYING};
use super::*;
use crate::sync::Ordering::Release;

const ENTRIES: usize = 3;
const HEADS: usize = 2;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// The shared words of a small registry.
#[derive(Default)]
struct Table {
    heads: [AtomicU32; HEADS],
    free: AtomicU32,
    entries: [Entry; ENTRIES],
    used: AtomicU32,
}

/// The same, as plain numbers: heads, `free`, `used`; state, name and link of each entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Words {
    heads: [u32; HEADS],
    free: u32,
    used: u32,
    entries: [(u32, u8, u32); ENTRIES],
}

impl Default for Entry {
    fn default() -> Self {
        // SAFETY: atomics throughout, for which 0 is a value.
        unsafe { std::mem::zeroed() }
    }
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Create(&'static str),
    Erase(usize),
}

fn operations() -> impl Iterator<Item = Operation> {
    NAMES.into_iter().map(Operation::Create).chain((0..ENTRIES).map(Operation::Erase))
}

impl Table {
    fn of(words: &Words) -> Table {
        let table = Table::default();
        table.used.store(words.used, Relaxed);
        for (entry, (state, name, _)) in table.entries.iter().zip(words.entries) {
            entry.state.store(state, Relaxed);
            entry.name_len.store(u32::from(name != 0), Relaxed);
            entry.name[0].store(name, Relaxed);
        }
        let links = [words.heads[0], words.heads[1], words.free].into_iter();
        let links = links.chain(words.entries.map(|(.., next)| next));
        table.links().into_iter().zip(links).for_each(|(link, value)| link.store(value, Relaxed));
        table
    }

    fn words(&self) -> Words {
        Words {
            heads: self.heads.each_ref().map(|head| head.load(Relaxed)),
            free: self.free.load(Relaxed),
            used: self.used.load(Relaxed),
            entries: self.entries.each_ref().map(|entry| {
                (entry.state.load(Relaxed), entry.name[0].load(Relaxed), entry.next.load(Relaxed))
            }),
        }
    }

    fn links(&self) -> Vec<&AtomicU32> {
        let nexts = self.entries.iter().map(|entry| &entry.next);
        self.heads.iter().chain([&self.free]).chain(nexts).collect()
    }

    fn used(&self) -> &[Entry] {
        &self.entries[..self.used.load(Relaxed) as usize]
    }

    fn index(&self) -> Index<'_> {
        Index { heads: &self.heads, free: &self.free, entries: &self.entries, used: self.used().len() }
    }

    fn state(&self, index: usize) -> u32 {
        self.entries[index].state.load(Relaxed)
    }

    /// As the registry does it: `claim_entry`, `enter`, `free`.
    fn apply(&self, operation: Operation) -> Result<(), Damaged> {
        match operation {
            Operation::Create(name) => {
                if self.index().find(name)?.is_some() {
                    return Ok(());
                }
                let free = self.index().take_free()?;
                let index = free.unwrap_or(self.used().len());
                if index == ENTRIES {
                    return Ok(());
                }
                if self.state(index) != FREE {
                    return Err(Damaged(None));
                }
                if free.is_none() {
                    self.used.store(index as u32 + 1, Relaxed);
                    fail::point("used");
                }
                let entry = &self.entries[index];
                entry.name_len.store(1, Relaxed);
                entry.name[0].store(name.as_bytes()[0], Relaxed);
                fail::point("written");
                entry.state.store(BORN, Relaxed);
                fail::point("born");
                self.index().insert(index);
                entry.state.store(LIVE, Release);
            }
            Operation::Erase(index) if self.state(index) == LIVE => self.erase(index),
            Operation::Erase(_) => {}
        }
        Ok(())
    }

    fn erase(&self, index: usize) {
        self.entries[index].state.store(DYING, Relaxed);
        fail::point("dying");
        let removed = self.index().remove(index);
        self.entries[index].state.store(FREE, Relaxed);
        fail::point("freed");
        match removed {
            Ok(()) => self.index().give_free(index),
            Err(damaged) => self.rebuild(Some(damaged)),
        }
    }

    /// As `Registry::rebuild_index`.
    fn rebuild(&self, damaged: Option<Damaged>) {
        let used = self.used().len();
        let more = (used..ENTRIES).take_while(|index| self.state(*index) != FREE).count();
        self.used.store((used + more) as u32, Relaxed);
        self.index().rebuild(damaged);
    }

    /// As `Registry::repair`.
    fn repair(&self) {
        self.rebuild(None);
        fail::point("indexed");
        for index in 0..self.used().len() {
            if matches!(self.state(index), BORN | DYING) {
                self.erase(index);
            }
        }
    }

    /// The indices that a list leads to; `None` if it never ends.
    fn list(&self, first: &AtomicU32) -> Option<Vec<usize>> {
        let mut found = Vec::new();
        let mut link = first;
        while let Some(index) = target(link) {
            found.push(index);
            if found.len() > ENTRIES {
                return None;
            }
            link = &self.entries[index].next;
        }
        Some(found)
    }

    /// Checks that each entry is in its list, once, and in no other, and that each name is found.
    fn assert_sound(&self, story: &str) {
        let sorted = |list: Option<Vec<usize>>| {
            let mut list = list.unwrap_or_else(|| panic!("an endless list after {story}"));
            list.sort_unstable();
            list
        };
        let all = || 0..self.used().len();
        assert!(all().all(|i| matches!(self.state(i), FREE | LIVE)), "half an object after {story}");
        let free: Vec<usize> = all().filter(|&i| self.state(i) == FREE).collect();
        assert_eq!(sorted(self.list(&self.free)), free, "free entries after {story}");
        for (hash, head) in self.heads.iter().enumerate() {
            let here = |i: &usize| self.index().list(name_bytes(&self.entries[*i])) == hash;
            let live: Vec<usize> = all().filter(|&i| self.state(i) == LIVE).filter(here).collect();
            assert_eq!(sorted(self.list(head)), live, "names of hash {hash} after {story}");
        }
        for i in all().filter(|&i| self.state(i) == LIVE) {
            let name = char::from(self.entries[i].name[0].load(Relaxed)).to_string();
            assert_eq!(self.index().find(&name), Ok(Some(i)), "\"{name}\" after {story}");
        }
    }
}

/// Every state that sound operations lead to, with the states after repairs if `deaths`.
fn reachable(deaths: bool) -> Vec<Words> {
    let first = Table::default().words();
    let (mut known, mut all) = (HashSet::from([first]), vec![first]);
    let mut done = 0;
    while let Some(&before) = all.get(done) {
        done += 1;
        let mut note = |table: &Table, story: &str| {
            table.assert_sound(story);
            if known.insert(table.words()) {
                all.push(table.words());
            }
        };
        for operation in operations() {
            let table = Table::of(&before);
            assert_eq!(table.apply(operation), Ok(()), "{operation:?} after {before:?}");
            note(&table, &format!("{operation:?} of {before:?}"));
            for first in (1..).take_while(|_| deaths) {
                let table = Table::of(&before);
                if !fail::dies_at(first, || {
                    let _ = table.apply(operation);
                }) {
                    break;
                }
                let left = table.words();
                table.repair();
                let story = format!("death at step {first} of {operation:?} of {before:?}");
                note(&table, &story);
                for second in 1.. {
                    let again = Table::of(&left);
                    let died = fail::dies_at(second, || again.repair());
                    again.repair();
                    note(&again, &format!("{story}, and at step {second} of the repair"));
                    if !died {
                        break;
                    }
                }
            }
        }
    }
    all
}

#[test]
fn lists_are_sound_after_every_operation_and_death() {
    let states = reachable(true).len();
    assert!(states > 100, "only {states} states");
}

/// Every link of every sound state is overwritten with every index, and with some that are none.
#[test]
fn overwritten_links_are_noticed() {
    for sound in reachable(false) {
        for link in 0..Table::default().links().len() {
            for value in (0..=ENTRIES as u32 + 1).chain([u32::MAX]) {
                let story = format!("link {link} of {sound:?} became {value}");
                let overwritten = || {
                    let table = Table::of(&sound);
                    table.links()[link].store(value, Relaxed);
                    table
                };
                notice(&overwritten(), &story);
                for operation in operations() {
                    go_on(&overwritten(), operation, &story);
                }
            }
        }
    }
}

/// A walk to the end of a list notices what the list must not have.
fn notice(table: &Table, story: &str) {
    let is_live = |i: usize| table.entries.get(i).is_some_and(|entry| entry.state.load(Relaxed) == LIVE);
    for list in 0..HEADS {
        let head = &table.heads[list];
        let leads = |list: Vec<usize>| list.into_iter().all(is_live);
        let is_sound = is_inside(table, head) && table.list(head).is_some_and(leads);
        assert_eq!(table.index().walk(list, |_, _| false).is_ok(), is_sound, "{story}");
    }
    if let Ok(Some(index)) = table.index().take_free() {
        assert!(!is_live(index), "{story}");
    }
}

/// After a call that notices, the same call succeeds, and each object is found by its name.
fn go_on(table: &Table, operation: Operation, story: &str) {
    if let Err(damaged) = table.apply(operation) {
        table.rebuild(Some(damaged));
        assert_eq!(table.apply(operation), Ok(()), "{operation:?}: {story}");
    }
    table.rebuild(None);
    for name in NAMES {
        let is_it = |i: &usize| table.state(*i) == LIVE && has_name(&table.entries[*i], name);
        let found = table.index().find(name).or_else(|damaged| {
            table.rebuild(Some(damaged));
            table.index().find(name)
        });
        let all: Vec<usize> = (0..table.used().len()).filter(is_it).collect();
        assert_eq!(found.map(|found| found.is_some()), Ok(!all.is_empty()), "\"{name}\": {story}");
        assert!(found.is_ok_and(|found| found.is_none_or(|i| all.contains(&i))), "\"{name}\": {story}");
    }
}

/// Whether a list leads to entries only.
fn is_inside(table: &Table, first: &AtomicU32) -> bool {
    let mut link = first;
    for _ in 0..=ENTRIES {
        match target(link) {
            None => break,
            Some(index) if index >= ENTRIES => return false,
            Some(index) => link = &table.entries[index].next,
        }
    }
    true
}

#[test]
fn names_are_spread_over_all_lists() {
    for name in ["job-", "crossmem_00000000000", "результат."] {
        let mut counts = vec![0_u32; OBJECTS];
        for number in 0..OBJECTS {
            counts[list_of(&format!("{name}{number}"))] += 1;
        }
        // With one name to a list on average, chance makes the longest list about nine long.
        let longest = counts.iter().max().copied().unwrap_or_default();
        assert!(longest <= 24, "{longest} names like {name}0 are in one list");
    }
}
