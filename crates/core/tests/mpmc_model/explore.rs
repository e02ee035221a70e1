//! The search: every state that can be reached, one of those that differ in names only, and the story of a violation.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;

use crate::faults::Fault;
use crate::model::{Effect, Model, Violation};
use crate::state::{Free, Owner, PROCESSES, Process, State, Step::Dead};

/// How processes may be renamed; the first two are for two of them.
const NAMES: [[u8; PROCESSES]; 6] = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Model {
    /// The least of the states that differ from this in the names of processes only.
    fn canonical(self, s: &State) -> State {
        let renamed = |names: &[u8; PROCESSES]| {
            let mut renamed = *s;
            let name = |id: u8| names[usize::from(id)];
            let rename = |owner: &mut Owner| owner.by = if owner.phase == Free { 0 } else { name(owner.by) };
            renamed.owners.iter_mut().for_each(rename);
            renamed.reaper = s.reaper.map(name);
            for (id, mut process) in (0..).zip(s.processes) {
                process.victim = process.victim.map(name);
                if let Some(seen) = process.seen() {
                    rename(&mut seen.owner);
                    if !self.has(Fault::NoGeneration) {
                        seen.owner.by = 0;
                    }
                }
                renamed.processes[usize::from(name(id))] = process;
            }
            renamed
        };
        let count = if self.processes == 2 { 2 } else { NAMES.len() };
        NAMES[..count].iter().map(renamed).min().unwrap_or(*s)
    }

    /// All transitions from a state: who moves, whether by choice, the state after it and what is wrong.
    fn transitions(self, s: &State) -> Vec<(u8, bool, State, Result<(), Violation>)> {
        let mut all = Vec::new();
        let live: Vec<u8> = (0..self.processes).filter(|&p| !s.dead(p)).collect();
        for &me in &live {
            let choices = self.choices(s.step(me));
            for choice in 0..choices {
                let mut after = *s;
                match self.step(&mut after, me, choice) {
                    Ok(Effect::Impossible) => (),
                    Ok(effect) => all.push((me, choices > 1, after, self.check(s, effect, &after))),
                    Err(wrong) => all.push((me, true, after, Err(wrong))),
                }
            }
            if live.len() > 1 {
                let mut after = *s;
                after.processes[usize::from(me)] = Process::new(Dead);
                all.push((me, true, after, Ok(())));
            }
        }
        all
    }

    /// Explores, breadth first, every state that can be reached; the number of them, or a violation and its story.
    pub(crate) fn explore(self) -> Result<usize, String> {
        let mut before = HashMap::from([(self.canonical(&self.initial()), None)]);
        let (mut level, mut next) = (vec![self.canonical(&self.initial())], Vec::new());
        while !level.is_empty() {
            for s in level.drain(..) {
                for (mover, chose, after, mut verdict) in self.transitions(&s) {
                    let canonical = self.canonical(&after);
                    if let Entry::Vacant(entry) = before.entry(canonical) {
                        entry.insert(Some(s));
                        next.push(canonical);
                        // by the mover the run alone from `s` has been checked, and this goes on with it
                        for p in (0..self.processes).filter(|&p| !after.dead(p) && (p != mover || chose)) {
                            verdict = verdict.and_then(|()| self.recover(after, p));
                        }
                    }
                    verdict.map_err(|wrong| self.story(&before, s, &after, wrong))?;
                }
            }
            std::mem::swap(&mut level, &mut next);
        }
        Ok(before.len())
    }

    fn story(
        self,
        before: &HashMap<State, Option<State>>,
        s: State,
        last: &State,
        wrong: Violation,
    ) -> String {
        let mut path: Vec<State> = std::iter::successors(Some(s), |s| before[s]).collect();
        path.reverse();
        path.push(self.canonical(last));
        let mut story = format!("{wrong}: {self:?}\n");
        let mut s = self.initial();
        for to in &path[1..] {
            let mut all = self.transitions(&s).into_iter();
            let Some((id, _, after, _)) = all.find(|(_, _, after, _)| self.canonical(after) == *to) else {
                break;
            };
            let (from, to) = (s.step(id), after.step(id));
            let slots = &after.slots[..usize::from(self.slots)];
            let owners = &after.owners[..usize::from(self.chunks)];
            let (head, tail) = (after.head, after.tail);
            let _ = writeln!(story, "{id}: {from:?} -> {to:?}; {head}..{tail} {slots:?} {owners:?}");
            s = after;
        }
        story
    }
}
