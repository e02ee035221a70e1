//! The calls that programs make by the million: numbers in, a number out, without what napi-rs puts around a call, which is
//! most of its time. Messages go over the pad.
//!
//! What comes back is not negative when all went well. Else: -1 not yet; -2 the queue has ended, or the other end was closed;
//! -3 the message doesn't fit on the pad: the caller has it, and the pad says where it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crossmem_core::{Agent, Bytes, Chunk, Code, Error, Got, Looked, Object, Put, Result as CoreResult};
use napi::bindgen_prelude::Object as JsObject;
use napi::{JsValue, sys};
use napi_derive::napi;

use crate::environment::{Open, with_pad};
use crate::look::{remember_at, wait};
use crate::pad::{Elsewhere, Pad};

const NOT_YET: i64 = -1;
const ENDED: i64 = -2;
const ELSEWHERE: i64 = -3;

/// Channels of a queue's waits.
pub(crate) const MESSAGE: usize = 0;
pub(crate) const ROOM: usize = 1;

/// The channel of a wait for a record at an end, and for room.
pub(crate) fn channel(end: usize, for_record: bool) -> usize {
    if for_record { end } else { 2 + end }
}

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// Most arguments of a call.
const ARGUMENTS: usize = 3;

macro_rules! calls {
    ($($(#[$doc:meta])* $js:ident = $name:ident($($argument:ident),*);)*) => {
        /// All of them.
        #[napi(ts_return_type = "Record<string, (handle: number, ...numbers: number[]) => number>")]
        pub fn hot_calls(env: napi::Env) -> napi::Result<JsObject<'static>> {
            let calls = JsObject::new(&env)?;
            $(add(env.raw(), calls.raw(), concat!(stringify!($js), "\0"), callbacks::$name);)*
            Ok(calls)
        }

        mod callbacks {
            use super::*;
            $(
                $(#[$doc])*
                pub(super) unsafe extern "C" fn $name(
                    env: sys::napi_env,
                    info: sys::napi_callback_info,
                ) -> sys::napi_value {
                    answer(env, info, |handle, [$($argument,)* ..]| {
                        with_pad(handle, |agent, open, pad| {
                            super::$name(&mut Call { agent, open, pad }, $($argument),*)
                        })
                    })
                }
            )*
        }
    };
}

calls! {
    /// Pushes the first `length` bytes of the pad. 0: done.
    pushRecord = push_record(end, length, how);
    /// The same, and the message goes on in the next record.
    pushPart = push_part(end, length, how);
    /// Pops a record onto the pad: its length; 2^32 more if the message goes on in the next one.
    popRecord = pop_record(end, how);
    /// Pushes messages of the pad: how many.
    pushRecords = push_records(end, count);
    /// Pops records onto the pad: how many.
    popRecords = pop_records(end, most);
    /// Finds room for a record. 0: the pad says where.
    reserveRecord = reserve_record(end, length, how);
    /// Publishes a record that was written to where there was room.
    commitRecord = commit_record(end, length);
    /// Looks at the first record. 0: the pad says where it is.
    peekRecord = peek_record(end, how);
    /// Pops the record that was looked at.
    releaseRecord = release_record(end);
    /// Puts in the first `length` bytes of the pad. 0: done.
    pushMessage = push_message(length, how);
    /// Takes a message onto the pad: its length; or leaves it `ELSEWHERE`, in its chunk.
    popMessage = pop_message(how);
    /// Puts in messages of the pad: how many.
    pushMessages = push_messages(count);
    /// Takes messages onto the pad: how many; one more is in its chunk if the pad says so.
    popMessages = pop_messages(most);
    /// Claims a chunk to write to. 0: the pad says which.
    reserveMessage = reserve_message(how);
    /// Puts in a chunk that was reserved.
    commitMessage = commit_message(chunk, length);
    /// Gives back a chunk that was reserved.
    cancelMessage = cancel_message(chunk);
    /// Takes a message and leaves it in its chunk. 0: the pad says which.
    takeMessage = take_message(how);
    /// Frees a chunk that was taken.
    freeMessage = free_message(chunk);
    /// Puts a message that was taken back in.
    putMessageBack = put_message_back(chunk);
    /// Gives up a message that was taken, as if its reader had died.
    abandonMessage = abandon_message(chunk);
}

/// What a call works with.
struct Call<'c> {
    agent: &'c Agent,
    open: &'c mut Open,
    pad: &'c mut Pad,
}

type Answer = CoreResult<i64>;

fn gone() -> Error {
    Error { code: Code::Closed, message: "this end was closed; open it again".to_owned() }
}

/// Takes what the call needs apart.
macro_rules! end_of {
    ($call:ident, $end:ident) => {{
        let Open { segment, ends, .. } = &mut *$call.open;
        let end = ends.get_mut($end as usize).and_then(Option::as_mut).ok_or_else(gone)?;
        (Object::new($call.agent, segment), end)
    }};
}

macro_rules! member_of {
    ($call:ident) => {{
        let Open { segment, member, .. } = &mut *$call.open;
        (Object::new($call.agent, segment), member.as_mut().ok_or_else(gone)?)
    }};
}

fn put<T>(looked: Looked<Put<T>>, done: impl FnOnce(T) -> i64) -> i64 {
    match looked {
        Looked::Got(Put::Done(what)) => done(what),
        Looked::Got(Put::Ended) => ENDED,
        _ => NOT_YET,
    }
}

fn got<T>(looked: Looked<Got<T>>, found: impl FnOnce(T) -> i64) -> i64 {
    match looked {
        Looked::Got(Got::Message(what)) => found(what),
        Looked::Got(Got::Ended) => ENDED,
        _ => NOT_YET,
    }
}

fn push_record(call: &mut Call<'_>, end: i64, length: i64, how: i64) -> Answer {
    push(call, end, length, false, how)
}

fn push_part(call: &mut Call<'_>, end: i64, length: i64, how: i64) -> Answer {
    push(call, end, length, true, how)
}

fn push(call: &mut Call<'_>, end: i64, length: i64, more: bool, how: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    let how = wait(how as i32);
    let pushed = object.push_record(state, call.pad.first(length as usize), more, how)?;
    remember_at(call.open, channel(end as usize, false), how, &pushed);
    Ok(put(pushed, |()| 0))
}

fn pop_record(call: &mut Call<'_>, end: i64, how: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    let how = wait(how as i32);
    let pad = &mut *call.pad;
    let mut answer = ELSEWHERE;
    let popped = object.pop_record(state, how, |_, record| {
        pad.clear();
        let copied =
            pad.add(record.len as usize).is_some_and(|room| object.read_record(record, room).is_ok());
        if copied {
            answer = i64::from(record.len) | i64::from(record.more) << 32;
        } else {
            say_record(pad, record);
        }
        copied
    })?;
    remember_at(call.open, channel(end as usize, true), how, &popped);
    Ok(got(popped, |()| answer))
}

fn push_records(call: &mut Call<'_>, end: i64, count: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    Ok(put(Looked::Got(object.push_records(state, call.pad.messages(count as usize))?), |pushed| {
        pushed as i64
    }))
}

