//! Queues: joining them, and calls that are too rare to be raw. Messages go through `messages.rs`,
//! records of channels through `records.rs`, queues of records through `record_queue.rs`.

mod channels;
mod messages;
mod raw;
mod record_queue;
mod records;

use crossmem_core::{Added, Agent, Chunk, Looked, Member, Object, Put, QueueWait};
use napi::bindgen_prelude::{Buffer, Object as JsObject, Uint8Array, Unknown};
use napi::{JsValue, sys};
use napi_derive::napi;

use crate::attempt::{plain_status, remember, wait, with_object};
use crate::environment::{Open, with, with_open};
use crate::error::{Result, closed, invalid, js};
use crate::pad::Pad;
use crate::protocol::channel::{FINISH, MESSAGE, ROOM};
use crate::protocol::structure::{NO_ROOM, NOT_NOW};
use crate::protocol::transfer;

/// The raw calls, as methods of an object.
///
/// # Errors
/// None of crossmem's own.
#[napi(ts_return_type = "Record<string, (handle: number, ...numbers: number[]) => number>")]
pub fn hot_calls(env: napi::Env) -> napi::Result<JsObject<'static>> {
    let calls = JsObject::new(&env)?;
    for (name, callback) in messages::CALLS.iter().chain(records::CALLS).chain(record_queue::CALLS) {
        raw::add(env.raw(), calls.raw(), name, *callback);
    }
    Ok(calls)
}

/// Makes `buffer` this environment's pad, unless the environment has one. Returns the pad's
/// `ArrayBuffer`.
///
/// # Errors
/// `ERR_INVALID_ARG`: `buffer` is no `ArrayBuffer`, or too small.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn use_pad(env: napi::Env, buffer: Unknown<'_>) -> Result<Unknown<'static>> {
    let (env, mut buffer) = (env.raw(), buffer.raw());
    let known = with(|environment| environment.pad.as_ref().map(Pad::buffer)).flatten();
    if let Some(known) = known {
        // SAFETY: a live environment, and a reference of it that is never deleted.
        unsafe { sys::napi_get_reference_value(env, known, &raw mut buffer) };
    } else {
        let pad = Pad::over(env, buffer)?;
        with(|environment| environment.pad = Some(pad));
    }
    // SAFETY: a value of this environment, in this call.
    Ok(unsafe { Unknown::from_raw_unchecked(env, buffer) })
}

/// Makes this environment a participant of a queue.
///
/// # Errors
/// As `Object::join_queue`.
#[napi(catch_unwind)]
pub fn join_queue(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| {
        if open.member.is_none() {
            open.member = Some(Object::new(agent, &open.segment).join_queue().map_err(js)?);
        }
        Ok(())
    })
}

