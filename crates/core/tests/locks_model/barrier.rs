//! The barrier: the parties that have arrived, by slot, and the outcomes of the last meetings
//! (`barrier.rs`).
//!
//! A meeting's number is how many meetings have ended since: 0 is the one that goes on. The model
//! keeps fewer outcomes than shared memory does, so that a waiter which is not chosen for long
//! finds its outcome overwritten. Waiters that are more than `FARTHEST` meetings behind are not
//! explored.

use crate::explore::{Model, Move, Violation};
use crate::gate::{Gate, PROCESSES, Share};

/// How many outcomes are kept. The core keeps 64.
const KEPT: usize = 3;
/// How many meetings a waiter may be behind.
const FARTHEST: u8 = 4;

/// What the barrier cannot do without.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// An agent that takes the mutex doesn't clear the table of a meeting that has ended.
    NoFollowing,
    /// `arriving` follows `generation` before the table is cleared.
    ArrivingBeforeCleared,
    /// A meeting ends before its outcome is written.
    GenerationBeforeOutcome,
    /// A waiter doesn't check whether a party has died.
    WaitBesideDead,
    /// An arriving party doesn't check whether a party has died, so dead agents are counted as
    /// parties.
    ArriveBesideDead,
    /// A party arrives at a meeting that has a leader.
    ArriveWhileLed,
    /// A leader completes a meeting without checking that it still leads it.
    CompleteWithoutLook,
    /// `last_broken` is not written.
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
    // Ending a meeting, which is broken or met.
    Outcome { broken: bool },
    LastBroken,
    Generation { broken: bool },
    // Clearing the table of a meeting that has ended.
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
    /// It has ended a meeting in this call.
    done: bool,
    role: Role,
}
const NOBODY: Process = Process { call: Call::Reset, step: Step::Idle, done: false, role: Role::Nobody };

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    gate: Gate,
    /// Whether `arriving` equals `generation`.
    follows: bool,
    /// Whether each meeting broke, by its number.
    outcomes: [bool; KEPT],
    last_broken: Option<u8>,
    broken: bool,
    /// The party that runs the action, and whether it is dead.
    leader: Option<(u8, bool)>,
    arrived: [Share; PROCESSES],
    processes: [Process; PROCESSES],
    // Known to the model only:
    /// Whether each meeting really broke.
    truth: [bool; FARTHEST as usize + 1],
    /// A waiter was told that this meeting broke.
    told: bool,
    /// How many parties are in this meeting.
    members: u8,
}

impl State {
    fn waiting(&self) -> u8 {
        self.arrived.iter().map(|share| share.count).sum()
    }

    fn a_party_died(&self) -> bool {
        matches!(self.leader, Some((_, true)))
            || self.arrived.iter().any(|share| share.count > 0 && share.dead)
    }

    /// Whether a meeting broke, as its waiters see it. `None` if it goes on.
    fn outcome(&self, meeting: u8) -> Option<bool> {
        match usize::from(meeting) {
            0 => self.broken.then_some(true),
            old if old >= KEPT => Some(self.last_broken.is_some_and(|last| last <= meeting)),
            recent => Some(self.outcomes[recent]),
        }
    }

    /// Ends the meeting: the numbers of all meetings grow by one.
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

    /// Takes the next step of process `me`. Returns false if it has none with this choice.
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
                    return Err("a meeting is met though a waiter was told that it broke");
                } else if !broken && s.members != PARTIES {
                    return Err("a meeting is met with more or fewer parties than it needs");
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

    /// The step that the call is made for. It comes after the repair of what other agents left
    /// undone.
    fn begin(self, s: &mut State, me: u8) -> Step {
        let Process { call, done, role, .. } = s.processes[usize::from(me)];
        let aside = match call {
            Call::Arrive => self.has(Fault::ArriveBesideDead),
            _ => self.has(Fault::WaitBesideDead),
        };
        match call {
            Call::Arrive | Call::Wait if !done && s.a_party_died() && !aside => Step::Break,
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
        // Of an old meeting it is known only whether any meeting broke since.
        let unsure = usize::from(meeting) >= KEPT && outcome == Some(true);
        if meeting > 0 && !unsure && outcome != Some(s.truth[usize::from(meeting)]) {
            return Err("a waiter is told the wrong outcome of its meeting");
        }
        Ok(true)
    }

    /// Process `p` alone completes its call. Returns false if it waits for a live process, or if
    /// its next step is not explored.
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
        // Outcomes that no waiter will ask for don't matter.
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

    fn processes(self) -> u8 {
        self.processes
    }

    fn go_on_alone(self, mut s: State, p: u8) -> Result<(), Violation> {
        let at = usize::from(p);
        if !self.alone(&mut s, p)? {
            return Ok(());
        }
        if matches!(s.processes[at].role, Role::Waits { .. }) {
            let must_end = s.a_party_died() || s.broken;
            self.step(&mut s, p, 1)?;
            if self.alone(&mut s, p)? && must_end && matches!(s.processes[at].role, Role::Waits { .. }) {
                return Err("a waiter waits for a dead party");
            }
        }
        if s.processes[at].step == Step::Idle {
            self.step(&mut s, p, 4)?;
            if self.alone(&mut s, p)? && (s.broken || s.waiting() > 0 || s.leader.is_some() || !s.follows) {
                return Err("a barrier that was reset is not as a new one");
            }
        }
        Ok(())
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
