//! How a queue counts failures: messages whose reader died or gave up. Each is counted once, even
//! if the counting process dies.
//!
//! The model leaves out the ring: any process may take the message of a free chunk in one step. The
//! process that reaps the dead reader, or the reader that gives up, counts the failure under the
//! mutex of reapers, and then frees the chunk. The counters are kept relative to the failures whose
//! chunks are free, so that the states are finitely many.

use crate::explore::{Model as Explored, Move, Violation};

const PROCESSES: usize = 4;
const CHUNKS: usize = 3;

/// What counting cannot do without.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// A reaper adds to the number that it finds, not to the number before this failure.
    CountUp,
    /// A reaper notes which message fails before it notes how many failed before.
    FailingBeforeBefore,
    /// A reaper doesn't complete the count that a dead reaper began.
    NoSettling,
    /// A reaper frees the chunk of a dead reaper without counting its failure.
    SettleWithoutCount,
    /// A reaper counts the failure of a dead reaper without freeing its chunk.
    SettleWithoutFreeing,
    /// The failing message is noted by the number of its chunk only.
    FailingByNumber,
    /// A reaper counts a failure without freeing its chunk.
    CountWithoutFreeing,
    /// A reader that gives up counts without the mutex.
    GiveUpWithoutMutex,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Failures {
    pub(crate) processes: u8,
    pub(crate) chunks: u8,
    pub(crate) fault: Option<Fault>,
}

/// A chunk, and whether its claim is unchanged since this was noted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Claim {
    chunk: u8,
    same: bool,
}

/// The next step of a process that counts, under the mutex.
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
    /// The chunk whose failure is counted.
    chunk: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct State {
    /// The process that reads from each chunk.
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

    /// An idle process takes the message of a chunk, or frees its own chunk. With higher choices it
    /// begins to count the failure of a chunk: that of a dead reader, or its own.
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

    /// Takes the next step of process `me`. Returns false if it has none with this choice.
    fn step(self, s: &mut State, me: u8, choice: u8) -> bool {
        let Process { step, chunk } = s.processes[usize::from(me)];
        let early = self.has(Fault::FailingBeforeBefore);
        let is_this =
            |failing: Claim| failing.chunk == chunk && (failing.same || self.has(Fault::FailingByNumber));
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
                if self.has(Fault::CountWithoutFreeing) { Unlock } else { Free }
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

    /// Process `p` takes steps until it is idle.
    fn complete(self, s: &mut State, p: u8) {
        while s.processes[usize::from(p)].step != Idle {
            self.step(s, p, 0);
        }
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

    /// Frees a chunk whose message has failed.
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

    fn processes(self) -> u8 {
        self.processes
    }

    /// Completes what the process does, and counts the failures of dead readers. Then all their
    /// chunks are free.
    fn go_on_alone(self, mut s: State, p: u8) -> Result<(), Violation> {
        if s.dead(p) {
            return Ok(());
        }
        self.complete(&mut s, p);
        if s.reaper.is_some_and(|reaper| !s.dead(reaper)) {
            return Ok(());
        }
        for chunk in 0..self.chunks {
            if s.readers[usize::from(chunk)].is_some_and(|by| s.dead(by)) {
                self.step(&mut s, p, self.chunks + chunk);
            }
            self.complete(&mut s, p);
        }
        if s.failed != 0 || s.readers.iter().flatten().any(|by| s.dead(*by)) {
            return Err("a failure is not counted, or its chunk is not freed");
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
