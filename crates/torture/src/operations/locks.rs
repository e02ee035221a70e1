//! Locks, and what else is waited for.

use std::sync::atomic::Ordering::SeqCst;

use crossmem_core::{Arrived, ByteRange, FileLock, Looked, Tried, Wait, Wanted};

use super::operation::{Operation, operation};
use crate::scene::{Scene, Thing};
use crate::setting::Setting::{Held, Meeting, Waiting};
use crate::stage::{NAP, Stage, mark};

pub const OPERATIONS: &[Operation] = &[
    operation("mutex: lock", lock).blocking(Thing::Mutex).recovered_by("mutex: take over"),
    operation("mutex: unlock", unlock).blocking(Thing::Mutex).recovered_by("mutex: take over"),
    operation("mutex: take over", take_over)
        .blocking(Thing::Mutex)
        .after_death_of(die_in_mutex)
        .recovered_by("mutex: take over"),
    operation("mutex: mark consistent", mark_consistent)
        .blocking(Thing::Mutex)
        .after_death_of(die_in_mutex)
        .recovered_by("mutex: take over"),
    operation("mutex: sleep and give up", sleep_for_mutex).in_setting(Held),
    operation("rwlock: read", read).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: end read", end_read).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: write", write).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: end write", end_write).blocking(Thing::RwLock).recovered_by("rwlock: take over"),
    operation("rwlock: take over", write_after_death)
        .blocking(Thing::RwLock)
        .after_death_of(die_writing)
        .recovered_by("rwlock: take over"),
    operation("rwlock: write after readers' death", write)
        .blocking(Thing::RwLock)
        .after_death_of(die_reading)
        .recovered_by("rwlock: take over"),
    operation("semaphore: acquire", acquire).blocking(Thing::Semaphore).recovered_by("semaphore: recount"),
    operation("semaphore: release", release).blocking(Thing::Semaphore).recovered_by("semaphore: recount"),
    operation("semaphore: consume and give anew", consume)
        .blocking(Thing::Semaphore)
        .recovered_by("semaphore: recount"),
    operation("semaphore: recount", acquire)
        .blocking(Thing::Semaphore)
        .after_death_of(die_with_permits)
        .recovered_by("semaphore: recount"),
    operation("event: set", set_event),
    operation("event: wait", wait_event),
    operation("event: sleep and give up", sleep_for_event),
    operation("condition: enter", enter_condition).recovered_by("condition: pass on after a death"),
    operation("condition: notify", notify)
        .in_setting(Waiting)
        .recovered_by("condition: pass on after a death"),
    operation("condition: pass on after a death", notify)
        .in_setting(Waiting)
        .after_death_of(die_notified)
        .recovered_by("condition: pass on after a death"),
    operation("condition: settle", settle).blocking(Thing::Condition),
    operation("condition: leave with a notification", leave_condition)
        .in_setting(Waiting)
        .recovered_by("condition: pass on after a death"),
    operation("barrier: lead", lead).blocking(Thing::Barrier),
    operation("barrier: complete", complete).blocking(Thing::Barrier),
    operation("barrier: arrive second", arrive_second)
        .in_setting(Meeting)
        .recovered_by("barrier: arrive after a death"),
    operation("barrier: arrive after a death", arrive_after_death)
        .in_setting(Meeting)
        .after_death_of(die_leading)
        .recovered_by("barrier: arrive after a death"),
    operation("barrier: abort", abort).in_setting(Meeting).recovered_by("barrier: arrive after a death"),
    operation("barrier: reset", reset).in_setting(Meeting).recovered_by("barrier: arrive after a death"),
    operation("named lock: request", request)
        .blocking(Thing::NamedLock)
        .recovered_by("named lock: take over"),
    operation("named lock: end", end_request)
        .blocking(Thing::NamedLock)
        .recovered_by("named lock: take over"),
    operation("named lock: steal", steal).blocking(Thing::NamedLock).recovered_by("named lock: take over"),
    operation("named lock: take over", request)
        .blocking(Thing::NamedLock)
        .after_death_of(die_with_named_locks)
        .recovered_by("named lock: take over"),
    operation("array: begin an update", enter_update).blocking(Thing::Array).recovered_by("array: take over"),
    operation("array: end an update", leave_update).blocking(Thing::Array).recovered_by("array: take over"),
    operation("array: snapshot", snapshot).blocking(Thing::Array),
    operation("array: take over", update_after_death)
        .blocking(Thing::Array)
        .after_death_of(die_in_update)
        .recovered_by("array: take over"),
    operation("file lock", file_lock),
];

