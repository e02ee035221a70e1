//! Locks and the like. A look is one call: `how` says what to do when it isn't so yet, a number says how it went.
//!
//! `how`: 0 nothing; -3 nothing, and those who wait already go first; a positive number, sleep for as many milliseconds at most, and from 1,000,000 on
//! for what is more, going on with a wait that has not given up; -1 stay among the sleepers, so that the
//! reactor calls when it is time to look again; -2 the same, for the second time and later.
//!
//! What comes back: 0 not yet; 1 got it; 2 got it, and a holder died; 3 this agent has it itself.

mod named;

use std::time::Duration;

use crossmem_core::{Agent, Arrived, Locked, Looked, Object, Wait};
use napi_derive::napi;

use crate::environment::{Open, with_open};
use crate::error::{Result, js};

/// From here on the number less this is the time of a wait that goes on.
const AGAIN: i32 = 1_000_000;
const NOT_YET: u32 = 0;
const GOT: u32 = 1;
const GOT_AFTER_DEATH: u32 = 2;
const MINE: u32 = 3;

/// Which of an object's two waits: for its lock (or all there is), or for a condition's notification.
#[derive(Clone, Copy)]
pub(crate) enum Channel {
    Main = 0,
    Notified = 1,
}

pub(crate) fn wait(how: i32) -> Wait {
    match how {
        0 => Wait::Try,
        AGAIN.. => Wait::Again(Duration::from_millis((how - AGAIN) as u64)),
        1.. => Wait::For(Duration::from_millis(how as u64)),
        -1 => Wait::Arm { again: false },
        -2 => Wait::Arm { again: true },
        _ => Wait::Politely,
    }
}