fn with_member<T>(
    handle: u32,
    act: impl FnOnce(Object<'_>, &mut Member) -> crossmem_core::Result<T>,
) -> Result<T> {
    with_open(handle, |agent, open| in_queue(agent, open, act))
}

fn in_queue<T>(
    agent: &Agent,
    open: &mut Open,
    act: impl FnOnce(Object<'_>, &mut Member) -> crossmem_core::Result<T>,
) -> Result<T> {
    act(Object::new(agent, &open.segment), open.member.as_mut().ok_or_else(closed)?).map_err(js)
}

/// Puts in a message of any length. 0: done; otherwise an answer of `protocol::transfer`.
///
/// # Errors
/// As `Object::push_message`.
#[napi(catch_unwind)]
pub fn push_large_message(handle: u32, bytes: &[u8], mode: i32) -> Result<i64> {
    with_open(handle, |agent, open| {
        let mode = wait(mode);
        let pushed = in_queue(agent, open, |object, member| object.push_message(member, bytes, mode))?;
        remember(open, ROOM, mode, &pushed);
        Ok(match pushed {
            Looked::Got(Put::Done(())) => 0,
            Looked::Got(Put::Ended) => transfer::ENDED,
            _ => transfer::NOT_YET,
        })
    })
}

/// Copies the message of a chunk that was taken, from where the pad said that it is.
///
/// # Errors
/// As `Object::read_message`.
#[napi(catch_unwind)]
pub fn read_message(handle: u32, chunk: u32, offset: f64, spilled: bool, mut to: Uint8Array) -> Result<()> {
    with_object(handle, |object| {
        // SAFETY: JavaScript made these bytes for this call, which is on its thread.
        let to = unsafe { to.as_mut() };
        let (offset, len) = (offset as u64, to.len() as u64);
        object.read_message(Chunk { index: chunk, offset, len, spilled, redelivered: false }, to)
    })
}

/// Checks that a spilled message is as large as its chunk says.
///
/// # Errors
/// As `Object::check_spilled`.
#[napi(catch_unwind)]
pub fn check_spilled(handle: u32, chunk: u32, length: f64) -> Result<()> {
    with_object(handle, |object| object.check_spilled(chunk, length as u64))
}

/// Adds a structure to those of the queue. Its number; otherwise an answer of
/// `protocol::structure`.
///
/// # Errors
/// As `Object::add_structure`.
#[napi(catch_unwind)]
pub fn add_structure(handle: u32, bytes: &[u8]) -> Result<i32> {
    with_member(handle, |object, member| {
        Ok(match object.add_structure(member, bytes)? {
            Added::At(number) => number as i32,
            Added::NoRoom => NO_ROOM,
            Added::NotNow => NOT_NOW,
        })
    })
}

/// All structures of the queue.
///
/// # Errors
/// As `Object::structures`.
#[napi(catch_unwind)]
pub fn structures(handle: u32) -> Result<Vec<Buffer>> {
    with_member(handle, |object, member| {
        Ok(object.structures(member)?.into_iter().map(Buffer::from).collect())
    })
}

/// Ends the queue: no put begins from now on.
///
/// # Errors
/// As `Object::end_queue`.
#[napi(catch_unwind)]
pub fn end_queue(handle: u32) -> Result<()> {
    with_object(handle, |object| object.end_queue())
}

/// Whether the queue has ended.
///
/// # Errors
/// As `Object::queue_has_ended`.
#[napi(catch_unwind)]
pub fn queue_has_ended(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.queue_has_ended())
}

/// How many messages are in the queue.
///
/// # Errors
/// As `Object::queue_size`.
#[napi(catch_unwind)]
pub fn queue_size(handle: u32) -> Result<f64> {
    with_member(handle, |object, member| Ok(object.queue_size(member)? as f64))
}

/// Makes an attempt to see all messages freed: `GOT` or `NOT_YET`.
///
/// # Errors
/// As `Object::join_messages`.
#[napi(catch_unwind)]
pub fn join_messages(handle: u32, mode: i32) -> Result<u32> {
    with_open(handle, |agent, open| {
        let mode = wait(mode);
        let joined = in_queue(agent, open, |object, member| object.join_messages(member, mode))?;
        remember(open, FINISH, mode, &joined);
        Ok(plain_status(joined))
    })
}

/// Two counts: of messages that were put and are not freed, and of those whose readers died.
///
/// # Errors
/// As `Object::unfinished_messages`.
#[napi(catch_unwind)]
pub fn unfinished_messages(handle: u32) -> Result<Vec<f64>> {
    with_member(handle, |object, member| {
        let (unfinished, failed) = object.unfinished_messages(member)?;
        Ok(vec![f64::from(unfinished), failed as f64])
    })
}

/// Stops waiting at a queue, on the channel `MESSAGE`, `ROOM` or `FINISH`.
///
/// # Errors
/// As `Object::give_up_queue`.
#[napi(catch_unwind)]
pub fn give_up_queue(handle: u32, channel: u32) -> Result<()> {
    let waiting_for = match channel {
        MESSAGE => QueueWait::Message,
        ROOM => QueueWait::Room,
        FINISH => QueueWait::Finish,
        _ => return Err(invalid("a queue has three channels")),
    };
    with_open(handle, |agent, open| {
        open.sleeps[channel as usize] = None;
        Object::new(agent, &open.segment).give_up_queue(waiting_for).map_err(js)
    })
}