/// A scene that its process never gives up.
fn scene(stage: &Stage) -> &'static Scene {
    Box::leak(Box::new(Scene::open(stage)))
}

/// Says that it is inside what it may keep from others, or that it is about to leave.
fn say_inside(scene: &Scene, inside: bool) {
    scene.stage.ledger.victim_inside.store(inside.into(), SeqCst);
}

fn locked(scene: &Scene) -> bool {
    let Looked::Got(locked) = scene.on(&scene.mutex).lock(Wait::Try).unwrap() else {
        panic!("it can't be had")
    };
    say_inside(scene, true);
    scene.stage.ledger.in_mutex.store(std::process::id(), SeqCst);
    locked.owner_died
}

fn unlocked(scene: &Scene) {
    scene.twins(Thing::Mutex).change();
    scene.stage.ledger.in_mutex.store(0, SeqCst);
    say_inside(scene, false);
    scene.on(&scene.mutex).unlock(false).unwrap();
}

fn lock(stage: &Stage) {
    let scene = scene(stage);
    mark();
    locked(scene);
    mark();
    unlocked(scene);
}

fn unlock(stage: &Stage) {
    let scene = scene(stage);
    locked(scene);
    mark();
    unlocked(scene);
    mark();
}

fn die_in_mutex(stage: &Stage) {
    let scene = scene(stage);
    locked(scene);
    scene.twins(Thing::Mutex).half_change();
}

/// What the dead left, unless a survivor was faster.
fn repair(scene: &Scene, of: Thing, died: bool) {
    let twins = scene.twins(of);
    assert!(died || twins.are_equal(), "nobody said that it is half-changed");
    twins.repair();
}

fn take_over(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = locked(scene);
    mark();
    repair(scene, Thing::Mutex, died);
    scene.on(&scene.mutex).mark_consistent().unwrap();
    unlocked(scene);
}

fn mark_consistent(stage: &Stage) {
    let scene = scene(stage);
    locked(scene);
    scene.twins(Thing::Mutex).repair();
    mark();
    scene.on(&scene.mutex).mark_consistent().unwrap();
    unlocked(scene);
    mark();
}

/// Somebody living has it, and doesn't give it back.
fn sleep_for_mutex(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let locked = scene.on(&scene.held).lock(NAP).unwrap();
    mark();
    assert!(matches!(locked, Looked::NotYet { .. }), "{locked:?}");
}

fn reading(scene: &Scene) {
    let read = scene.on(&scene.rwlock).read(Wait::Try).unwrap();
    assert!(matches!(read, Looked::Got(locked) if !locked.owner_died), "{read:?}");
    say_inside(scene, true);
}

fn end_reading(scene: &Scene) {
    say_inside(scene, false);
    scene.on(&scene.rwlock).end_read().unwrap();
}

fn writing(scene: &Scene) -> bool {
    let Looked::Got(locked) = scene.on(&scene.rwlock).write(Wait::Try).unwrap() else {
        panic!("it can't be had")
    };
    say_inside(scene, true);
    locked.owner_died
}

fn end_writing(scene: &Scene) {
    say_inside(scene, false);
    scene.on(&scene.rwlock).end_write(false).unwrap();
}

fn read(stage: &Stage) {
    let scene = scene(stage);
    mark();
    reading(scene);
    mark();
    end_reading(scene);
}

fn end_read(stage: &Stage) {
    let scene = scene(stage);
    reading(scene);
    mark();
    end_reading(scene);
    mark();
}

fn write(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = writing(scene);
    scene.twins(Thing::RwLock).change();
    mark();
    assert!(!died, "no writer died");
    end_writing(scene);
}

fn end_write(stage: &Stage) {
    let scene = scene(stage);
    writing(scene);
    scene.twins(Thing::RwLock).change();
    mark();
    end_writing(scene);
    mark();
}

fn die_writing(stage: &Stage) {
    let scene = scene(stage);
    writing(scene);
    scene.twins(Thing::RwLock).half_change();
}

fn die_reading(stage: &Stage) {
    reading(scene(stage));
}

fn write_after_death(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = writing(scene);
    mark();
    repair(scene, Thing::RwLock, died);
    scene.on(&scene.rwlock).mark_written_consistent().unwrap();
    end_writing(scene);
}