pub(crate) fn with_object<T>(
    handle: u32,
    act: impl FnOnce(Object<'_>) -> crossmem_core::Result<T>,
) -> Result<T> {
    with_open(handle, |agent, open| act(object(agent, open)).map_err(js))
}

fn object<'a>(agent: &'a Agent, open: &'a Open) -> Object<'a> {
    Object::new(agent, &open.segment)
}

/// Looks, and remembers it.
fn look<T>(
    handle: u32,
    channel: Channel,
    how: i32,
    act: impl FnOnce(Object<'_>, Wait) -> crossmem_core::Result<Looked<T>>,
) -> Result<Looked<T>> {
    with_open(handle, |agent, open| {
        let wait = wait(how);
        let looked = act(object(agent, open), wait).map_err(js)?;
        remember(open, channel, wait, &looked);
        Ok(looked)
    })
}

/// Remembers where this environment sleeps, if it was to stay among the sleepers.
pub(crate) fn remember<T>(open: &mut Open, channel: Channel, wait: Wait, looked: &Looked<T>) {
    remember_at(open, channel as usize, wait, looked);
}

/// As `remember`, for objects that number their channels themselves.
pub(crate) fn remember_at<T>(open: &mut Open, channel: usize, wait: Wait, looked: &Looked<T>) {
    if matches!(wait, Wait::Arm { .. }) {
        open.sleeps[channel] = match looked {
            Looked::NotYet { sleepers } => Some(*sleepers),
            _ => None,
        };
    }
}

pub(crate) fn status(looked: Looked<Locked>) -> u32 {
    match looked {
        Looked::Got(Locked { owner_died: false }) => GOT,
        Looked::Got(Locked { owner_died: true }) => GOT_AFTER_DEATH,
        Looked::NotYet { .. } => NOT_YET,
        Looked::Mine => MINE,
    }
}

fn plain_status(looked: Looked<()>) -> u32 {
    match looked {
        Looked::Got(()) => GOT,
        Looked::NotYet { .. } => NOT_YET,
        Looked::Mine => MINE,
    }
}

/// Stops waiting on a channel.
fn give_up(
    handle: u32,
    channel: Channel,
    act: impl FnOnce(Object<'_>) -> crossmem_core::Result<()>,
) -> Result<()> {
    with_open(handle, |agent, open| {
        open.sleeps[channel as usize] = None;
        act(object(agent, open)).map_err(js)
    })
}

/// What an object was made with.
///
/// # Errors
/// As `Object::params`.
#[napi(catch_unwind)]
pub fn object_params(handle: u32) -> Result<Vec<f64>> {
    with_object(handle, |object| Ok(object.params()?.iter().map(|param| *param as f64).collect()))
}

/// Bit 0: the object still has its name; bit 1: another living agent has it open.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn object_company(handle: u32) -> Result<u32> {
    with_open(handle, |agent, open| {
        let company = open.segment.company(agent);
        Ok(u32::from(company.linked) | u32::from(company.others) << 1)
    })
}

/// Takes the mutex.
///
/// # Errors
/// As `Object::lock`.
#[napi(catch_unwind)]
pub fn lock(handle: u32, how: i32) -> Result<u32> {
    look(handle, Channel::Main, how, |object, wait| object.lock(wait)).map(status)
}

/// Stops waiting for the mutex.
///
/// # Errors
/// As `Object::give_up_lock`.
#[napi(catch_unwind)]
pub fn give_up_lock(handle: u32) -> Result<()> {
    give_up(handle, Channel::Main, |object| object.give_up_lock())
}

/// Gives the mutex back.
///
/// # Errors
/// As `Object::unlock`.
#[napi(catch_unwind)]
pub fn unlock(handle: u32) -> Result<()> {
    with_object(handle, |object| object.unlock(false))
}

/// Gives the mutex back; the next holder is told as if this one had died.
///
/// # Errors
/// As `Object::unlock`.
#[napi(catch_unwind)]
pub fn abandon_lock(handle: u32) -> Result<()> {
    with_object(handle, |object| object.unlock(true))
}

/// What the mutex guards is whole again.
///
/// # Errors
/// As `Object::mark_consistent`.
#[napi(catch_unwind)]
pub fn mark_consistent(handle: u32) -> Result<()> {
    with_object(handle, |object| object.mark_consistent())
}

/// Whether anyone holds the mutex.
///
/// # Errors
/// As `Object::is_locked`.
#[napi(catch_unwind)]
pub fn is_locked(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.is_locked())
}

/// Enters as a reader.
///
/// # Errors
/// As `Object::read`.
#[napi(catch_unwind)]
pub fn enter_read(handle: u32, how: i32) -> Result<u32> {
    look(handle, Channel::Main, how, |object, wait| object.read(wait)).map(status)
}

/// Enters as a writer.
///
/// # Errors
/// As `Object::write`.
#[napi(catch_unwind)]
pub fn enter_write(handle: u32, how: i32) -> Result<u32> {
    look(handle, Channel::Main, how, |object, wait| object.write(wait)).map(status)
}

/// Stops waiting to read or to write.
///
/// # Errors
/// As `Object::give_up_entering`.
#[napi(catch_unwind)]
pub fn give_up_entering(handle: u32) -> Result<()> {
    give_up(handle, Channel::Main, |object| object.give_up_entering())
}

/// Leaves as a reader.
///
/// # Errors
/// As `Object::end_read`.
#[napi(catch_unwind)]
pub fn end_read(handle: u32) -> Result<()> {
    with_object(handle, |object| object.end_read())
}

/// Leaves as a writer.
///
/// # Errors
/// As `Object::end_write`.
#[napi(catch_unwind)]
pub fn end_write(handle: u32) -> Result<()> {
    with_object(handle, |object| object.end_write(false))
}

/// Leaves as a writer; who comes next is told as if this one had died.
///
/// # Errors
/// As `Object::end_write`.
#[napi(catch_unwind)]
pub fn abandon_write(handle: u32) -> Result<()> {
    with_object(handle, |object| object.end_write(true))
}

/// What the writer wrote is whole.
///
/// # Errors
/// As `Object::mark_written_consistent`.
#[napi(catch_unwind)]
pub fn mark_written_consistent(handle: u32) -> Result<()> {
    with_object(handle, |object| object.mark_written_consistent())
}

/// Takes a permit.
///
/// # Errors
/// As `Object::acquire`.
#[napi(catch_unwind)]
pub fn acquire_permit(handle: u32, how: i32) -> Result<u32> {
    look(handle, Channel::Main, how, |object, wait| object.acquire(wait)).map(plain_status)
}

/// Stops waiting for a permit.
///
/// # Errors
/// As `Object::give_up_acquiring`.
#[napi(catch_unwind)]
pub fn give_up_acquiring(handle: u32) -> Result<()> {
    give_up(handle, Channel::Main, |object| object.give_up_acquiring())
}

/// Gives back permits, or makes new ones unless `only_held`.
///
/// # Errors
/// As `Object::release`.
#[napi(catch_unwind)]
pub fn release_permits(handle: u32, count: u32, only_held: bool) -> Result<()> {
    with_object(handle, |object| object.release(count, only_held))
}

/// Uses up a permit.
///
/// # Errors
/// As `Object::consume`.
#[napi(catch_unwind)]
pub fn consume_permit(handle: u32) -> Result<()> {
    with_object(handle, |object| object.consume())
}

/// Free permits.
///
/// # Errors
/// As `Object::permits`.
#[napi(catch_unwind)]
pub fn free_permits(handle: u32) -> Result<f64> {
    with_object(handle, |object| Ok(object.permits()? as f64))
}

/// Permits that this agent holds.
///
/// # Errors
/// As `Object::permits_held`.
#[napi(catch_unwind)]
pub fn permits_held(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.permits_held())
}

