//! The barrier: who has arrived, by slot, and how the last meetings went (`barrier.rs`).
//!
//! Meetings are numbered by how many ended since: 0 goes on. Fewer outcomes are kept than in shared memory, so that a
//! waiter which is not chosen for long finds its own written over; one that is further behind than that is not explored.

use crate::explore::{Model, Move, Violation};
use crate::gate::{Gate, PROCESSES, Share};

/// Outcomes that are kept, where there are 64.
const KEPT: usize = 3;
/// As far as a waiter may be behind.
const FARTHEST: u8 = 4;

/// What the barrier cannot do without.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    NoFollowing,
    ArrivingBeforeCleared,
    GenerationBeforeOutcome,
    /// Who waits doesn't look who died.
    WaitBesideDead,
    /// Who arrives doesn't: the dead are counted among the parties.
    ArriveBesideDead,
    ArriveWhileLed,
    CompleteWithoutLook,
    NoLastBroken,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Barrier {
    pub(crate) processes: u8,
    pub(crate) fault: Option<Fault>,
}

const PARTIES: u8 = 2;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Call {
    Arrive,
    Wait,
    Complete,
    Abort,
    Reset,
}
const CALLS: [Call; 5] = [Call::Arrive, Call::Wait, Call::Complete, Call::Abort, Call::Reset];

/// The next store of a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Step {
    Idle,
    Dead,
    Lock,
    Begin,
    Arrived,
    Lead,
    Break,
    // Ending a meeting: broken, or met.
    Outcome { broken: bool },
    LastBroken,
    Generation { broken: bool },
    // Clearing the table of one that has ended.
    Leader,
    Clear,
    Arriving,
    Mend,
    Unlock,
}

/// What a process is in a meeting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Role {
    Nobody,
    Waits { meeting: u8 },
    Leads { meeting: u8 },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Process {
    call: Call,
    step: Step,
    /// It has ended a meeting in this call, or what it came for is done.
    done: bool,
    role: Role,
}
const NOBODY: Process = Process { call: Call::Reset, step: Step::Idle, done: false, role: Role::Nobody };

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    gate: Gate,
    /// `arriving` is `generation`.
    follows: bool,
    /// Whether each meeting broke, by how many ended since.
    outcomes: [bool; KEPT],
    last_broken: Option<u8>,
    broken: bool,
    /// Who runs the action, and whether that one is dead.
    leader: Option<(u8, bool)>,
    arrived: [Share; PROCESSES],
    processes: [Process; PROCESSES],
    /// How meetings went. Only the model knows, as what follows: somebody was told that this meeting broke; who is in it.
    truth: [bool; FARTHEST as usize + 1],
    told: bool,
    members: u8,
}

impl State {
    fn waiting(&self) -> u8 {
        self.arrived.iter().map(|share| share.count).sum()
    }

    fn somebody_died(&self) -> bool {
        matches!(self.leader, Some((_, true)))
            || self.arrived.iter().any(|share| share.count > 0 && share.dead)
    }

    /// Whether a meeting broke, as its waiters see it; `None`: it goes on.
    fn outcome(&self, meeting: u8) -> Option<bool> {
        match usize::from(meeting) {
            0 => self.broken.then_some(true),
            old if old >= KEPT => Some(self.last_broken.is_some_and(|last| last <= meeting)),
            recent => Some(self.outcomes[recent]),
        }
    }

    /// A meeting ends: all are one further behind.
    fn next_generation(&mut self, broken: bool) {
        self.outcomes.rotate_right(1);
        self.truth.rotate_right(1);
        self.truth[1] = broken;
        (self.told, self.members, self.follows) = (false, 0, false);
        self.last_broken = self.last_broken.map(|last| last + 1).filter(|last| *last <= FARTHEST);
        for process in &mut self.processes {
            if let Role::Waits { meeting } | Role::Leads { meeting } = &mut process.role {
                *meeting += 1;
            }
        }
    }
}