fn pop_records(call: &mut Call<'_>, end: i64, most: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    let pad = &mut *call.pad;
    pad.clear();
    let popped = object.pop_records(state, most as usize, |_, record| {
        pad.add(record.len as usize).is_some_and(|room| object.read_record(record, room).is_ok())
    })?;
    Ok(got(Looked::Got(popped), |popped| popped as i64))
}

fn reserve_record(call: &mut Call<'_>, end: i64, length: i64, how: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    let how = wait(how as i32);
    let reserved = object.reserve_record(state, length as u64, how)?;
    remember_at(call.open, channel(end as usize, false), how, &reserved);
    Ok(put(reserved, |place| {
        say_record(call.pad, place);
        0
    }))
}

fn commit_record(call: &mut Call<'_>, end: i64, length: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    object.commit_record(state, length as u32, false).map(|()| 0)
}

fn peek_record(call: &mut Call<'_>, end: i64, how: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    let how = wait(how as i32);
    let peeked = object.peek_record(state, how)?;
    remember_at(call.open, channel(end as usize, true), how, &peeked);
    Ok(got(peeked, |record| {
        say_record(call.pad, record);
        0
    }))
}

fn release_record(call: &mut Call<'_>, end: i64) -> Answer {
    let (object, state) = end_of!(call, end);
    object.release_record(state).map(|()| 0)
}

fn say_record(pad: &mut Pad, record: Bytes) {
    let Bytes { offset, len, more } = record;
    pad.say(Elsewhere { offset, len: len.into(), flags: more.into(), chunk: 0 });
}

fn push_message(call: &mut Call<'_>, length: i64, how: i64) -> Answer {
    let (object, member) = member_of!(call);
    let how = wait(how as i32);
    let pushed = object.push_message(member, call.pad.first(length as usize), how)?;
    remember_at(call.open, ROOM, how, &pushed);
    Ok(put(pushed, |()| 0))
}

fn pop_message(call: &mut Call<'_>, how: i64) -> Answer {
    let (object, member) = member_of!(call);
    let how = wait(how as i32);
    let pad = &mut *call.pad;
    pad.clear();
    let mut answer = ELSEWHERE;
    let popped = object.pop_message(member, how, |_, chunk| {
        let copied = copy(object, pad, chunk);
        if copied {
            answer = chunk.len as i64;
        }
        copied
    })?;
    remember_at(call.open, MESSAGE, how, &popped);
    Ok(got(popped, |()| answer))
}

