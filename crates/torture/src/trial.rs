//! One trial: a victim is led to an instruction. There it is killed, or it is frozen while the
//! survivors go on, and then killed or resumed.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crossmem_core::inspect;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, waitpid};

use crate::child;
use crate::found::files;
use crate::ledger::Ledger;
use crate::operations::Operation;
use crate::stage::{Outcome, Stage, check};
use crate::survey::{Trace, survey};
use crate::survivor::{Order, Survivor, Turns};
use crate::tracer::{Stop, Traced};

const TURNS_BESIDE: u32 = 200;
const TURNS_AFTER: u32 = 100;
/// The time that the survivors have for their turns after the victim's end.
pub const SOON: Duration = Duration::from_millis(500);

/// What happens to a victim at its instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Killed,
    FrozenAndKilled,
    FrozenAndResumed,
}

pub const FATES: [Fate; 3] = [Fate::Killed, Fate::FrozenAndKilled, Fate::FrozenAndResumed];

/// A domain with two survivors in it.
pub struct Theatre {
    stage: Stage,
    survivors: [Survivor; 2],
}

impl Theatre {
    pub fn new(ledger: &'static Ledger, number: u32) -> Outcome<Theatre> {
        let stage = Stage { domain: format!("torture-{}-{number}", std::process::id()), ledger };
        let survivors = [Survivor::spawn(&stage, true)?, Survivor::spawn(&stage, false)?];
        Ok(Theatre { stage, survivors })
    }

    /// Lets the survivors leave. No file of the domain may be left.
    pub fn close(mut self) -> Outcome {
        for survivor in &mut self.survivors {
            survivor.ask(Order::Leave)?;
        }
        let left = files(&self.stage.domain)?;
        check(left.is_empty(), || format!("left in /dev/shm: {left:?}"))
    }

    fn set_up(&mut self, operation: &Operation) -> Outcome {
        self.survivors[0].ask(Order::Prepare(operation.setting))?;
        if let Some(corpse) = operation.before {
            let stage = self.stage.clone();
            live_and_die(move || corpse(&stage))?;
        }
        // No victim lives now.
        self.stage.ledger.victim_inside.store(0, SeqCst);
        Ok(())
    }

    fn victim(&self, operation: &Operation) -> Outcome<Traced> {
        let (stage, life) = (self.stage.clone(), operation.life);
        Ok(Traced::spawn(move || life(&stage))?)
    }

    /// Watches one victim step by step, to learn which instructions the operation executes.
    pub fn survey(&mut self, operation: &Operation) -> Outcome<Trace> {
        self.set_up(operation)?;
        let mut victim = self.victim(operation)?;
        let trace = survey(&mut victim)?;
        victim.finish()?;
        self.go_on(operation.before.is_some())?;
        Ok(trace)
    }

    /// One trial. Returns how long the survivors needed, or `None` if the victim didn't reach that
    /// instruction this time.
    pub fn torture(
        &mut self,
        operation: &Operation,
        trace: &Trace,
        at: usize,
        fate: Fate,
    ) -> Outcome<Option<Duration>> {
        self.set_up(operation)?;
        let mut victim = self.victim(operation)?;
        let came = lead(&mut victim, trace, at)?;
        match (came, fate) {
            (false, _) => victim.finish()?,
            (true, Fate::Killed) => victim.kill()?,
            (true, Fate::FrozenAndKilled) => {
                self.go_on_beside(operation, &victim)?;
                victim.kill()?;
            }
            (true, Fate::FrozenAndResumed) => {
                self.go_on_beside(operation, &victim)?;
                victim.finish()?;
            }
        }
        let died = operation.before.is_some() || came && fate != Fate::FrozenAndResumed;
        let needed = self.go_on(died)?;
        Ok(came.then_some(needed))
    }

    /// Kills a victim at an instruction, and then watches its recoverer step by step.
    pub fn survey_recovery(
        &mut self,
        operation: &Operation,
        trace: &Trace,
        at: usize,
        recovery: &Operation,
    ) -> Outcome<Trace> {
        self.set_up(operation)?;
        kill_at(self.victim(operation)?, trace, at)?;
        let mut recoverer = self.victim(recovery)?;
        let trace = survey(&mut recoverer)?;
        recoverer.kill()?;
        self.go_on(true)?;
        Ok(trace)
    }

