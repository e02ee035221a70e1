//! How a queue counts the messages that readers died of or gave up: each once, whoever dies while counting.
//!
//! Apart from the ring: a free chunk is one that any process may read from, by one step. A message's failure is counted
//! under the reapers' mutex, by who reaps its dead reader, or by its reader who gives it up; then its chunk is freed. The
//! counters are what they are ahead of the failures whose chunks are free, so that the states are finitely many.

use crate::explore::{Model as Explored, Move, Violation};

const PROCESSES: usize = 4;
const CHUNKS: usize = 3;

/// What counting cannot do without.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// It adds to what it finds, instead of to what was there before this failure.
    CountUp,
    FailingBeforeBefore,
    NoSettling,
    SettleWithoutCount,
    SettleWithoutFreeing,
    /// By the number of the chunk only.
    NoGeneration,
    FreeBeforeCount,
    GiveUpWithoutMutex,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Failures {
    pub(crate) processes: u8,
    pub(crate) chunks: u8,
    pub(crate) fault: Option<Fault>,
}

/// A chunk, and whether its claim has not changed since this was noted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Claim {
    chunk: u8,
    same: bool,
}

/// What a process that counts does next, under the mutex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum Step {
    Idle,
    Dead,
    Look,
    SettleCount { last: u8 },
    SettleFree { last: u8 },
    Before,
    Failing,
    Count,
    Free,
    Unlock,
}
use Step::{Before, Count, Dead, Failing, Free, Idle, Look, SettleCount, SettleFree, Unlock};

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Process {
    step: Step,
    /// Whose chunk is counted.
    chunk: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct State {
    /// Who reads from each chunk.
    readers: [Option<u8>; CHUNKS],
    failing: Option<Claim>,
    before: i8,
    failed: i8,
    reaper: Option<u8>,
    processes: [Process; PROCESSES],
}

impl Failures {
    fn has(self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// An idle process takes the message of a chunk, or its own message is handed over; or, chosen after these, it begins to
    /// count the failure of a chunk, that of a dead reader or its own.
    fn begin(self, s: &mut State, me: u8, choice: u8) -> bool {
        let (chunk, counts) = (choice % self.chunks, choice / self.chunks > 0);
        match s.readers[usize::from(chunk)] {
            None if !counts => s.readers[usize::from(chunk)] = Some(me),
            Some(by) if by == me && !counts => s.release(chunk),
            Some(by) if counts && (by == me || s.dead(by)) => {
                let bare = by == me && self.has(Fault::GiveUpWithoutMutex);
                if !bare && s.reaper.is_some_and(|other| !s.dead(other)) {
                    return false;
                }
                if !bare {
                    s.reaper = Some(me);
                }
                s.processes[usize::from(me)] = Process { step: Look, chunk };
            }
            _ => return false,
        }
        true
    }

    /// The next step of process `me`; `false` if it has none with this choice.
    fn step(self, s: &mut State, me: u8, choice: u8) -> bool {
        let Process { step, chunk } = s.processes[usize::from(me)];
        let early = self.has(Fault::FailingBeforeBefore);
        let is_this =
            |failing: Claim| failing.chunk == chunk && (failing.same || self.has(Fault::NoGeneration));
        let next = match step {
            Dead => return false,
            Idle => return self.begin(s, me, choice),
            _ if choice > 0 => return false,
            Look => match s.failing {
                Some(failing) if is_this(failing) => Count,
                Some(Claim { chunk: last, same: true }) if s.readers[usize::from(last)].is_some() => {
                    match self.fault {
                        Some(Fault::NoSettling) => Before,
                        Some(Fault::SettleWithoutCount) => SettleFree { last },
                        _ => SettleCount { last },
                    }
                }
                _ if early => Failing,
                _ => Before,
            },
            SettleCount { last } => {
                s.failed = s.before + 1;
                if self.has(Fault::SettleWithoutFreeing) { Before } else { SettleFree { last } }
            }
            SettleFree { last } => {
                s.lose(last);
                if early { Failing } else { Before }
            }
            Before => {
                s.before = s.failed;
                if early { Count } else { Failing }
            }
            Failing => {
                s.failing = Some(Claim { chunk, same: true });
                if early { Before } else { Count }
            }
            Count => {
                s.failed = if self.has(Fault::CountUp) { s.failed } else { s.before } + 1;
                if self.has(Fault::FreeBeforeCount) { Unlock } else { Free }
            }
            Free => {
                s.lose(chunk);
                Unlock
            }
            Unlock => {
                s.reaper = s.reaper.filter(|reaper| *reaper != me);
                Idle
            }
        };
        s.processes[usize::from(me)] = Process { step: next, chunk: if next == Idle { 0 } else { chunk } };
        true
    }
}

impl State {
    fn dead(&self, p: u8) -> bool {
        self.processes[usize::from(p)].step == Dead
    }

    fn release(&mut self, chunk: u8) {
        self.readers[usize::from(chunk)] = None;
        if let Some(failing) = self.failing.as_mut().filter(|failing| failing.chunk == chunk) {
            failing.same = false;
        }
    }

    /// Frees a chunk whose message is one more that was lost.
    fn lose(&mut self, chunk: u8) {
        if self.readers[usize::from(chunk)].is_some() {
            self.release(chunk);
            (self.failed, self.before) = (self.failed - 1, self.before - 1);
        }
    }
}

impl Explored for Failures {
    type State = State;

    fn initial(self) -> State {
        let idle = |p| Process { step: if p < usize::from(self.processes) { Idle } else { Dead }, chunk: 0 };
        State {
            readers: [None; CHUNKS],
            failing: None,
            before: 0,
            failed: 0,
            reaper: None,
            processes: std::array::from_fn(idle),
        }
    }

    fn canonical(self, s: &State) -> State {
        *s
    }

    fn moves(self, s: &State) -> Vec<Move<State>> {
        let mut all = Vec::new();
        let mut add = |by, after: State| {
            let doubtful = after
                .failing
                .is_some_and(|last| last.same && after.readers[usize::from(last.chunk)].is_some());
            let verdict = match after.failed {
                0 => Ok(()),
                1 if doubtful => Ok(()),
                1.. => Err("a failure is counted twice"),
                _ => Err("a failure is not counted"),
            };
            all.push(Move { by, chose: true, after, verdict });
        };
        for by in 0..self.processes {
            for choice in 0..2 * self.chunks {
                let mut after = *s;
                if self.step(&mut after, by, choice) {
                    add(by, after);
                }
            }
            let mut after = *s;
            let step = &mut after.processes[usize::from(by)].step;
            if *step != Dead {
                *step = Dead;
            } else if s.reaper != Some(by) && !s.readers.contains(&Some(by)) {
                *step = Idle;
            }
            after.processes[usize::from(by)].chunk = 0;
            add(by, after);
        }
        all
    }

    /// It completes what it does, and counts what the dead had: all of that is free then.
    fn outlook(self, to: &Move<State>) -> Result<(), (u8, Violation)> {
        for p in (0..self.processes).filter(|&p| !to.after.dead(p)) {
            let mut s = to.after;
            while s.processes[usize::from(p)].step != Idle {
                self.step(&mut s, p, 0);
            }
            if s.reaper.is_some_and(|reaper| !s.dead(reaper)) {
                continue;
            }
            for chunk in 0..self.chunks {
                if s.readers[usize::from(chunk)].is_some_and(|by| s.dead(by)) {
                    self.step(&mut s, p, self.chunks + chunk);
                }
                while s.processes[usize::from(p)].step != Idle {
                    self.step(&mut s, p, 0);
                }
            }
            if s.failed != 0 || s.readers.iter().flatten().any(|by| s.dead(*by)) {
                return Err((p, "a failure is left uncounted, or its chunk"));
            }
        }
        Ok(())
    }

    fn tell(self, before: &State, to: &Move<State>) -> String {
        let Move { by, after, .. } = to;
        let [from, now] = [before, after].map(|s| s.processes[usize::from(*by)]);
        let State { readers, failing, before, failed, .. } = after;
        format!("{by}: {from:?} -> {now:?}; {readers:?} {failing:?} before {before} failed {failed}")
    }
}