fn acquire(stage: &Stage) {
    let scene = scene(stage);
    let semaphore = scene.on(&scene.semaphore);
    mark();
    let got = semaphore.acquire(Wait::Try).unwrap();
    say_inside(scene, true);
    mark();
    assert_eq!(got, Looked::Got(()));
    say_inside(scene, false);
    semaphore.release(1, true).unwrap();
}

fn release(stage: &Stage) {
    let scene = scene(stage);
    let semaphore = scene.on(&scene.semaphore);
    assert_eq!(semaphore.acquire(Wait::Try).unwrap(), Looked::Got(()));
    say_inside(scene, true);
    mark();
    say_inside(scene, false);
    semaphore.release(1, true).unwrap();
    mark();
}

/// What one process uses up, and another one gives anew.
fn consume(stage: &Stage) {
    let scene = scene(stage);
    let semaphore = scene.on(&scene.semaphore);
    assert_eq!(semaphore.acquire(Wait::Try).unwrap(), Looked::Got(()));
    stage.ledger.consuming.store(1, SeqCst);
    mark();
    semaphore.consume().unwrap();
    semaphore.release(1, false).unwrap();
    mark();
    stage.ledger.consuming.store(0, SeqCst);
}

fn die_with_permits(stage: &Stage) {
    let scene = scene(stage);
    while scene.on(&scene.semaphore).acquire(Wait::Try).unwrap() == Looked::Got(()) {}
}

fn set_event(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.event).set_event().unwrap();
    scene.on(&scene.event).clear_event().unwrap();
    mark();
}

fn wait_event(stage: &Stage) {
    let scene = scene(stage);
    let event = scene.on(&scene.event);
    let times = event.event_times().unwrap();
    event.set_event().unwrap();
    mark();
    let came = event.wait_event(times, Wait::Try).unwrap();
    mark();
    assert_eq!(came, Looked::Got(()));
}

fn sleep_for_event(stage: &Stage) {
    let scene = scene(stage);
    let event = scene.on(&scene.event);
    let times = event.event_times().unwrap();
    mark();
    // Survivors may set it meanwhile.
    event.wait_event(times, NAP).unwrap();
    mark();
}

fn enter_condition(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.condition).enter_condition().unwrap();
    mark();
    scene.on(&scene.condition).leave_condition(0).unwrap();
}

fn notify(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.condition).notify_condition(1).unwrap();
    mark();
}

/// It was told, and heard nothing: what it was told is for another one.
fn die_notified(stage: &Stage) {
    let scene = scene(stage);
    let condition = scene.on(&scene.condition);
    condition.enter_condition().unwrap();
    condition.notify_condition(u32::MAX).unwrap();
}

fn settle(stage: &Stage) {
    let scene = scene(stage);
    let condition = scene.on(&scene.condition);
    condition.enter_condition().unwrap();
    condition.notify_condition(u32::MAX).unwrap();
    mark();
    assert_eq!(condition.wait_condition(0, Wait::Try).unwrap(), Looked::Got(()));
    condition.settle_condition().unwrap();
    mark();
}

/// It was notified, and goes without having heard of it: the next waiter is told.
fn leave_condition(stage: &Stage) {
    let scene = scene(stage);
    let condition = scene.on(&scene.condition);
    condition.enter_condition().unwrap();
    condition.notify_condition(u32::MAX).unwrap();
    mark();
    condition.leave_condition(0).unwrap();
    mark();
}

fn leading(scene: &Scene) -> u64 {
    let arrived = scene.on(&scene.barrier).arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Leading { generation, .. }) = arrived else { panic!("{arrived:?}") };
    generation
}

fn lead(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let generation = leading(scene);
    mark();
    assert!(scene.on(&scene.barrier).complete_meeting(generation).unwrap());
}

fn complete(stage: &Stage) {
    let scene = scene(stage);
    let generation = leading(scene);
    mark();
    let met = scene.on(&scene.barrier).complete_meeting(generation).unwrap();
    mark();
    assert!(met);
}

fn arrive_second(stage: &Stage) {
    let scene = scene(stage);
    let pair = scene.on(&scene.pair);
    mark();
    let arrived = pair.arrive(Wait::Try).unwrap();
    let Looked::Got(Arrived::Leading { generation, .. }) = arrived else { panic!("{arrived:?}") };
    let met = pair.complete_meeting(generation).unwrap();
    mark();
    assert!(met);
}

