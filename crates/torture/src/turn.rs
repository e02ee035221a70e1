//! What survivors do with the objects of a scene in turn: each turn checks what was promised of its object.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crossmem_core::{Arrived, CONSUMER, Code, Fate, Looked, Member, PRODUCER, Segment, Wait, Wanted};

use crate::ledger::Stream;
use crate::scene::{PERMITS, Scene, Thing};
use crate::stage::{Outcome, check};
use crate::user::{ChannelUser, QueueUser};

/// Longer than anybody waits unless something is lost.
const PATIENT: Duration = Duration::from_secs(5);

/// How a turn is taken.
#[derive(Clone, Copy)]
pub struct Turn {
    /// Somebody living may keep it from us.
    pub blocked: bool,
    /// Somebody died: otherwise nobody may be told of a death.
    pub died: bool,
    /// A message that gets a segment of its own.
    pub large: bool,
}

impl Turn {
    fn wait(self) -> Wait {
        if self.blocked { Wait::Try } else { Wait::For(PATIENT) }
    }

    /// Nothing was taken from the living: neither is a death told that didn't happen, nor is a victim inside that stands still.
    fn check(self, scene: &Scene, told: bool) -> Outcome {
        check(self.died || !told, || "a death is told, and nobody died".into())?;
        let victim_inside = scene.stage.ledger.victim_inside.load(SeqCst) != 0;
        check(!self.blocked || !victim_inside, || "it was taken from the living".into())
    }
}

/// A survivor's places in the queues.
pub struct Members {
    main: Option<Member>,
    tasks: Option<Member>,
}

impl Members {
    pub fn join(scene: &Scene) -> Outcome<Members> {
        Ok(Members {
            main: Some(scene.on(&scene.main).join_queue()?),
            tasks: Some(scene.on(&scene.tasks).join_queue()?),
        })
    }
}

/// Whether it was done: somebody who lives may be in the way.
pub fn turn(scene: &Scene, members: &mut Members, thing: Thing, how: Turn) -> Outcome<bool> {
    let ledger = scene.stage.ledger;
    let done = match thing {
        Thing::Mutex => with_mutex(scene, how),
        Thing::RwLock => with_rwlock(scene, how),
        Thing::Semaphore => with_semaphore(scene, how),
        Thing::Event => with_event(scene, how.wait()),
        Thing::Condition => with_condition(scene, how.wait()),
        Thing::Barrier => with_barrier(scene, how),
        Thing::NamedLock => with_named_lock(scene, how),
        Thing::Array => with_array(scene, how),
        Thing::Main => with_queue(scene, &scene.main, &mut members.main, &ledger.main, how.large),
        Thing::Tasks => with_queue(scene, &scene.tasks, &mut members.tasks, &ledger.tasks, how.large),
        Thing::Ring => with_ring(scene, how.blocked),
        Thing::Registry => with_registry(scene),
    };
    let done = done.map_err(|e| format!("{thing:?}: {e}"))?;
    check(done || how.blocked, || format!("{thing:?}: it can't be had"))?;
    Ok(done)
}

fn with_mutex(scene: &Scene, how: Turn) -> Outcome<bool> {
    let (mutex, inside) = (scene.on(&scene.mutex), &scene.stage.ledger.in_mutex);
    let Looked::Got(locked) = mutex.lock(how.wait())? else { return Ok(false) };
    how.check(scene, locked.owner_died)?;
    let before = inside.swap(std::process::id(), SeqCst);
    check(before == 0 || locked.owner_died, || format!("process {before} is inside, too"))?;
    scene.twins(Thing::Mutex).change_after(locked)?;
    mutex.mark_consistent()?;
    inside.store(0, SeqCst);
    mutex.unlock(false)?;
    Ok(true)
}

/// Writes, and then reads: beside a victim that reads, others may read.
fn with_rwlock(scene: &Scene, how: Turn) -> Outcome<bool> {
    let (rwlock, twins) = (scene.on(&scene.rwlock), scene.twins(Thing::RwLock));
    let Looked::Got(locked) = rwlock.write(how.wait())? else { return Ok(false) };
    how.check(scene, locked.owner_died)?;
    twins.change_after(locked)?;
    rwlock.mark_written_consistent()?;
    rwlock.end_write(false)?;
    let Looked::Got(locked) = rwlock.read(how.wait())? else { return Ok(false) };
    check(how.died || !locked.owner_died, || "a death is told, and nobody died".into())?;
    check(locked.owner_died || twins.are_equal(), || "a reader sees half a change".into())?;
    rwlock.end_read()?;
    Ok(true)
}

fn with_semaphore(scene: &Scene, how: Turn) -> Outcome<bool> {
    let (semaphore, ledger) = (scene.on(&scene.semaphore), scene.stage.ledger);
    if semaphore.acquire(how.wait())? != Looked::Got(()) {
        return Ok(false);
    }
    let of_victim = if how.blocked { ledger.victim_inside.load(SeqCst) } else { 0 };
    let acquired = ledger.permits.fetch_add(1, SeqCst) + 1 + of_victim;
    check(u64::from(acquired) <= PERMITS, || format!("{acquired} permits are acquired"))?;
    ledger.permits.fetch_sub(1, SeqCst);
    semaphore.release(1, true)?;
    Ok(true)
}