    /// Kills a victim at an instruction, and then its recoverer at an instruction of the recovery.
    pub fn torture_pair(
        &mut self,
        first: (&Operation, &Trace, usize),
        second: (&Operation, &Trace, usize),
    ) -> Outcome<Option<Duration>> {
        self.set_up(first.0)?;
        let came = kill_at(self.victim(first.0)?, first.1, first.2)?;
        let came = kill_at(self.victim(second.0)?, second.1, second.2)? && came;
        let needed = self.go_on(true)?;
        Ok(came.then_some(needed))
    }

    fn go_on_beside(&mut self, operation: &Operation, victim: &Traced) -> Outcome {
        let registry = inspect(&self.stage.domain)?.registry_held_by == Some(victim.pid());
        let died = operation.before.is_some();
        self.take_turns(Turns { count: TURNS_BESIDE, blocked: operation.blocks, registry, died })
    }

    /// After the victim's end, lets the survivors go on and check what they find. Returns how long
    /// their turns took.
    fn go_on(&mut self, died: bool) -> Outcome<Duration> {
        let started = Instant::now();
        self.take_turns(Turns { count: TURNS_AFTER, blocked: None, registry: false, died })?;
        let needed = started.elapsed();
        self.survivors[0].ask(Order::Settle)?;
        for (of, stream) in self.stage.ledger.streams() {
            stream.settle().map_err(|e| format!("messages of {of}: {e}"))?;
        }
        Ok(needed)
    }

    /// Lets both survivors take turns at the same time.
    fn take_turns(&mut self, turns: Turns) -> Outcome {
        for survivor in &mut self.survivors {
            survivor.tell(Order::Take(turns))?;
        }
        for answer in self.survivors.each_mut().map(Survivor::answer) {
            let done = answer?;
            check(done == turns.count, || format!("{done} turns of {}", turns.count))?;
        }
        Ok(())
    }
}

impl Drop for Theatre {
    /// Removes all files: after a violation, any may be left.
    fn drop(&mut self) {
        let objects = inspect(&self.stage.domain).map(|info| info.objects).unwrap_or_default();
        let names = objects.into_iter().map(|object| object.name);
        for file in files(&self.stage.domain).unwrap_or_default().into_iter().chain(names) {
            let _ = std::fs::remove_file(format!("/dev/shm/{file}"));
        }
        let _ = std::fs::remove_file(self.stage.file());
    }
}

/// Leads a victim from its first mark to an instruction. Returns false if the victim took another
/// way.
fn lead(victim: &mut Traced, trace: &Trace, at: usize) -> Outcome<bool> {
    let trapped = |stop| check(stop == Stop::Trap, || format!("the victim failed: {stop:?}"));
    let way = trace.way_to(at);
    victim.break_at(way.address)?;
    for _ in 0..way.hits {
        trapped(victim.cont()?)?;
        if victim.registers()?.rip != way.address {
            return Ok(false);
        }
    }
    victim.break_at(0)?;
    for _ in 0..way.steps {
        trapped(victim.step()?)?;
    }
    Ok(victim.registers()?.rip == trace.address(at))
}

fn kill_at(mut victim: Traced, trace: &Trace, at: usize) -> Outcome<bool> {
    let came = lead(&mut victim, trace, at)?;
    victim.kill()?;
    Ok(came)
}

/// Runs a child that kills itself at the end of `life`, while it still holds everything.
fn live_and_die(life: impl FnOnce()) -> Outcome {
    let child = child::spawn(|| {
        life();
        Ok(raise(Signal::SIGKILL)?)
    })?;
    let ended = waitpid(child, None)?;
    let died = matches!(ended, WaitStatus::Signaled(_, Signal::SIGKILL, _));
    check(died, || format!("the process that was to die first ended otherwise: {ended:?}"))
}
