//! Those who go on: processes that take turns with everything in the scene when they are told to, and say how it went.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crossmem_core::{
    Agent, Arrived, CONSUMER, Got, Kind, Locked, Looked, Object, PRODUCER, Segment, Wait, inspect,
};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::child;
use crate::cores::run_on_any_core;
use crate::scene::{Members, PERMITS, Scene, THINGS, Thing, Turn, turn};
use crate::stage::{Outcome, Stage, check};
use crate::user::{ChannelUser, QueueUser};

/// An answer that takes longer means that somebody hangs.
const HANGS: Duration = Duration::from_secs(30);

/// What is made ready before each trial of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Some messages in the queues and the ring.
    Plain,
    /// A pipe, whose first end a survivor has, with records in it.
    Pipe,
    /// A survivor waits at a barrier for two.
    Meeting,
    /// A queue that may end.
    Ending,
    /// A survivor waits for a notification.
    Waiting,
    /// A survivor holds a mutex.
    Held,
}

/// Turns to be taken, beside a victim that stands still, or after its death or good end.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    pub count: u32,
    /// What it may keep from others.
    pub blocked: Option<Thing>,
    /// It has the registry.
    pub registry: bool,
    /// Somebody died.
    pub died: bool,
}

/// What a survivor is to do.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Prepare(Setting),
    Take(Turns),
    /// Finds everything as it was before the trial.
    Settle,
    Leave,
}

const SETTINGS: [Setting; 6] =
    [Setting::Plain, Setting::Pipe, Setting::Meeting, Setting::Ending, Setting::Waiting, Setting::Held];

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
    /// Forks one. The first one makes the scene.
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

    /// Waits for the answer to what it was told: how many turns were done.
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

/// Takes turns with all things that are free; how many. What a victim keeps from us once isn't tried again.
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

/// What was made ready for one trial.
#[derive(Default)]
struct Prepared {
    setting: Option<Setting>,
    pipe: Option<(Segment, crossmem_core::End)>,
    ending: Option<Segment>,
    meeting: u64,
}

impl Prepared {
    fn prepare(&mut self, scene: &Scene, setting: Setting) -> Outcome {
        let (stage, agent) = (&scene.stage, &scene.agent);
        let ledger = stage.ledger;
        for (queue, stream) in [(&scene.main, &ledger.main), (&scene.tasks, &ledger.tasks)] {
            let mut user = QueueUser::join(agent, queue, stream)?;
            for large in [false, false, true] {
                check(user.push(large, Wait::Try)?, || "no room at first".into())?;
            }
            user.leave()?;
        }
        let mut producer = ChannelUser::take(agent, &scene.ring, PRODUCER, &ledger.ring)?;
        producer.push_many(3)?;
        producer.release(false)?;
        match setting {
            Setting::Plain => {}
            Setting::Pipe => {
                let pipe = stage.create(agent, "pipe", Kind::Pipe, [1024, 1024, 0, 0, 0])?;
                let object = Object::new(agent, &pipe);
                let mut end = object.take_end(0)?;
                for _ in 0..3 {
                    object.push_record(&mut end, b"from the survivor", false, Wait::Try)?;
                }
                self.pipe = Some((pipe, end));
            }
            Setting::Meeting => {
                let pair = scene.on(&scene.pair);
                pair.reset_barrier()?;
                let arrived = pair.arrive(Wait::Try)?;
                let Looked::Got(Arrived::Waiting { generation, .. }) = arrived else {
                    return Err(format!("a barrier for two: {arrived:?}").into());
                };
                self.meeting = generation;
            }
            Setting::Ending => {
                self.ending = Some(stage.create(agent, "ending", Kind::MpmcQueue, [4, 24, 0, 0, 0])?);
            }
            Setting::Waiting => scene.on(&scene.condition).enter_condition()?,
            Setting::Held => lock(scene)?,
        }
        self.setting = Some(setting);
        Ok(())
    }

