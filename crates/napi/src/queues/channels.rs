//! Channels: taking their ends and giving them back. What goes through them is in `hot.rs`.

use crossmem_core::Object;
use napi_derive::napi;

use super::records::channel;
use crate::environment::with_open;
use crate::error::{Result, closed, js};
use crate::look::with_object;

/// Takes an end of a channel for this environment.
///
/// # Errors
/// As `Object::take_end`.
#[napi(catch_unwind)]
pub fn take_end(handle: u32, end: u32) -> Result<()> {
    with_open(handle, |agent, open| {
        let taken = Object::new(agent, &open.segment).take_end(end as usize).map_err(js)?;
        open.ends[end as usize] = Some(taken);
        Ok(())
    })
}

/// Whether this environment has an end of a channel.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn has_end(handle: u32, end: u32) -> Result<bool> {
    with_open(handle, |_, open| Ok(open.ends.get(end as usize).is_some_and(Option::is_some)))
}

/// Gives an end of a channel back, if this environment has it. `close`: for ever.
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

/// The end stays taken, but pushes nothing more.
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

/// Bytes in use of the ring towards an end.
///
/// # Errors
/// As `Object::bytes_towards`.
#[napi(catch_unwind)]
pub fn bytes_towards(handle: u32, end: u32) -> Result<f64> {
    with_object(handle, |object| Ok(object.bytes_towards(end as usize)? as f64))
}

/// Wakes who sleeps at the other end, until there is a record or until there is room: JavaScript has seen that somebody may.
///
/// # Errors
/// As `Object::wake_peer`.
#[napi(catch_unwind)]
pub fn wake_peer(handle: u32, end: u32, for_record: bool) -> Result<()> {
    with_object(handle, |object| object.wake_peer(end as usize, for_record))
}

/// Stops waiting at a channel, for a record or for room.
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
