//! A `Semaphore`.

use napi_derive::napi;

use crate::attempt::{attempt, give_up, plain_status, with_object};
use crate::error::Result;
use crate::protocol::channel;

/// Makes an attempt to take a permit.
///
/// # Errors
/// As `Object::acquire`.
#[napi(catch_unwind)]
pub fn acquire_permit(handle: u32, mode: i32) -> Result<u32> {
    attempt(handle, channel::MAIN, mode, |object, wait| object.acquire(wait)).map(plain_status)
}

/// Stops waiting for a permit.
///
/// # Errors
/// As `Object::give_up_acquiring`.
#[napi(catch_unwind)]
pub fn give_up_acquiring(handle: u32) -> Result<()> {
    give_up(handle, channel::MAIN, |object| object.give_up_acquiring())
}

/// Releases permits. If this agent holds fewer, the rest are new ones; `only_held` refuses that.
///
/// # Errors
/// As `Object::release`.
#[napi(catch_unwind)]
pub fn release_permits(handle: u32, count: u32, only_held: bool) -> Result<()> {
    with_object(handle, |object| object.release(count, only_held))
}

/// Uses a permit up: it doesn't come back.
///
/// # Errors
/// As `Object::consume`.
#[napi(catch_unwind)]
pub fn consume_permit(handle: u32) -> Result<()> {
    with_object(handle, |object| object.consume())
}

/// How many permits are free.
///
/// # Errors
/// As `Object::permits`.
#[napi(catch_unwind)]
pub fn free_permits(handle: u32) -> Result<f64> {
    with_object(handle, |object| Ok(object.permits()? as f64))
}

/// How many permits this agent holds.
///
/// # Errors
/// As `Object::permits_held`.
#[napi(catch_unwind)]
pub fn permits_held(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.permits_held())
}
