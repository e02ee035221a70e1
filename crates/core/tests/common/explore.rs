//! Explores a model: every state that can be reached, breadth first. A violation comes with the
//! shortest story that leads to it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::{Debug, Write as _};
use std::hash::{BuildHasherDefault, Hash, Hasher};

pub(crate) type Violation = &'static str;

/// One step of one process.
pub(crate) struct Move<S> {
    pub(crate) by: u8,
    /// Whether the process could have taken another step.
    pub(crate) chose: bool,
    pub(crate) after: S,
    /// Whether the transition and the state after it are as they must be.
    pub(crate) verdict: Result<(), Violation>,
}

pub(crate) trait Model: Copy + Debug {
    type State: Copy + Eq + Hash;

    fn initial(self) -> Self::State;

    /// A representative of all states that differ from this one in names only.
    fn canonical(self, s: &Self::State) -> Self::State;

    fn moves(self, s: &Self::State) -> Vec<Move<Self::State>>;

    fn processes(self) -> u8;

    /// Checks what process `p` must be able to do alone from this state.
    fn go_on_alone(self, s: Self::State, p: u8) -> Result<(), Violation>;

    /// Lets each process go on alone from a new state. Returns the first process that can't. If the
    /// process that moved had no choice, it has gone on alone from the state before.
    fn outlook(self, to: &Move<Self::State>) -> Result<(), (u8, Violation)> {
        let mut all = (0..self.processes()).filter(|&p| p != to.by || to.chose);
        all.try_for_each(|p| self.go_on_alone(to.after, p).map_err(|wrong| (p, wrong)))
    }

    /// A line of a story.
    fn tell(self, before: &Self::State, to: &Move<Self::State>) -> String;

    /// Explores every state that can be reached. Returns how many there are, or the story of a
    /// violation.
    fn explore(self) -> Result<usize, String> {
        let first = self.canonical(&self.initial());
        let mut numbers = HashMap::<_, u32, BuildHasherDefault<Mix>>::from_iter([(first, 0)]);
        let mut origins = vec![0];
        let (mut level, mut next) = (vec![(first, 0)], Vec::new());
        while !level.is_empty() {
            for (s, number) in level.drain(..) {
                for (nth, to) in self.moves(&s).into_iter().enumerate() {
                    let after = self.canonical(&to.after);
                    if let Entry::Vacant(entry) = numbers.entry(after) {
                        let new = origins.len() as u32;
                        entry.insert(new);
                        origins.push(number);
                        next.push((after, new));
                        if to.verdict.is_ok()
                            && let Err((p, wrong)) = self.outlook(&to)
                        {
                            let story = self.story(&numbers, &origins, (number, nth), wrong);
                            return Err(format!("{story}{p} alone: {wrong}\n"));
                        }
                    }
                    if let Err(wrong) = to.verdict {
                        return Err(self.story(&numbers, &origins, (number, nth), wrong));
                    }
                }
            }
            std::mem::swap(&mut level, &mut next);
        }
        Ok(origins.len())
    }

    /// Tells the way to the last state, and the wrong move from there.
    fn story(
        self,
        numbers: &HashMap<Self::State, u32, BuildHasherDefault<Mix>>,
        origins: &[u32],
        (last, nth): (u32, usize),
        wrong: Violation,
    ) -> String {
        let back = |&number: &u32| (number != 0).then(|| origins[number as usize]);
        let mut path: Vec<u32> = std::iter::successors(Some(last), back).collect();
        path.pop();
        let (mut story, mut s) = (format!("{wrong}: {self:?}\n"), self.canonical(&self.initial()));
        while let Some(number) = path.pop() {
            let leads = |to: &Move<_>| numbers.get(&self.canonical(&to.after)) == Some(&number);
            let to = self.moves(&s).into_iter().find(leads).expect("the state was reached by this move");
            let _ = writeln!(story, "{}", self.tell(&s, &to));
            s = self.canonical(&to.after);
        }
        let _ = writeln!(story, "{}", self.tell(&s, &self.moves(&s)[nth]));
        story
    }
}

/// Explores these models, and prints how many states each has.
pub(crate) fn explore_all(models: impl IntoIterator<Item = impl Model>) {
    for model in models {
        match model.explore() {
            Ok(states) => println!("{states} states: {model:?}"),
            Err(story) => panic!("{story}"),
        }
    }
}

/// Checks that one of these models has a violation, and prints the first: what it is and after how
/// many steps.
pub(crate) fn expect_violation(fault: impl Debug, models: impl IntoIterator<Item = impl Model>) {
    let story = models.into_iter().find_map(|model| model.explore().err());
    let story = story.unwrap_or_else(|| panic!("{fault:?} is not found"));
    println!("{}, {} steps", story.lines().next().unwrap_or_default(), story.lines().count() - 1);
}

/// A hash that costs little per field: states consist of many small ones.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u8(*byte);
        }
    }

    fn write_u8(&mut self, byte: u8) {
        self.write_u64(u64::from(byte));
    }

    fn write_isize(&mut self, discriminant: isize) {
        self.write_u64(discriminant as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }
}
