//! What came of the trials of one operation.

use std::time::Duration;

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

    pub fn violated(&mut self, violation: String) {
        println!("VIOLATION: {violation}");
        self.violations.push(violation);
    }

    pub fn trials(&self) -> usize {
        self.done.iter().sum()
    }
}