    /// Takes out what is in the scene, and sees that nothing is missing.
    fn settle(&mut self, scene: &Scene) -> Outcome {
        let (agent, ledger) = (&scene.agent, scene.stage.ledger);
        agent.collect_garbage()?;
        if !files(&scene.stage.other_domain())?.is_empty() {
            // Whoever joins finds what was left of it, and takes it away.
            Agent::register(&scene.stage.other_domain(), 0)?.leave();
        }
        for (queue, stream) in [(&scene.main, &ledger.main), (&scene.tasks, &ledger.tasks)] {
            let mut user = QueueUser::join(agent, queue, stream)?;
            // The first look in vain reaps the dead.
            for _ in 0..2 {
                while user.get(Wait::Try)? {}
            }
            let (unfinished, _) = user.object.unfinished_messages(&user.member)?;
            check(unfinished == 0, || format!("{unfinished} chunks are not free"))?;
            user.leave()?;
        }
        let mut consumer = ChannelUser::take(agent, &scene.ring, CONSUMER, &ledger.ring)?;
        while consumer.pop()? {}
        consumer.release(false)?;
        let semaphore = scene.on(&scene.semaphore);
        let permits = semaphore.permits()?;
        let used_up = u64::from(ledger.consuming.swap(0, SeqCst));
        check(permits <= PERMITS && permits + used_up >= PERMITS, || format!("{permits} permits"))?;
        semaphore.release((PERMITS - permits) as u32, false)?;
        let requests = scene.on(&scene.named).query_requests()?;
        check(requests.is_empty(), || format!("named locks: {requests:?}"))?;
        self.settle_setting(scene)
    }

    fn settle_setting(&mut self, scene: &Scene) -> Outcome {
        let agent = &scene.agent;
        match self.setting.take() {
            None | Some(Setting::Plain) => {}
            Some(Setting::Pipe) => {
                let (pipe, end) = self.pipe.take().ok_or("no pipe")?;
                let mut user =
                    ChannelUser { object: Object::new(agent, &pipe), end, stream: &scene.stage.ledger.pipe };
                while user.pop_from_the_gone()? {}
                user.release(true)?;
                pipe.close(agent);
            }
            Some(Setting::Meeting) => {
                let pair = scene.on(&scene.pair);
                if matches!(pair.wait_meeting(self.meeting, Wait::Try)?, Looked::NotYet { .. }) {
                    let waiting = pair.waiting_at_barrier()?;
                    check(waiting == 1, || format!("{waiting} at a barrier where one waits"))?;
                }
                pair.reset_barrier()?;
            }
            Some(Setting::Ending) => {
                let queue = self.ending.take().ok_or("no queue")?;
                let mut user = QueueUser::join(agent, &queue, &scene.stage.ledger.main)?;
                while user.get(Wait::Try)? {}
                let object = Object::new(agent, &queue);
                object.end_queue()?;
                let ended = object.take_message(&mut user.member, Wait::Try)?;
                check(ended == Looked::Got(Got::Ended), || format!("after the end: {ended:?}"))?;
                user.leave()?;
                queue.close(agent);
            }
            Some(Setting::Held) => {
                scene.on(&scene.held).unlock(false)?;
                lock(scene)?;
                scene.on(&scene.held).unlock(false)?;
            }
            Some(Setting::Waiting) => {
                let condition = scene.on(&scene.condition);
                condition.notify_condition(u32::MAX)?;
                let came = condition.wait_condition(0, Wait::Try)?;
                check(came == Looked::Got(()), || "a notification is lost".into())?;
                condition.settle_condition()?;
            }
        }
        Ok(())
    }
}

fn lock(scene: &Scene) -> Outcome {
    let locked = scene.on(&scene.held).lock(Wait::Try)?;
    check(locked == Looked::Got(Locked { owner_died: false }), || {
        format!("a mutex that nobody else has: {locked:?}")
    })
}

/// What there is in the domain, and in /dev/shm.
#[derive(PartialEq, Eq, Debug)]
struct Found {
    agents: usize,
    objects: Vec<String>,
    files: Vec<String>,
}

impl Found {
    fn now(stage: &Stage) -> Outcome<Found> {
        let info = inspect(&stage.domain)?;
        let mut objects: Vec<String> = info.objects.into_iter().map(|object| object.name).collect();
        objects.sort();
        Ok(Found { agents: info.agents.len(), objects, files: files(&stage.domain)? })
    }

    /// The same as when the scene was made; the second survivor came later.
    fn check(&self, stage: &Stage) -> Outcome {
        let now = Found::now(stage)?;
        let expected = Found { agents: 2, objects: self.objects.clone(), files: self.files.clone() };
        check(now == expected, || format!("there is {now:?}, and should be {expected:?}"))
    }
}

/// Files in /dev/shm that belong to a domain.
pub fn files(domain: &str) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir("/dev/shm")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.contains(domain) {
            files.push(name);
        }
    }
    files.sort();
    Ok(files)
}
