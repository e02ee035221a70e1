//! The results of trials.

use std::time::Duration;

/// The results of the trials of one operation.
#[derive(Default)]
pub struct Tally {
    /// How many instructions, or pairs of instructions, the operation has.
    pub instructions: usize,
    /// Trials by fate.
    pub done: [usize; 3],
    /// Trials whose victim executed other instructions and didn't reach its own.
    pub missed: usize,
    /// Trials in which the survivors were late, and in time when the trial was repeated.
    pub late: usize,
    /// The longest time that the survivors needed for their turns.
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

    pub fn violated(&mut self, violation: String) {
        println!("VIOLATION: {violation}");
        self.violations.push(violation);
    }

    pub fn trials(&self) -> usize {
        self.done.iter().sum()
    }
}
