//! The mutex of a `Mutex`, `RLock`, `Condition`, `Value` or `SharedArray`.

use napi_derive::napi;

use crate::attempt::{attempt, give_up, status, with_object};
use crate::error::Result;
use crate::protocol::channel;

/// Makes an attempt to take the mutex.
///
/// # Errors
/// As `Object::lock`.
#[napi(catch_unwind)]
pub fn lock(handle: u32, mode: i32) -> Result<u32> {
    attempt(handle, channel::MAIN, mode, |object, wait| object.lock(wait)).map(status)
}

/// Stops waiting for the mutex.
///
/// # Errors
/// As `Object::give_up_lock`.
#[napi(catch_unwind)]
pub fn give_up_lock(handle: u32) -> Result<()> {
    give_up(handle, channel::MAIN, |object| object.give_up_lock())
}

/// Releases the mutex.
///
/// # Errors
/// As `Object::unlock`.
#[napi(catch_unwind)]
pub fn unlock(handle: u32) -> Result<()> {
    with_object(handle, |object| object.unlock(false))
}

/// Releases the mutex as a death would: the next holder is told that the one before died.
///
/// # Errors
/// As `Object::unlock`.
#[napi(catch_unwind)]
pub fn abandon_lock(handle: u32) -> Result<()> {
    with_object(handle, |object| object.unlock(true))
}

/// Marks the data that the mutex guards as whole.
///
/// # Errors
/// As `Object::mark_consistent`.
#[napi(catch_unwind)]
pub fn mark_consistent(handle: u32) -> Result<()> {
    with_object(handle, |object| object.mark_consistent())
}

/// Whether a living agent holds the mutex.
///
/// # Errors
/// As `Object::is_locked`.
#[napi(catch_unwind)]
pub fn is_locked(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.is_locked())
}