impl Barrier {
    fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// `Ok(false)`: process `me` has no step with this choice.
    #[allow(clippy::too_many_lines)]
    fn step(self, s: &mut State, me: u8, choice: u8) -> Result<bool, Violation> {
        let at = usize::from(me);
        let Process { call, step, done, role } = s.processes[at];
        let swapped = self.has(Fault::GenerationBeforeOutcome);
        s.processes[at].step = match step {
            Step::Idle => {
                let call = CALLS[usize::from(choice)];
                let may = match call {
                    Call::Arrive => role == Role::Nobody,
                    Call::Wait => matches!(role, Role::Waits { .. }),
                    Call::Complete => matches!(role, Role::Leads { .. }),
                    Call::Abort | Call::Reset => true,
                };
                if !may {
                    return Ok(false);
                }
                s.processes[at].call = call;
                match role {
                    Role::Waits { meeting } if call == Call::Wait && s.outcome(meeting).is_some() => {
                        return Self::tell_it(s, me, meeting);
                    }
                    _ => Step::Lock,
                }
            }
            _ if choice > 0 => return Ok(false),
            Step::Dead => Step::Idle,
            Step::Lock => match s.gate.lock(me) {
                None => return Ok(false),
                Some(_) if !s.follows && !self.has(Fault::NoFollowing) => self.follow(),
                Some(_) => Step::Begin,
            },
            Step::Begin if s.broken && !done && (s.leader.is_some() || s.waiting() > 0) => self.end(true),
            Step::Begin => {
                s.gate.mark_consistent();
                self.begin(s, me)
            }
            Step::Arrived => {
                let index = s.waiting();
                s.arrived[at] = Share { count: 1, dead: false };
                s.members += 1;
                s.processes[at].role = Role::Waits { meeting: 0 };
                if index + 1 < PARTIES { Step::Unlock } else { Step::Lead }
            }
            Step::Lead => {
                s.leader = Some((me, false));
                s.processes[at].role = Role::Leads { meeting: 0 };
                Step::Unlock
            }
            Step::Break => {
                s.broken = true;
                self.end(true)
            }
            Step::Outcome { broken } => {
                s.outcomes[usize::from(swapped)] = broken;
                match (swapped, broken && !self.has(Fault::NoLastBroken)) {
                    (true, _) => self.follow(),
                    (_, true) => Step::LastBroken,
                    _ => Step::Generation { broken },
                }
            }
            Step::LastBroken => {
                s.last_broken = Some(0);
                Step::Generation { broken: true }
            }
            Step::Generation { broken } => {
                let is_far = |process: &Process| matches!(process.role, Role::Waits { meeting } | Role::Leads { meeting } if meeting == FARTHEST);
                if s.processes.iter().any(is_far) {
                    return Ok(false);
                } else if !broken && s.told {
                    return Err("a meeting that somebody was told broke is met");
                } else if !broken && s.members != PARTIES {
                    return Err("a meeting is met by others than its parties");
                }
                s.next_generation(broken);
                s.processes[at].done = true;
                if swapped { Step::Outcome { broken } } else { self.follow() }
            }
            Step::Leader => {
                s.leader = None;
                Step::Clear
            }
            Step::Clear => {
                match s.arrived.iter_mut().find(|share| share.count > 0) {
                    Some(share) => *share = Share::default(),
                    None if self.has(Fault::ArrivingBeforeCleared) => s.processes[at].step = Step::Begin,
                    None => s.processes[at].step = Step::Arriving,
                }
                return Ok(true);
            }
            Step::Arriving => {
                s.follows = true;
                if self.has(Fault::ArrivingBeforeCleared) { Step::Leader } else { Step::Begin }
            }
            Step::Mend => {
                s.broken = false;
                Step::Unlock
            }
            Step::Unlock => {
                s.gate.unlock(me);
                s.processes[at].done = false;
                match s.processes[at].role {
                    Role::Waits { meeting } if call == Call::Wait && s.outcome(meeting).is_some() => {
                        return Self::tell_it(s, me, meeting);
                    }
                    _ => Step::Idle,
                }
            }
        };
        Ok(true)
    }

    fn end(self, broken: bool) -> Step {
        let swapped = self.has(Fault::GenerationBeforeOutcome);
        if swapped { Step::Generation { broken } } else { Step::Outcome { broken } }
    }

    fn follow(self) -> Step {
        if self.has(Fault::ArrivingBeforeCleared) { Step::Arriving } else { Step::Leader }
    }

    /// What the call is about, after what others left undone; or after it ended a meeting.
    fn begin(self, s: &mut State, me: u8) -> Step {
        let Process { call, done, role, .. } = s.processes[usize::from(me)];
        let aside = match call {
            Call::Arrive => self.has(Fault::ArriveBesideDead),
            _ => self.has(Fault::WaitBesideDead),
        };
        match call {
            Call::Arrive | Call::Wait if !done && s.somebody_died() && !aside => Step::Break,
            Call::Arrive if !s.broken && !done && (s.leader.is_none() || self.has(Fault::ArriveWhileLed)) => {
                Step::Arrived
            }
            Call::Arrive | Call::Wait => Step::Unlock,
            Call::Complete => {
                let leads = role == Role::Leads { meeting: 0 } && s.leader == Some((me, false));
                if done || !leads && !self.has(Fault::CompleteWithoutLook) {
                    s.processes[usize::from(me)].role = Role::Nobody;
                    return Step::Unlock;
                }
                self.end(false)
            }
            Call::Abort if done => Step::Unlock,
            Call::Reset if done => Step::Mend,
            Call::Reset => self.end(true),
            Call::Abort => Step::Break,
        }
    }