/// Sets an event.
///
/// # Errors
/// As `Object::set_event`.
#[napi(catch_unwind)]
pub fn set_event(handle: u32) -> Result<()> {
    with_object(handle, |object| object.set_event())
}

/// Clears an event.
///
/// # Errors
/// As `Object::clear_event`.
#[napi(catch_unwind)]
pub fn clear_event(handle: u32) -> Result<()> {
    with_object(handle, |object| object.clear_event())
}

/// Whether an event is set.
///
/// # Errors
/// As `Object::event_is_set`.
#[napi(catch_unwind)]
pub fn event_is_set(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.event_is_set())
}

/// How often an event has been set.
///
/// # Errors
/// As `Object::event_times`.
#[napi(catch_unwind)]
pub fn event_times(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.event_times())
}

/// Waits until an event is set, or was since it had been set `times`.
///
/// # Errors
/// As `Object::wait_event`.
#[napi(catch_unwind)]
pub fn wait_event(handle: u32, times: u32, how: i32) -> Result<u32> {
    look(handle, Channel::Main, how, |object, wait| object.wait_event(times, wait)).map(plain_status)
}

/// Stops waiting for an event.
///
/// # Errors
/// As `Object::give_up_event`.
#[napi(catch_unwind)]
pub fn give_up_event(handle: u32) -> Result<()> {
    give_up(handle, Channel::Main, |object| object.give_up_event())
}

/// One waiter more at a condition, whose mutex is held.
///
/// # Errors
/// As `Object::enter_condition`.
#[napi(catch_unwind)]
pub fn enter_condition(handle: u32) -> Result<()> {
    with_object(handle, |object| object.enter_condition())
}

/// Waits for one more notification than the `heard` ones that were heard here and not settled yet.
///
/// # Errors
/// As `Object::wait_condition`.
#[napi(catch_unwind)]
pub fn wait_condition(handle: u32, heard: u32, how: i32) -> Result<u32> {
    look(handle, Channel::Notified, how, |object, wait| object.wait_condition(heard, wait)).map(plain_status)
}

/// One waiter less at a condition: it was notified, and has the mutex again.
///
/// # Errors
/// As `Object::settle_condition`.
#[napi(catch_unwind)]
pub fn settle_condition(handle: u32) -> Result<()> {
    with_object(handle, |object| object.settle_condition())
}

/// One waiter less at a condition, who heard nothing.
///
/// # Errors
/// As `Object::leave_condition`.
#[napi(catch_unwind)]
pub fn leave_condition(handle: u32, heard: u32) -> Result<()> {
    with_object(handle, |object| object.leave_condition(heard))
}

