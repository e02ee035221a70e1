//! A condition. Its mutex is taken as any other.

use napi_derive::napi;

use crate::error::Result;
use crate::look::{give_up, look, plain_status, with_object};
use crate::protocol::channel;

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
    look(handle, channel::NOTIFIED, how, |object, wait| object.wait_condition(heard, wait)).map(plain_status)
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
    give_up(handle, channel::NOTIFIED, |object| object.give_up_condition())
}

/// Notifies at most `most` waiters; how many there were.
///
/// # Errors
/// As `Object::notify_condition`.
#[napi(catch_unwind)]
pub fn notify_condition(handle: u32, most: u32) -> Result<u32> {
    with_object(handle, |object| object.notify_condition(most))
}