    /// A waiter learns how its meeting went.
    fn tell_it(s: &mut State, me: u8, meeting: u8) -> Result<bool, Violation> {
        let outcome = s.outcome(meeting);
        s.told |= meeting == 0;
        let process = &mut s.processes[usize::from(me)];
        *process = NOBODY;
        // Of an old one it is known only whether any broke since.
        let unsure = usize::from(meeting) >= KEPT && outcome == Some(true);
        if meeting > 0 && !unsure && outcome != Some(s.truth[usize::from(meeting)]) {
            return Err("a waiter is told that its meeting went another way than it did");
        }
        Ok(true)
    }

    /// Process `p` alone completes its call; `false` if it waits for a living process, or would leave what is explored.
    fn alone(self, s: &mut State, p: u8) -> Result<bool, Violation> {
        for _ in 0..64 {
            if s.processes[usize::from(p)].step == Step::Idle {
                return Ok(true);
            } else if !self.step(s, p, 0)? {
                return Ok(false);
            }
        }
        Err("a process that runs alone does not complete")
    }

    fn recover(self, mut s: State, p: u8) -> Result<(), Violation> {
        let at = usize::from(p);
        if !self.alone(&mut s, p)? {
            return Ok(());
        }
        if matches!(s.processes[at].role, Role::Waits { .. }) {
            let must_end = s.somebody_died() || s.broken;
            self.step(&mut s, p, 1)?;
            if self.alone(&mut s, p)? && must_end && matches!(s.processes[at].role, Role::Waits { .. }) {
                return Err("a waiter waits for the dead");
            }
        }
        if s.processes[at].step == Step::Idle {
            self.step(&mut s, p, 4)?;
            if self.alone(&mut s, p)? && (s.broken || s.waiting() > 0 || s.leader.is_some() || !s.follows) {
                return Err("a barrier that was reset is not as new");
            }
        }
        Ok(())
    }
}

impl Model for Barrier {
    type State = State;

    fn initial(self) -> State {
        State {
            gate: Gate::default(),
            follows: true,
            outcomes: [false; KEPT],
            last_broken: None,
            broken: false,
            leader: None,
            arrived: [Share::default(); PROCESSES],
            processes: [NOBODY; PROCESSES],
            truth: [false; FARTHEST as usize + 1],
            told: false,
            members: 0,
        }
    }

    fn canonical(self, s: &State) -> State {
        let mut s = *s;
        for process in
            s.processes.iter_mut().filter(|process| matches!(process.step, Step::Idle | Step::Dead))
        {
            process.call = NOBODY.call;
        }
        // What nobody will ask for.
        let asked = |meeting: u8| s.processes.iter().any(|process| process.role == Role::Waits { meeting });
        let asked: Vec<bool> = (0..=FARTHEST).map(asked).collect();
        for (meeting, asked) in asked.iter().enumerate() {
            s.truth[meeting] &= *asked;
            if let Some(outcome) = s.outcomes.get_mut(meeting) {
                *outcome &= *asked;
            }
        }
        let oldest = asked.iter().rposition(|asked| *asked);
        s.last_broken =
            s.last_broken.filter(|last| oldest.is_some_and(|oldest| usize::from(*last) <= oldest));
        s
    }

    fn moves(self, s: &State) -> Vec<Move<State>> {
        let mut all = Vec::new();
        for by in 0..self.processes {
            let step = s.processes[usize::from(by)].step;
            for choice in 0..CALLS.len() as u8 {
                let mut after = *s;
                let verdict = match self.step(&mut after, by, choice) {
                    Ok(false) => continue,
                    Ok(true) => Ok(()),
                    Err(wrong) => Err(wrong),
                };
                all.push(Move { by, chose: step == Step::Idle, after, verdict });
            }
            if step != Step::Dead {
                let mut after = *s;
                after.processes[usize::from(by)] = Process { step: Step::Dead, ..NOBODY };
                after.gate.bury(by);
                after.arrived[usize::from(by)].dead = true;
                after.leader = s.leader.map(|(leader, dead)| (leader, dead || leader == by));
                all.push(Move { by, chose: true, after, verdict: Ok(()) });
            }
        }
        all
    }

    fn outlook(self, to: &Move<State>) -> Result<(), (u8, Violation)> {
        let mut all = (0..self.processes).filter(|&p| p != to.by || to.chose);
        all.try_for_each(|p| self.recover(to.after, p).map_err(|wrong| (p, wrong)))
    }

    fn tell(self, before: &State, to: &Move<State>) -> String {
        let Move { by, after, .. } = to;
        let [from, now] = [before, after].map(|s| s.processes[usize::from(*by)]);
        let State { outcomes, last_broken, broken, leader, arrived, .. } = after;
        format!(
            "{by}: {:?} {:?} -> {:?} {:?}; broken {broken} {outcomes:?} {last_broken:?} leader {leader:?} {arrived:?}",
            now.call, from.step, now.step, now.role
        )
    }
}