/// Stops waiting for notifications.
///
/// # Errors
/// As `Object::give_up_condition`.
#[napi(catch_unwind)]
pub fn give_up_condition(handle: u32) -> Result<()> {
    give_up(handle, Channel::Notified, |object| object.give_up_condition())
}

/// Notifies at most `most` waiters; how many there were.
///
/// # Errors
/// As `Object::notify_condition`.
#[napi(catch_unwind)]
pub fn notify_condition(handle: u32, most: u32) -> Result<u32> {
    with_object(handle, |object| object.notify_condition(most))
}

/// An arrival at a barrier.
#[napi(object)]
pub struct BarrierArrival {
    /// 0: the last meeting isn't over; 1: waits; 2: leads; 3: the barrier is broken.
    pub role: u32,
    /// Which meeting.
    pub generation: f64,
    /// How many came before.
    pub index: u32,
}

/// Arrives at a barrier.
///
/// # Errors
/// As `Object::arrive`.
#[napi(catch_unwind)]
pub fn arrive(handle: u32, how: i32) -> Result<BarrierArrival> {
    let looked = look(handle, Channel::Main, how, |object, wait| object.arrive(wait))?;
    let (role, generation, index) = match looked {
        Looked::Got(Arrived::Waiting { generation, index }) => (1, generation, index),
        Looked::Got(Arrived::Leading { generation, index }) => (2, generation, index),
        Looked::Got(Arrived::Broken) => (3, 0, 0),
        Looked::NotYet { .. } | Looked::Mine => (0, 0, 0),
    };
    Ok(BarrierArrival { role, generation: generation as f64, index })
}

/// Waits for the end of a meeting. 1: all met; 2: it was broken off.
///
/// # Errors
/// As `Object::wait_meeting`.
#[napi(catch_unwind)]
pub fn wait_meeting(handle: u32, generation: f64, how: i32) -> Result<u32> {
    let looked =
        look(handle, Channel::Main, how, |object, wait| object.wait_meeting(generation as u64, wait))?;
    Ok(match looked {
        Looked::Got(met) => meeting(met),
        Looked::NotYet { .. } | Looked::Mine => NOT_YET,
    })
}

fn meeting(met: bool) -> u32 {
    if met { GOT } else { GOT_AFTER_DEATH }
}

/// Ends the meeting that the caller leads. 1: all met; 2: it was broken off.
///
/// # Errors
/// As `Object::complete_meeting`.
#[napi(catch_unwind)]
pub fn complete_meeting(handle: u32, generation: f64) -> Result<u32> {
    with_object(handle, |object| object.complete_meeting(generation as u64)).map(meeting)
}

/// Breaks the barrier, or only if that meeting goes on. 1: that one was met before; 2: broken.
///
/// # Errors
/// As `Object::abort_meeting`.
#[napi(catch_unwind)]
pub fn abort_meeting(handle: u32, only: Option<f64>) -> Result<u32> {
    with_object(handle, |object| object.abort_meeting(only.map(|generation| generation as u64))).map(meeting)
}

/// Makes a barrier as new.
///
/// # Errors
/// As `Object::reset_barrier`.
#[napi(catch_unwind)]
pub fn reset_barrier(handle: u32) -> Result<()> {
    with_object(handle, |object| object.reset_barrier())
}

/// How many wait at a barrier.
///
/// # Errors
/// As `Object::waiting_at_barrier`.
#[napi(catch_unwind)]
pub fn waiting_at_barrier(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.waiting_at_barrier())
}

/// Whether a barrier is broken.
///
/// # Errors
/// As `Object::barrier_is_broken`.
#[napi(catch_unwind)]
pub fn barrier_is_broken(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.barrier_is_broken())
}

/// Stops waiting at a barrier.
///
/// # Errors
/// As `Object::give_up_barrier`.
#[napi(catch_unwind)]
pub fn give_up_barrier(handle: u32) -> Result<()> {
    give_up(handle, Channel::Main, |object| object.give_up_barrier())
}