/// Copies a message onto the pad, or says there where it is.
fn copy(object: Object<'_>, pad: &mut Pad, chunk: Chunk) -> bool {
    let room = if chunk.spilled { None } else { pad.add(chunk.len as usize) };
    let copied = room.is_some_and(|room| object.read_message(chunk, room).is_ok());
    if !copied {
        say_chunk(pad, chunk);
    }
    copied
}

fn push_messages(call: &mut Call<'_>, count: i64) -> Answer {
    let (object, member) = member_of!(call);
    Ok(put(Looked::Got(object.push_messages(member, call.pad.messages(count as usize))?), |pushed| {
        pushed as i64
    }))
}

fn pop_messages(call: &mut Call<'_>, most: i64) -> Answer {
    let (object, member) = member_of!(call);
    let pad = &mut *call.pad;
    pad.clear();
    pad.say(Elsewhere::default());
    let popped = object.pop_messages(member, most as usize, |_, chunk| copy(object, pad, chunk))?;
    Ok(got(Looked::Got(popped), |popped| popped as i64))
}

fn reserve_message(call: &mut Call<'_>, how: i64) -> Answer {
    let (object, member) = member_of!(call);
    let how = wait(how as i32);
    let reserved = object.reserve_message(member, how)?;
    remember_at(call.open, ROOM, how, &reserved);
    Ok(put(reserved, |chunk| {
        say_chunk(call.pad, chunk);
        0
    }))
}

fn commit_message(call: &mut Call<'_>, chunk: i64, length: i64) -> Answer {
    let (object, member) = member_of!(call);
    object.commit_message(member, chunk as u32, length as u32).map(|()| 0)
}

fn cancel_message(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = member_of!(call);
    object.cancel_message(member, chunk as u32).map(|()| 0)
}

fn take_message(call: &mut Call<'_>, how: i64) -> Answer {
    let (object, member) = member_of!(call);
    let how = wait(how as i32);
    let taken = object.take_message(member, how)?;
    remember_at(call.open, MESSAGE, how, &taken);
    Ok(got(taken, |chunk| {
        say_chunk(call.pad, chunk);
        0
    }))
}

fn free_message(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = member_of!(call);
    object.free_message(member, chunk as u32).map(|()| 0)
}

fn put_message_back(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = member_of!(call);
    object.put_message_back(member, chunk as u32).map(|()| 0)
}

fn abandon_message(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = member_of!(call);
    object.abandon_message(member, chunk as u32).map(|()| 0)
}

fn say_chunk(pad: &mut Pad, chunk: Chunk) {
    let Chunk { index, offset, len, spilled, redelivered } = chunk;
    pad.say(Elsewhere { offset, len, flags: u32::from(redelivered) | u32::from(spilled) << 1, chunk: index });
}

fn add(env: sys::napi_env, calls: sys::napi_value, name: &str, callback: Callback) {
    let (mut function, name) = (ptr::null_mut(), name.as_ptr().cast());
    // SAFETY: a live environment, a NUL-terminated name, and a callback that lives as long as this image.
    unsafe {
        sys::napi_create_function(env, name, -1, Some(callback), ptr::null_mut(), &raw mut function);
        sys::napi_set_named_property(env, calls, name, function);
    }
}

fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    act: impl FnOnce(u32, [i64; ARGUMENTS]) -> crate::error::Result<i64>,
) -> sys::napi_value {
    let mut values = [ptr::null_mut(); ARGUMENTS + 1];
    let mut count = values.len();
    let mut numbers = [0_i64; ARGUMENTS + 1];
    // SAFETY: what the runtime calls us with, and room for the arguments; those that aren't numbers leave a 0.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            values.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        );
        for (number, value) in numbers.iter_mut().zip(values).take(count) {
            sys::napi_get_value_int64(env, value, number);
        }
    }
    let [handle, arguments @ ..] = numbers;
    let mut result = ptr::null_mut();
    match catch_unwind(AssertUnwindSafe(|| act(handle as u32, arguments))) {
        // SAFETY: a live environment.
        Ok(Ok(number)) => unsafe {
            if let Ok(small) = i32::try_from(number) {
                sys::napi_create_int32(env, small, &raw mut result);
            } else {
                sys::napi_create_int64(env, number, &raw mut result);
            }
        },
        Ok(Err(error)) => throw(env, error.status, &error.reason),
        Err(_) => throw(env, Code::Os.as_str(), "crossmem panicked, which is a defect of its own"),
    }
    result
}

fn throw(env: sys::napi_env, code: &str, message: &str) {
    let terminated = |text: &str| format!("{}\0", text.replace('\0', " "));
    let (code, message) = (terminated(code), terminated(message));
    // SAFETY: a live environment, and two strings that end with NUL; the runtime copies them.
    unsafe { sys::napi_throw_error(env, code.as_ptr().cast(), message.as_ptr().cast()) };
}
