//! The turns of survivors: each uses one object of the scene, and checks what is promised of it.

use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use crossmem_core::{Added, Arrived, CONSUMER, Code, Fate, Looked, Member, PRODUCER, Segment, Wait, Wanted};

use crate::ledger::Stream;
use crate::scene::{FIRST_STRUCTURE, PERMITS, SURVIVORS_STRUCTURE, Scene, Thing, VICTIMS_STRUCTURE};
use crate::stage::{Outcome, check};
use crate::user::{ChannelUser, QueueUser, RecordUser};

/// Longer than any wait takes, unless something is lost.
const PATIENT: Duration = Duration::from_secs(5);

/// The circumstances of a turn.
#[derive(Clone, Copy)]
pub struct Turn {
    /// A live process may keep the object from the survivor.
    pub blocked: bool,
    /// A process has died. Otherwise no call may report a death.
    pub died: bool,
    /// The message is so large that it goes to the arena.
    pub large: bool,
}

impl Turn {
    fn wait(self) -> Wait {
        if self.blocked { Wait::Try } else { Wait::For(PATIENT) }
    }

    /// Checks that the object was not taken from a live process: no death is reported without one,
    /// and no frozen victim holds the object.
    fn check(self, scene: &Scene, told: bool) -> Outcome {
        check(self.died || !told, || "a death is reported, but no process died".into())?;
        let victim_inside = scene.stage.ledger.victim_inside.load(SeqCst) != 0;
        check(!self.blocked || !victim_inside, || "it was taken from a live process".into())
    }
}

/// A survivor's memberships of the queues.
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

/// Takes a turn. Returns false if a live process kept the object from the survivor.
pub fn turn(scene: &Scene, members: &mut Members, thing: Thing, how: Turn) -> Outcome<bool> {
    let ledger = scene.stage.ledger;
    let done = match thing {
        Thing::Mutex => with_mutex(scene, how),
        Thing::RwLock => with_rwlock(scene, how),
        Thing::Semaphore => with_semaphore(scene, how),
        Thing::Event => with_event(scene, how.blocked),
        Thing::Condition => with_condition(scene, how.wait()),
        Thing::Barrier => with_barrier(scene, how),
        Thing::NamedLock => with_named_lock(scene, how),
        Thing::Array => with_array(scene, how),
        Thing::Main => with_queue(scene, &scene.main, &mut members.main, &ledger.main, how.large)
            .and_then(|done| with_structures(scene, members, how.died).map(|()| done)),
        Thing::Tasks => with_queue(scene, &scene.tasks, &mut members.tasks, &ledger.tasks, how.large),
        Thing::Ring => with_ring(scene, how.blocked),
        Thing::Records => with_records(scene, how.blocked),
        Thing::Registry => with_registry(scene),
    };
    let done = done.map_err(|e| format!("{thing:?}: {e}"))?;
    check(done || how.blocked, || format!("{thing:?}: it could not be taken"))?;
    Ok(done)
}

fn with_mutex(scene: &Scene, how: Turn) -> Outcome<bool> {
    let (mutex, inside) = (scene.on(&scene.mutex), &scene.stage.ledger.in_mutex);
    let Looked::Got(locked) = mutex.lock(how.wait())? else { return Ok(false) };
    how.check(scene, locked.owner_died)?;
    let before = inside.swap(std::process::id(), SeqCst);
    check(before == 0 || locked.owner_died, || format!("process {before} holds it, too"))?;
    scene.twins(Thing::Mutex).change_after(locked)?;
    mutex.mark_consistent()?;
    inside.store(0, SeqCst);
    mutex.unlock(false)?;
    Ok(true)
}

