//! A configuration of the model: how many processes there are, and what they may do.

use std::fmt::Write as _;

use crate::explore::{Model as Explored, Move, Violation};
use crate::faults::Fault;
use crate::state::{
    CONTROLS, Control, Entry, FILES, File, GONE, Lock, PROCESSES, Process, Standing, State, Step, Sweep,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) processes: u8,
    /// How many names for objects there are.
    pub(crate) objects: u8,
    /// Objects outlive all agents.
    pub(crate) persist: bool,
    /// Objects have arenas.
    pub(crate) arenas: bool,
    /// Processes join and may come again. Otherwise all are agents from the beginning, until they
    /// are gone.
    pub(crate) joins: bool,
    pub(crate) fault: Option<Fault>,
}

/// How many operations an idle process may begin, each with one of the names.
const OPERATIONS: u8 = 6;

impl Model {
    pub(crate) fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// An idle process begins what `choice` says. Returns false if it can't.
    fn begin(self, s: &mut State, p: u8, choice: u8) -> bool {
        let (operation, name) = (choice % OPERATIONS, choice / OPERATIONS);
        let me = &mut s.processes[usize::from(p)];
        let handle = &mut me.handles[usize::from(name)];
        let has = handle.id != 0;
        me.step = match operation {
            0..4 if self.objects == 0 => return false,
            0 if !has => Step::Refuse { name },
            1 if !has => Step::Find { name },
            2 if has && me.leaving[usize::from(name)].id == 0 => {
                me.leaving[usize::from(name)] = std::mem::take(handle);
                Step::Closed
            }
            3 => Step::Unlink { name },
            4 if name == 0 => Step::SweepLook { why: Sweep::Collecting },
            5 if name == 0 => {
                for (handle, leaving) in me.handles.iter_mut().zip(&mut me.leaving) {
                    if handle.id != 0 {
                        *leaving = std::mem::take(handle);
                    }
                }
                me.standing = Standing::Leaving;
                if self.has(Fault::LeaveSlotFirst) {
                    let slot = usize::from(me.slot.unwrap_or_default());
                    s.controls[usize::from(me.mapped.unwrap_or_default())].slots[slot] = 0;
                }
                Step::Others
            }
            _ => return false,
        };
        me.lock = Lock::Look;
        true
    }

    /// Takes the next step of process `p`. Returns false if it has none with this choice.
    pub(crate) fn step(self, s: &mut State, p: u8, choice: u8) -> Result<bool, Violation> {
        let moved = self.step_or_read(s, p, choice)?;
        while moved && s.process(p).reads() {
            self.step_or_read(s, p, 0)?;
        }
        Ok(moved)
    }

    fn step_or_read(self, s: &mut State, p: u8, choice: u8) -> Result<bool, Violation> {
        let me = *s.process(p);
        Ok(match (me.erase, me.lock, me.step) {
            (Some(erase), ..) if choice == 0 => self.erase_step(s, p, erase),
            (None, Lock::Look, _) => self.look(s, p, choice)?,
            (None, Lock::Settled, Step::Idle) => self.begin(s, p, choice),
            _ if choice > 0 => false,
            (None, Lock::Settled, step) => self.agent_step(s, p, step)? || self.object_step(s, p, step)?,
            (_, lock, _) => self.lock_step(s, p, lock),
        })
    }

    /// How many choices process `p` has.
    fn choices(self, s: &State, p: u8) -> u8 {
        let me = s.process(p);
        match (me.erase, me.lock, me.step) {
            (None, Lock::Look, _) => 2,
            (None, Lock::Settled, Step::Idle) => OPERATIONS * self.objects.max(1),
            _ => 1,
        }
    }

    /// Names of choices of an idle process.
    pub(crate) const COLLECT: u8 = 4;
    pub(crate) const LEAVE: u8 = 5;
}

impl Explored for Model {
    type State = State;

    fn initial(self) -> State {
        let mut initial = State {
            named: None,
            controls: [Control::default(); CONTROLS],
            files: [File::default(); FILES],
            processes: [GONE; PROCESSES],
        };
        for p in (0..self.processes).filter(|_| !self.joins) {
            let joined = self.step(&mut initial, p, 0).and_then(|_| self.alone(&mut initial, p));
            assert!(joined.is_ok(), "a process that is alone can join");
        }
        initial
    }

    fn canonical(self, s: &State) -> State {
        self.in_order(s)
    }

    fn moves(self, s: &State) -> Vec<Move<State>> {
        let mut all = Vec::new();
        for by in 0..self.processes {
            let choices = if self.joins || s.process(by).exists() { self.choices(s, by) } else { 0 };
            for choice in 0..choices {
                let mut after = *s;
                let verdict = match self.step(&mut after, by, choice) {
                    Ok(false) => continue,
                    Ok(true) => self.check(&after),
                    Err(wrong) => Err(wrong),
                };
                all.push(Move { by, chose: choices > 1, after, verdict });
            }
            if s.process(by).exists() {
                let mut after = *s;
                after.processes[usize::from(by)] = GONE;
                all.push(Move { by, chose: true, after, verdict: self.check(&after) });
            }
        }
        all
    }

    fn processes(self) -> u8 {
        self.processes
    }

    fn go_on_alone(self, s: State, p: u8) -> Result<(), Violation> {
        self.recover(s, p)
    }

    fn tell(self, before: &State, to: &Move<State>) -> String {
        let Move { by, after, .. } = to;
        let (from, now) = (before.process(*by), after.process(*by));
        let what = |q: &Process| match (q.erase, q.lock) {
            (Some(erase), _) => format!("{:?} {}", erase.step, erase.index),
            (None, Lock::Settled) => format!("{:?}", q.step),
            (None, lock) => format!("{lock:?} for {:?}", q.step),
        };
        let mut line = format!("{by}: {} -> {};", what(from), what(now));
        let control = &after.controls[after.seen_by(*by)];
        let _ = write!(line, " slots {:?} owner {}", control.slots, control.word.owner);
        for (index, entry) in control.entries.iter().enumerate().filter(|(_, entry)| entry.id != 0) {
            let Entry { phase, id, attached, .. } = entry;
            let _ = write!(line, " {index}: {phase:?} {id} {attached:b}");
        }
        line + &format!(" files {:?}", after.files.map(|file| file.id))
    }
}
