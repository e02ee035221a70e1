//! A `Condition`'s waiters. Its mutex is taken and released by the calls of `mutex.rs`.

use napi_derive::napi;

use crate::attempt::{attempt, give_up, plain_status, with_object};
use crate::error::Result;
use crate::protocol::channel;

/// Adds a waiter of this agent, which holds the mutex.
///
/// # Errors
/// As `Object::enter_condition`.
#[napi(catch_unwind)]
pub fn enter_condition(handle: u32) -> Result<()> {
    with_object(handle, |object| object.enter_condition())
}

/// Makes an attempt to hear a notification. `heard`: how many waiters of this agent have heard
/// theirs and are not settled.
///
/// # Errors
/// As `Object::wait_condition`.
#[napi(catch_unwind)]
pub fn wait_condition(handle: u32, heard: u32, mode: i32) -> Result<u32> {
    attempt(handle, channel::NOTIFIED, mode, |object, wait| object.wait_condition(heard, wait))
        .map(plain_status)
}

/// Removes a waiter of this agent that was notified and has the mutex again: it is settled.
///
/// # Errors
/// As `Object::settle_condition`.
#[napi(catch_unwind)]
pub fn settle_condition(handle: u32) -> Result<()> {
    with_object(handle, |object| object.settle_condition())
}

/// Removes a waiter of this agent that was not notified. `heard` as in `wait_condition`.
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

/// Notifies at most `most` waiters, and returns how many it notified.
///
/// # Errors
/// As `Object::notify_condition`.
#[napi(catch_unwind)]
pub fn notify_condition(handle: u32, most: u32) -> Result<u32> {
    with_object(handle, |object| object.notify_condition(most))
}
