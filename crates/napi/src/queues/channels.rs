//! Ends of a pipe or an `SpscQueue`: taking, releasing and closing them. Records go through
//! `records.rs`.

use crossmem_core::Object;
use napi_derive::napi;

use super::records::channel;
use crate::attempt::with_object;
use crate::environment::with_open;
use crate::error::{Result, closed, js};

/// Takes an end for this environment. `sender`: the instance of an agent that handed it over.
///
/// # Errors
/// As `Object::take_end`.
#[napi(catch_unwind)]
pub fn take_end(handle: u32, end: u32, sender: Option<u32>) -> Result<()> {
    with_open(handle, |agent, open| {
        let taken = Object::new(agent, &open.segment).take_end_from(end as usize, sender).map_err(js)?;
        open.ends[end as usize] = Some(taken);
        Ok(())
    })
}

/// Whether this environment has an end.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn has_end(handle: u32, end: u32) -> Result<bool> {
    with_open(handle, |_, open| Ok(open.ends.get(end as usize).is_some_and(Option::is_some)))
}

/// Releases an end, if this environment has it. `close`: no agent can take it any more.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn release_end(handle: u32, end: u32, close: bool) -> Result<()> {
    with_open(handle, |agent, open| {
        let Some(taken) = open.ends.get_mut(end as usize).and_then(Option::take) else { return Ok(()) };
        Object::new(agent, &open.segment).release_end(taken, close).map_err(js)
    })
}

/// Closes an end for pushing. It stays taken, and can still pop.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn close_end(handle: u32, end: u32) -> Result<()> {
    with_open(handle, |agent, open| {
        let taken = open.ends.get(end as usize).and_then(Option::as_ref).ok_or_else(closed)?;
        Object::new(agent, &open.segment).close_end(taken).map_err(js)
    })
}

/// Whether an end was closed.
///
/// # Errors
/// As `Object::end_is_closed`.
#[napi(catch_unwind)]
pub fn end_is_closed(handle: u32, end: u32) -> Result<bool> {
    with_object(handle, |object| object.end_is_closed(end as usize))
}

/// Bytes in use in the ring that an end pops from.
///
/// # Errors
/// As `Object::bytes_towards`.
#[napi(catch_unwind)]
pub fn bytes_towards(handle: u32, end: u32) -> Result<f64> {
    with_object(handle, |object| Ok(object.bytes_towards(end as usize)? as f64))
}

/// Wakes the agent at the other end, if it sleeps until there is a record or until there is room.
/// JavaScript calls this when it has seen that the agent may sleep.
///
/// # Errors
/// As `Object::wake_peer`.
#[napi(catch_unwind)]
pub fn wake_peer(handle: u32, end: u32, for_record: bool) -> Result<()> {
    with_object(handle, |object| object.wake_peer(end as usize, for_record))
}

/// Stops waiting at an end, for a record or for room.
///
/// # Errors
/// As `Object::give_up_channel`.
#[napi(catch_unwind)]
pub fn give_up_channel(handle: u32, end: u32, for_record: bool) -> Result<()> {
    with_open(handle, |agent, open| {
        open.sleeps[channel(end % 2, for_record) as usize] = None;
        Object::new(agent, &open.segment).give_up_channel(end as usize, for_record).map_err(js)
    })
}
