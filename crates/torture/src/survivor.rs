//! Survivors: processes that use all objects of the scene when the harness orders it, and answer
//! how that went.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::child;
use crate::cores::run_on_any_core;
use crate::found::Found;
use crate::scene::{Scene, THINGS, Thing};
use crate::setting::{Prepared, SETTINGS, Setting};
use crate::stage::{Outcome, Stage};
use crate::turn::{Members, Turn, turn};

/// A survivor that doesn't answer within this time hangs.
const HANGS: Duration = Duration::from_secs(30);

/// Turns to be taken, beside a frozen victim or after its end.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    pub count: u32,
    /// The object that the victim may keep from other processes.
    pub blocked: Option<Thing>,
    /// The victim holds the registry's mutex.
    pub registry: bool,
    /// A process has died.
    pub died: bool,
}

/// An order to a survivor.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Prepare(Setting),
    Take(Turns),
    /// Checks that everything is as it was before the trial.
    Settle,
    Leave,
}

impl Order {
    fn to_bytes(self) -> [u8; 5] {
        let number_of =
            |blocked| THINGS.iter().position(|&thing| Some(thing) == blocked).unwrap_or(THINGS.len());
        match self {
            Order::Prepare(setting) => [0, setting as u8, 0, 0, 0],
            Order::Take(Turns { count, blocked, registry, died }) => {
                [1, count as u8, number_of(blocked) as u8, registry.into(), died.into()]
            }
            Order::Settle => [2, 0, 0, 0, 0],
            Order::Leave => [3, 0, 0, 0, 0],
        }
    }

    fn of([verb, a, b, c, d]: [u8; 5]) -> Order {
        match verb {
            0 => Order::Prepare(SETTINGS[usize::from(a)]),
            1 => Order::Take(Turns {
                count: a.into(),
                blocked: THINGS.get(usize::from(b)).copied(),
                registry: c != 0,
                died: d != 0,
            }),
            2 => Order::Settle,
            _ => Order::Leave,
        }
    }
}

/// A survivor, as the harness sees it.
pub struct Survivor {
    pid: Pid,
    stream: BufReader<UnixStream>,
}

impl Survivor {
    /// Forks a survivor. The first one makes the scene.
    pub fn spawn(stage: &Stage, first: bool) -> Outcome<Survivor> {
        let (ours, theirs) = UnixStream::pair()?;
        let pid = child::spawn(|| {
            run_on_any_core();
            live(stage, first, theirs)
        })?;
        ours.set_read_timeout(Some(HANGS))?;
        let mut survivor = Survivor { pid, stream: BufReader::new(ours) };
        survivor.answer()?;
        Ok(survivor)
    }

    pub fn tell(&mut self, order: Order) -> Outcome {
        Ok(self.stream.get_mut().write_all(&order.to_bytes())?)
    }

    /// Waits for the answer to an order: the number of turns that were done.
    pub fn answer(&mut self) -> Outcome<u32> {
        let mut line = String::new();
        self.stream.read_line(&mut line).map_err(|e| format!("a survivor hangs: {e}"))?;
        let answer = line.trim_end();
        Ok(answer
            .parse::<u32>()
            .map_err(|_| if answer.is_empty() { "a survivor crashed" } else { answer }.to_owned())?)
    }

    pub fn ask(&mut self, order: Order) -> Outcome<u32> {
        self.tell(order)?;
        self.answer()
    }
}

impl Drop for Survivor {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        let _ = waitpid(self.pid, None);
    }
}

/// A survivor's life.
fn live(stage: &Stage, first: bool, mut orders: UnixStream) -> Outcome {
    let scene = if first { Scene::create(stage)? } else { Scene::open(stage) };
    let mut members = Members::join(&scene)?;
    let mut prepared = Prepared::default();
    let at_first = Found::now(stage)?;
    writeln!(orders, "0")?;
    let mut turns_taken = 0;
    loop {
        let mut order = [0; 5];
        std::io::Read::read_exact(&mut orders, &mut order)?;
        let order = Order::of(order);
        let answer = match order {
            Order::Prepare(setting) => prepared.prepare(&scene, setting).map(|()| 0),
            Order::Take(turns) => take_turns(&scene, &mut members, &mut turns_taken, turns),
            Order::Settle => prepared.settle(&scene).and_then(|()| at_first.check(stage)).map(|()| 0),
            Order::Leave => {
                scene.agent.leave();
                writeln!(orders, "0")?;
                return Ok(());
            }
        };
        match answer {
            Ok(done) => writeln!(orders, "{done}")?,
            Err(e) => writeln!(orders, "{}", e.to_string().replace('\n', " "))?,
        }
    }
}

/// Takes turns with all objects that are free, and returns how many. An object that a victim kept
/// from this survivor once isn't tried again.
fn take_turns(scene: &Scene, members: &mut Members, taken: &mut usize, turns: Turns) -> Outcome<u32> {
    let (mut done, mut refused) = (0, false);
    while done < turns.count {
        *taken += 1;
        let thing = THINGS[*taken % THINGS.len()];
        let blocked = turns.blocked == Some(thing);
        if turns.registry && thing == Thing::Registry || blocked && refused {
            continue;
        }
        let large = (*taken / THINGS.len()).is_multiple_of(4) && !turns.registry;
        if turn(scene, members, thing, Turn { blocked, large, died: turns.died })? {
            done += 1;
        } else {
            refused = true;
        }
    }
    Ok(done)
}
