//! The semaphore: permits by slot, and their sum, which is counted again after a death
//! (`semaphore.rs`).

use crate::explore::{Model, Move, Violation};
use crate::gate::{Gate, PROCESSES, Share};

/// What the semaphore cannot do without.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// An agent that takes the mutex from a dead holder doesn't count the permits again.
    NoRecount,
    /// The permits of dead agents are not taken back.
    NoReclaim,
    /// The permits of live agents are taken back.
    ReclaimTheLiving,
    /// `taken` is not counted again after permits were taken back.
    ReclaimWithoutRecount,
    /// A newcomer takes the permits of its predecessor in the slot for its own.
    InheritCount,
    /// The predecessor's permits stay taken when a newcomer overwrites its entry.
    ForgetPredecessor,
    /// A permit is acquired without checking that one is free.
    HoldWithoutLook,
    /// No call takes the mutex.
    NoMutex,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Semaphore {
    pub(crate) processes: u8,
    pub(crate) permits: u8,
    /// The most permits that there may be.
    pub(crate) most: u8,
    pub(crate) fault: Option<Fault>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Call {
    Acquire,
    Release,
    Consume,
    Value,
}
const CALLS: [Call; 4] = [Call::Acquire, Call::Release, Call::Consume, Call::Value];

/// The next store of a process, and what it remembers for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Step {
    Idle,
    Dead,
    Lock,
    Recount,
    Consistent,
    Begin,
    ClearDead { slot: u8 },
    Reclaimed,
    Add,
    Consume,
    Hold { count: u8 },
    Taken { before: u8, count: u8 },
    Unlock,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Process {
    call: Call,
    step: Step,
    /// Permits that it knows that it holds.
    has: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    gate: Gate,
    total: u8,
    taken: u8,
    held: [Share; PROCESSES],
    processes: [Process; PROCESSES],
}

impl State {
    fn sum(&self) -> u8 {
        self.held.iter().map(|share| share.count).sum()
    }

    fn free(&self) -> u8 {
        self.total.saturating_sub(self.taken)
    }

    /// Permits that live processes know that they hold.
    fn known(&self) -> u8 {
        self.processes.iter().map(|process| process.has).sum()
    }

    fn is(&self, p: u8, step: Step) -> bool {
        self.processes[usize::from(p)].step == step
    }
}

impl Semaphore {
    fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Takes the next step of process `me`. Returns false if it has none with this choice.
    fn step(self, s: &mut State, me: u8, choice: u8) -> bool {
        let at = usize::from(me);
        let Process { call, step, .. } = s.processes[at];
        let share = s.held[at];
        let count = if self.has(Fault::InheritCount) { share.count } else { share.mine() };
        let next = match step {
            Step::Idle => {
                let call = CALLS[usize::from(choice)];
                s.processes[at].call = call;
                Step::Lock
            }
            _ if choice > 0 => return false,
            Step::Dead => Step::Idle,
            Step::Lock if self.has(Fault::NoMutex) => Step::Begin,
            Step::Lock => match s.gate.lock(me) {
                None => return false,
                Some(true) if self.has(Fault::NoRecount) => Step::Consistent,
                Some(true) => Step::Recount,
                Some(false) => Step::Begin,
            },
            Step::Recount => {
                s.taken = s.sum();
                Step::Consistent
            }
            Step::Consistent => {
                s.gate.mark_consistent();
                Step::Begin
            }
            Step::Begin => match call {
                Call::Acquire if s.free() > 0 || self.has(Fault::HoldWithoutLook) => {
                    Step::Hold { count: count + 1 }
                }
                Call::Acquire | Call::Value => self.reclaim(s, me, 0),
                Call::Release if count > 0 => Step::Hold { count: count - 1 },
                Call::Release if s.total < self.most => Step::Add,
                Call::Consume if count > 0 => Step::Consume,
                Call::Release | Call::Consume => Step::Unlock,
            },
            Step::ClearDead { slot } => {
                s.held[usize::from(slot)] = Share::default();
                self.reclaim(s, me, slot + 1)
            }
            Step::Reclaimed => {
                if !self.has(Fault::ReclaimWithoutRecount) {
                    s.taken = s.sum();
                }
                if call == Call::Acquire && s.free() > 0 {
                    Step::Hold { count: count + 1 }
                } else {
                    Step::Unlock
                }
            }
            Step::Add => {
                s.total += 1;
                Step::Hold { count }
            }
            Step::Consume => {
                s.total = s.total.saturating_sub(1);
                Step::Hold { count: count - 1 }
            }
            Step::Hold { count } => {
                let before = if self.has(Fault::ForgetPredecessor) { share.mine() } else { share.count };
                s.held[at] = Share { count, dead: false };
                Step::Taken { before, count }
            }
            Step::Taken { before, count } => {
                s.taken = s.taken.wrapping_sub(before).wrapping_add(count);
                Step::Unlock
            }
            Step::Unlock => {
                s.gate.unlock(me);
                s.processes[at].has = s.held[at].mine();
                Step::Idle
            }
        };
        s.processes[at].step = next;
        true
    }

    /// Takes back the next permits of a dead agent, from slot `from` on. Counts once there are none
    /// left.
    fn reclaim(self, s: &State, me: u8, from: u8) -> Step {
        let is_dead = |slot: &u8| {
            let share = s.held[usize::from(*slot)];
            share.count > 0 && (share.dead || self.has(Fault::ReclaimTheLiving) && *slot != me)
        };
        match (from..self.processes).find(is_dead).filter(|_| !self.has(Fault::NoReclaim)) {
            Some(slot) => Step::ClearDead { slot },
            None => Step::Reclaimed,
        }
    }

    fn check(s: &State) -> Result<(), Violation> {
        let inside = |process: &Process| !matches!(process.step, Step::Idle | Step::Dead | Step::Lock);
        let mut outside = s.processes.iter().zip(s.held).filter(|(process, _)| !inside(process));
        if s.known() > s.total && s.gate.is_clean() {
            Err("more permits are held than there are")
        } else if outside.any(|(process, share)| process.has != share.mine()) {
            Err("a live process loses a permit, or holds one that it does not know")
        } else if s.gate.is_clean() && s.taken != s.sum() {
            Err("permits are taken that no agent holds, or free that an agent holds")
        } else {
            Ok(())
        }
    }

    /// Process `p` alone completes its call. Returns false if it waits for a live process.
    fn alone(self, s: &mut State, p: u8) -> bool {
        while !s.is(p, Step::Idle) {
            if !self.step(s, p, 0) {
                return false;
            }
        }
        true
    }

    fn call(self, s: &mut State, p: u8, call: Call) -> bool {
        let choice = CALLS.iter().position(|other| *other == call).unwrap_or_default();
        self.step(s, p, choice as u8) && self.alone(s, p)
    }
}

impl Model for Semaphore {
    type State = State;

    fn initial(self) -> State {
        State {
            gate: Gate::default(),
            total: self.permits,
            taken: 0,
            held: [Share::default(); PROCESSES],
            processes: [Process { call: Call::Value, step: Step::Idle, has: 0 }; PROCESSES],
        }
    }

    fn canonical(self, s: &State) -> State {
        let mut s = *s;
        for process in
            s.processes.iter_mut().filter(|process| matches!(process.step, Step::Idle | Step::Dead))
        {
            process.call = Call::Value;
        }
        s
    }

    fn moves(self, s: &State) -> Vec<Move<State>> {
        let mut all = Vec::new();
        for by in 0..self.processes {
            for choice in 0..CALLS.len() as u8 {
                let mut after = *s;
                if self.step(&mut after, by, choice) {
                    all.push(Move { by, chose: s.is(by, Step::Idle), after, verdict: Self::check(&after) });
                }
            }
            if !s.is(by, Step::Dead) {
                let mut after = *s;
                after.processes[usize::from(by)] = Process { call: Call::Value, step: Step::Dead, has: 0 };
                after.gate.bury(by);
                after.held[usize::from(by)].dead = true;
                all.push(Move { by, chose: true, after, verdict: Self::check(&after) });
            }
        }
        all
    }

    fn processes(self) -> u8 {
        self.processes
    }

    /// Completes the call. Then the permits of dead processes are free, and the process can acquire
    /// each free permit.
    fn go_on_alone(self, mut s: State, p: u8) -> Result<(), Violation> {
        if !self.alone(&mut s, p) || !self.call(&mut s, p, Call::Value) {
            return Ok(());
        }
        let free = s.total.saturating_sub(s.known());
        if s.free() != free {
            return Err("permits of dead processes do not return");
        }
        for _ in 0..free {
            self.call(&mut s, p, Call::Acquire);
        }
        if s.known() < s.total || s.free() > 0 {
            return Err("a free permit cannot be acquired");
        }
        Ok(())
    }

    fn tell(self, before: &State, to: &Move<State>) -> String {
        let Move { by, after, .. } = to;
        let [from, now] = [before, after].map(|s| s.processes[usize::from(*by)]);
        let State { total, taken, held, .. } = after;
        format!(
            "{by}: {:?} {:?} -> {:?}; {taken} of {total} taken, held {held:?}",
            now.call, from.step, now.step
        )
    }
}
