//! An `RwLock`: many readers or one writer.

use napi_derive::napi;

use crate::attempt::{attempt, give_up, status, with_object};
use crate::error::Result;
use crate::protocol::channel;

/// Makes an attempt to enter as a reader.
///
/// # Errors
/// As `Object::read`.
#[napi(catch_unwind)]
pub fn enter_read(handle: u32, mode: i32) -> Result<u32> {
    attempt(handle, channel::MAIN, mode, |object, wait| object.read(wait)).map(status)
}

/// Makes an attempt to enter as a writer.
///
/// # Errors
/// As `Object::write`.
#[napi(catch_unwind)]
pub fn enter_write(handle: u32, mode: i32) -> Result<u32> {
    attempt(handle, channel::MAIN, mode, |object, wait| object.write(wait)).map(status)
}

/// Stops waiting to read or to write.
///
/// # Errors
/// As `Object::give_up_entering`.
#[napi(catch_unwind)]
pub fn give_up_entering(handle: u32) -> Result<()> {
    give_up(handle, channel::MAIN, |object| object.give_up_entering())
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

/// Leaves as a death would: agents that enter are told that a writer died, until a writer marks the
/// data as whole.
///
/// # Errors
/// As `Object::end_write`.
#[napi(catch_unwind)]
pub fn abandon_write(handle: u32) -> Result<()> {
    with_object(handle, |object| object.end_write(true))
}

/// Marks the data that the lock guards as whole.
///
/// # Errors
/// As `Object::mark_written_consistent`.
#[napi(catch_unwind)]
pub fn mark_written_consistent(handle: u32) -> Result<()> {
    with_object(handle, |object| object.mark_written_consistent())
}
