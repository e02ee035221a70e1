//! How `explore.rs` sees the queue: which states are the same, and which processes may move.

use crate::explore::{Model as Explored, Move, Violation};
use crate::model::{Effect, Model};
use crate::state::{Free, Owner, PROCESSES, Process, State, Step::Dead};

/// The ways to rename processes. The first two are those for two processes.
const NAMES: [[u8; PROCESSES]; 6] = [[0, 1, 2], [1, 0, 2], [0, 2, 1], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

impl Explored for Model {
    type State = State;

    fn initial(self) -> State {
        self.beginning()
    }

    /// The least of the states that differ from this one in the names of processes only.
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
                }
                renamed.processes[usize::from(name(id))] = process;
            }
            renamed
        };
        let count = if self.processes == 2 { 2 } else { NAMES.len() };
        NAMES[..count].iter().map(renamed).min().unwrap_or(*s)
    }

    fn moves(self, s: &State) -> Vec<Move<State>> {
        let mut all = Vec::new();
        let live: Vec<u8> = (0..self.processes).filter(|&p| !s.dead(p)).collect();
        for &by in &live {
            let choices = self.choices(s.step(by));
            for choice in 0..choices {
                let mut after = *s;
                let (chose, verdict) = match self.step(&mut after, by, choice) {
                    Ok(Effect::Impossible) => continue,
                    Ok(effect) => (choices > 1, self.check(s, effect, &after)),
                    Err(wrong) => (true, Err(wrong)),
                };
                all.push(Move { by, chose, after, verdict });
            }
            if live.len() > 1 {
                let mut after = *s;
                after.processes[usize::from(by)] = Process::new(Dead);
                all.push(Move { by, chose: true, after, verdict: Ok(()) });
            }
        }
        all
    }

    fn processes(self) -> u8 {
        self.processes
    }

    fn go_on_alone(self, s: State, p: u8) -> Result<(), Violation> {
        if s.dead(p) { Ok(()) } else { self.recover(s, p) }
    }

    fn tell(self, before: &State, to: &Move<State>) -> String {
        let Move { by, after, .. } = to;
        let slots = &after.slots[..usize::from(self.slots)];
        let owners = &after.owners[..usize::from(self.chunks)];
        let (from, step, head, tail) = (before.step(*by), after.step(*by), after.head, after.tail);
        format!("{by}: {from:?} -> {step:?}; {head}..{tail} {slots:?} {owners:?}")
    }
}
