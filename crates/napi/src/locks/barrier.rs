//! A `Barrier`.

use crossmem_core::{Arrived, Looked};
use napi_derive::napi;

use crate::attempt::{attempt, give_up, with_object};
use crate::error::Result;
use crate::protocol::{arrival, channel, meeting};

/// What an arrival at the barrier gives.
#[napi(object)]
pub struct BarrierArrival {
    /// A constant of `protocol::arrival`.
    pub role: u32,
    /// Number of the meeting.
    pub generation: f64,
    /// How many parties came before.
    pub index: u32,
}

/// Makes an attempt to arrive at the barrier.
///
/// # Errors
/// As `Object::arrive`.
#[napi(catch_unwind)]
pub fn arrive(handle: u32, mode: i32) -> Result<BarrierArrival> {
    let outcome = attempt(handle, channel::MAIN, mode, |object, wait| object.arrive(wait))?;
    let (role, generation, index) = match outcome {
        Looked::Got(Arrived::Waiting { generation, index }) => (arrival::WAITING, generation, index),
        Looked::Got(Arrived::Leading { generation, index }) => (arrival::LEADING, generation, index),
        Looked::Got(Arrived::Broken) => (arrival::BROKEN, 0, 0),
        Looked::NotYet { .. } | Looked::Mine => (arrival::NOT_YET, 0, 0),
    };
    Ok(BarrierArrival { role, generation: generation as f64, index })
}

/// Makes an attempt to see the end of a meeting; the answer is one of `protocol::meeting`.
///
/// # Errors
/// As `Object::wait_meeting`.
#[napi(catch_unwind)]
pub fn wait_meeting(handle: u32, generation: f64, mode: i32) -> Result<u32> {
    let outcome =
        attempt(handle, channel::MAIN, mode, |object, wait| object.wait_meeting(generation as u64, wait))?;
    Ok(match outcome {
        Looked::Got(met) => end_of_meeting(met),
        Looked::NotYet { .. } | Looked::Mine => meeting::NOT_YET,
    })
}

fn end_of_meeting(met: bool) -> u32 {
    if met { meeting::MET } else { meeting::BROKEN_OFF }
}

/// Ends the meeting that the caller leads: `MET` or `BROKEN_OFF`.
///
/// # Errors
/// As `Object::complete_meeting`.
#[napi(catch_unwind)]
pub fn complete_meeting(handle: u32, generation: f64) -> Result<u32> {
    with_object(handle, |object| object.complete_meeting(generation as u64)).map(end_of_meeting)
}

/// Breaks the barrier; with `only`, unless that meeting has ended. `MET`: all parties of that
/// meeting met. `BROKEN_OFF`: otherwise.
///
/// # Errors
/// As `Object::abort_meeting`.
#[napi(catch_unwind)]
pub fn abort_meeting(handle: u32, only: Option<f64>) -> Result<u32> {
    with_object(handle, |object| object.abort_meeting(only.map(|generation| generation as u64)))
        .map(end_of_meeting)
}

/// Makes the barrier as new.
///
/// # Errors
/// As `Object::reset_barrier`.
#[napi(catch_unwind)]
pub fn reset_barrier(handle: u32) -> Result<()> {
    with_object(handle, |object| object.reset_barrier())
}

/// How many parties wait at the barrier: 0 if it is broken.
///
/// # Errors
/// As `Object::waiting_at_barrier`.
#[napi(catch_unwind)]
pub fn waiting_at_barrier(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.waiting_at_barrier())
}

/// Whether the barrier is broken, as it is once a party that waits has died.
///
/// # Errors
/// As `Object::barrier_is_broken`.
#[napi(catch_unwind)]
pub fn barrier_is_broken(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.barrier_is_broken())
}

/// Stops waiting at the barrier.
///
/// # Errors
/// As `Object::give_up_barrier`.
#[napi(catch_unwind)]
pub fn give_up_barrier(handle: u32) -> Result<()> {
    give_up(handle, channel::MAIN, |object| object.give_up_barrier())
}