fn die_leading(stage: &Stage) {
    let scene = scene(stage);
    let arrived = scene.on(&scene.pair).arrive(Wait::Try).unwrap();
    assert!(matches!(arrived, Looked::Got(Arrived::Leading { .. })), "{arrived:?}");
}

/// It is broken for all; or, if a survivor made it as new meanwhile, one more waits.
fn arrive_after_death(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.pair).arrive(Wait::Try).unwrap();
    mark();
}

fn abort(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.pair).abort_meeting(None).unwrap();
    mark();
}

fn reset(stage: &Stage) {
    let scene = scene(stage);
    mark();
    scene.on(&scene.pair).reset_barrier().unwrap();
    mark();
}

const EXCLUSIVE: Wanted<'_> = Wanted { name: b"lock", shared: false, if_available: false, steal: false };

fn request(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    mark();
    let entered = table.request(&EXCLUSIVE).unwrap().unwrap();
    say_inside(scene, true);
    mark();
    assert!(entered.granted.is_some(), "it was free");
    say_inside(scene, false);
    table.end_request(entered.request, false).unwrap();
}

fn end_request(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    let held = table.request(&EXCLUSIVE).unwrap().unwrap();
    let pending = table.request(&EXCLUSIVE).unwrap().unwrap();
    // The second one holds it as soon as the first is gone.
    say_inside(scene, true);
    mark();
    table.end_request(held.request, false).unwrap();
    say_inside(scene, false);
    table.end_request(pending.request, true).unwrap();
    mark();
}

fn steal(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    let robbed = table.request(&EXCLUSIVE).unwrap().unwrap();
    say_inside(scene, true);
    mark();
    let thief = table.request(&Wanted { steal: true, ..EXCLUSIVE }).unwrap().unwrap();
    mark();
    assert!(thief.granted.is_some());
    assert!(table.end_request(robbed.request, false).unwrap().stolen);
    say_inside(scene, false);
    table.end_request(thief.request, false).unwrap();
}

fn die_with_named_locks(stage: &Stage) {
    let scene = scene(stage);
    let table = scene.on(&scene.named);
    for wanted in [EXCLUSIVE, EXCLUSIVE, Wanted { shared: true, ..EXCLUSIVE }] {
        table.request(&wanted).unwrap();
    }
}

fn updating(scene: &Scene) -> bool {
    let Looked::Got(locked) = scene.guard().unwrap().enter(&scene.agent, Wait::Try) else {
        panic!("it can't be had")
    };
    say_inside(scene, true);
    locked.owner_died
}

fn end_updating(scene: &Scene) {
    say_inside(scene, false);
    scene.guard().unwrap().leave(&scene.agent).unwrap();
}

fn enter_update(stage: &Stage) {
    let scene = scene(stage);
    mark();
    updating(scene);
    scene.twins(Thing::Array).change();
    mark();
    end_updating(scene);
}

fn leave_update(stage: &Stage) {
    let scene = scene(stage);
    updating(scene);
    scene.twins(Thing::Array).change();
    mark();
    end_updating(scene);
    mark();
}

fn snapshot(stage: &Stage) {
    let scene = scene(stage);
    let guard = scene.guard().unwrap();
    let mut copy = [0; 16];
    mark();
    let copied = guard.copy_to(&scene.agent, 0, &mut copy, std::time::Duration::from_secs(5)).unwrap();
    mark();
    assert!(copied && copy[..8] == copy[8..], "{copy:?}");
}

fn die_in_update(stage: &Stage) {
    let scene = scene(stage);
    updating(scene);
    scene.twins(Thing::Array).half_change();
}

fn update_after_death(stage: &Stage) {
    let scene = scene(stage);
    mark();
    let died = updating(scene);
    mark();
    repair(scene, Thing::Array, died);
    end_updating(scene);
}

fn file_lock(stage: &Stage) {
    let mut file = FileLock::open(&stage.file(), true, 0o600).unwrap();
    let range = ByteRange { start: 0, len: 0 };
    mark();
    let tried = file.try_lock(range, false, std::time::Duration::ZERO).unwrap();
    let Tried::Locked(number) = tried else { panic!("{tried:?}") };
    file.unlock(number).unwrap();
    mark();
}