fn with_event(scene: &Scene, wait: Wait) -> Outcome<bool> {
    let event = scene.on(&scene.event);
    let times = event.event_times()?;
    event.set_event()?;
    let came = event.wait_event(times, wait)? == Looked::Got(());
    event.clear_event()?;
    Ok(came)
}

fn with_condition(scene: &Scene, wait: Wait) -> Outcome<bool> {
    let condition = scene.on(&scene.condition);
    condition.enter_condition()?;
    condition.notify_condition(u32::MAX)?;
    let came = condition.wait_condition(0, wait)? == Looked::Got(());
    if came {
        condition.settle_condition()?;
    } else {
        condition.leave_condition(0)?;
    }
    Ok(came)
}

fn with_barrier(scene: &Scene, how: Turn) -> Outcome<bool> {
    let barrier = scene.on(&scene.barrier);
    let started = Instant::now();
    while started.elapsed() < PATIENT {
        match barrier.arrive(how.wait())? {
            Looked::Got(Arrived::Leading { generation, .. }) if barrier.complete_meeting(generation)? => {
                return Ok(true);
            }
            Looked::Got(Arrived::Broken) => {
                check(how.died, || "broken, and nobody died".into())?;
                barrier.reset_barrier()?;
            }
            // The other survivor made it as new.
            Looked::Got(_) if how.died => {}
            Looked::Got(other) => return Err(format!("{other:?}").into()),
            _ => return Ok(false),
        }
    }
    Ok(false)
}

fn with_named_lock(scene: &Scene, how: Turn) -> Outcome<bool> {
    let blocked = how.blocked;
    let table = scene.on(&scene.named);
    // `request` would wait for ten seconds if somebody stands still inside.
    if blocked && table.request_news(false).is_err_and(|e| e.code == Code::Timeout) {
        return Ok(false);
    }
    let wanted = Wanted { name: b"lock", shared: false, if_available: false, steal: false };
    let entered = table.request(&wanted)?.ok_or("a request was refused")?;
    let started = Instant::now();
    let mut granted = entered.granted;
    while granted.is_none() && !blocked && started.elapsed() < PATIENT {
        let news = table.request_news(true)?;
        granted = news
            .iter()
            .find(|news| news.ticket == entered.request.ticket)
            .map(|news| matches!(news.fate, Fate::Granted { recovered: true }));
        std::thread::yield_now();
    }
    if let Some(recovered) = granted {
        how.check(scene, recovered)?;
    }
    table.end_request(entered.request, false)?;
    Ok(granted.is_some())
}

fn with_array(scene: &Scene, how: Turn) -> Outcome<bool> {
    let (guard, twins) = (scene.guard()?, scene.twins(Thing::Array));
    let Looked::Got(locked) = guard.enter(&scene.agent, how.wait()) else { return Ok(false) };
    how.check(scene, locked.owner_died)?;
    twins.change_after(locked)?;
    guard.leave(&scene.agent)?;
    let mut copy = [0; 16];
    if !guard.copy_to(&scene.agent, 0, &mut copy, PATIENT)? {
        return Ok(false);
    }
    check(copy[..8] == copy[8..], || "a snapshot shows half an update".into())?;
    Ok(true)
}

fn with_queue(
    scene: &Scene,
    queue: &Segment,
    member: &mut Option<Member>,
    stream: &Stream,
    large: bool,
) -> Outcome<bool> {
    let object = scene.on(queue);
    let mut user = QueueUser { object, member: member.take().ok_or("no member")?, stream };
    let done = push_and_get(&mut user, large);
    *member = Some(user.member);
    done
}

fn push_and_get(user: &mut QueueUser<'_>, large: bool) -> Outcome<bool> {
    let started = Instant::now();
    // A large one is refused, too, while the other survivor is in the registry.
    while !user.push(large, Wait::For(PATIENT))? {
        if started.elapsed() > PATIENT {
            return Ok(false);
        }
    }
    // Another one may have it by now.
    user.get(Wait::Try)?;
    Ok(true)
}

/// Both ends, one after the other; the other survivor may have one for a moment.
fn with_ring(scene: &Scene, blocked: bool) -> Outcome<bool> {
    let started = Instant::now();
    let take = |end| loop {
        match ChannelUser::take(&scene.agent, &scene.ring, end, &scene.stage.ledger.ring) {
            Err(e) if is_busy(&*e) && !blocked && started.elapsed() < PATIENT => std::thread::yield_now(),
            Err(e) if is_busy(&*e) => return Ok(None),
            taken => return taken.map(Some),
        }
    };
    let Some(mut producer) = take(PRODUCER)? else { return Ok(false) };
    let pushed = producer.push()?;
    producer.release(false)?;
    let Some(mut consumer) = take(CONSUMER)? else { return Ok(false) };
    while consumer.pop()? {}
    consumer.release(false)?;
    Ok(pushed)
}

fn is_busy(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<crossmem_core::Error>().is_some_and(|e| e.code == Code::Busy)
}

/// An object's whole life.
fn with_registry(scene: &Scene) -> Outcome<bool> {
    let (stage, of) = (&scene.stage, format!("own.{}", std::process::id()));
    let made = stage.create_bytes(&scene.agent, &of, 64)?;
    let again = Segment::open(&scene.agent, &stage.name(&of), None)?;
    check(again.id() == made.id(), || "the name leads to something else".into())?;
    again.close(&scene.agent);
    made.unlink(&scene.agent)?;
    made.close(&scene.agent);
    Ok(true)
}