/// Writes, and then reads: while a victim reads, other processes may read.
fn with_rwlock(scene: &Scene, how: Turn) -> Outcome<bool> {
    let (rwlock, twins) = (scene.on(&scene.rwlock), scene.twins(Thing::RwLock));
    let Looked::Got(locked) = rwlock.write(how.wait())? else { return Ok(false) };
    how.check(scene, locked.owner_died)?;
    twins.change_after(locked)?;
    rwlock.mark_written_consistent()?;
    rwlock.end_write(false)?;
    let Looked::Got(locked) = rwlock.read(how.wait())? else { return Ok(false) };
    check(how.died || !locked.owner_died, || "a death is reported, but no process died".into())?;
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

/// If the other survivor had set the event before this one did, and clears it before this one
/// looks, this one sets it again.
fn with_event(scene: &Scene, blocked: bool) -> Outcome<bool> {
    let event = scene.on(&scene.event);
    let started = Instant::now();
    loop {
        let times = event.event_times()?;
        event.set_event()?;
        let came = event.wait_event(times, Wait::Try)? == Looked::Got(());
        event.clear_event()?;
        if came || blocked || started.elapsed() > PATIENT {
            return Ok(came);
        }
    }
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
                check(how.died, || "broken, but no process died".into())?;
                barrier.reset_barrier()?;
            }
            // The other survivor has reset it.
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
    // If a frozen victim holds the table's mutex, `request` would wait for ten seconds.
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
    // A large message is also refused while the other survivor holds the registry's mutex.
    while !user.push(large, Wait::For(PATIENT))? {
        if started.elapsed() > PATIENT {
            return Ok(false);
        }
    }
    // The other survivor may have taken the message by now.
    user.get(Wait::Try)?;
    Ok(true)
}

/// Reads the structures of the main queue, which takes no mutex, and adds one. A living victim may
/// have the mutex.
fn with_structures(scene: &Scene, members: &Members, died: bool) -> Outcome {
    let object = scene.on(&scene.main);
    let member = members.main.as_ref().ok_or("no member")?;
    let started = Instant::now();
    let added = loop {
        // The other survivor has the mutex for a moment.
        match object.add_structure(member, SURVIVORS_STRUCTURE)? {
            Added::NotNow if died && started.elapsed() < PATIENT => std::thread::yield_now(),
            added => break added,
        }
    };
    check(added != Added::NoRoom && (added != Added::NotNow || !died), || format!("it was added {added:?}"))?;
    let mut entries = object.structures(member)?;
    let is_first = entries.first().is_some_and(|entry| entry == FIRST_STRUCTURE);
    let count = entries.len();
    entries.sort();
    entries.dedup();
    let all = [FIRST_STRUCTURE, VICTIMS_STRUCTURE, SURVIVORS_STRUCTURE];
    let are_whole = entries.iter().all(|entry| all.contains(&entry.as_slice()));
    check(is_first && are_whole && entries.len() == count, || format!("the structures are {entries:?}"))
}

/// Takes both ends, one after the other. The other survivor may hold an end for a moment.
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

/// Puts a record, and takes one, which another survivor may have put.
fn with_records(scene: &Scene, blocked: bool) -> Outcome<bool> {
    let stream = &scene.stage.ledger.records;
    let user = RecordUser { object: scene.on(&scene.records), queue: &scene.records, stream };
    let wait = if blocked { Wait::Try } else { Wait::For(PATIENT) };
    let put = user.put(1, wait)?;
    let got = user.get(wait)?;
    Ok(put && got)
}

fn is_busy(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<crossmem_core::Error>().is_some_and(|e| e.code == Code::Busy)
}

/// Creates, opens, unlinks and closes an object.
fn with_registry(scene: &Scene) -> Outcome<bool> {
    let (stage, of) = (&scene.stage, format!("own.{}", std::process::id()));
    let made = stage.create_bytes(&scene.agent, &of, 64)?;
    let again = Segment::open(&scene.agent, &stage.name(&of), None)?;
    check(again.id() == made.id(), || "the name leads to another object".into())?;
    again.close(&scene.agent);
    made.unlink(&scene.agent)?;
    made.close(&scene.agent);
    Ok(true)
}
