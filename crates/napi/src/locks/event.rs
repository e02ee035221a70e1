//! An `Event`.

use napi_derive::napi;

use crate::attempt::{attempt, give_up, plain_status, with_object};
use crate::error::Result;
use crate::protocol::channel;

/// Sets the event.
///
/// # Errors
/// As `Object::set_event`.
#[napi(catch_unwind)]
pub fn set_event(handle: u32) -> Result<()> {
    with_object(handle, |object| object.set_event())
}

/// Clears the event.
///
/// # Errors
/// As `Object::clear_event`.
#[napi(catch_unwind)]
pub fn clear_event(handle: u32) -> Result<()> {
    with_object(handle, |object| object.clear_event())
}

/// Whether the event is set.
///
/// # Errors
/// As `Object::event_is_set`.
#[napi(catch_unwind)]
pub fn event_is_set(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.event_is_set())
}

/// How often the event has been set.
///
/// # Errors
/// As `Object::event_times`.
#[napi(catch_unwind)]
pub fn event_times(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.event_times())
}

/// Makes an attempt to see the event set, now or at some time after it had been set `times` times.
///
/// # Errors
/// As `Object::wait_event`.
#[napi(catch_unwind)]
pub fn wait_event(handle: u32, times: u32, mode: i32) -> Result<u32> {
    attempt(handle, channel::MAIN, mode, |object, wait| object.wait_event(times, wait)).map(plain_status)
}

/// Stops waiting for the event.
///
/// # Errors
/// As `Object::give_up_event`.
#[napi(catch_unwind)]
pub fn give_up_event(handle: u32) -> Result<()> {
    give_up(handle, channel::MAIN, |object| object.give_up_event())
}
