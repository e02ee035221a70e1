//! Updates and snapshots of arrays. A snapshot that has to wait returns after a slice of time;
//! JavaScript calls again, so that `worker.terminate()` gets through.

use std::time::Duration;

use crossmem_core::{Agent, ArrayGuard};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::attempt::{remember, status, wait};
use crate::environment::{Open, with_open};
use crate::error::{Result, invalid, js};
use crate::protocol::channel;

/// Looks for the array's trailer at `offset`, and returns whether there is one.
///
/// # Errors
/// As `ArrayGuard::find`.
#[napi(catch_unwind)]
pub fn attach_guard(handle: u32, offset: f64) -> Result<bool> {
    let offset = offset as u64;
    with_open(handle, |agent, open| {
        let found = ArrayGuard::find(agent, open.segment.region(), offset).map_err(js)?.is_some();
        open.trailer = found.then_some(offset);
        Ok(found)
    })
}

/// Makes an attempt to begin an update; `mode` and the answer are those of `protocol.rs`.
///
/// # Errors
/// As `attach_guard`.
#[napi(catch_unwind)]
pub fn begin_update(handle: u32, mode: i32) -> Result<u32> {
    with_open(handle, |agent, open| {
        let wait = wait(mode);
        let outcome = guard(agent, open)?.enter(agent, wait);
        remember(open, channel::MAIN, wait, &outcome);
        Ok(status(outcome))
    })
}

/// Stops waiting to begin an update.
///
/// # Errors
/// As `attach_guard`.
#[napi(catch_unwind)]
pub fn cancel_update(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| {
        open.sleeps[channel::MAIN as usize] = None;
        guard(agent, open)?.give_up_entering(agent);
        Ok(())
    })
}

/// Ends the update: the data is whole.
///
/// # Errors
/// As `ArrayGuard::leave`.
#[napi(catch_unwind)]
pub fn end_update(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| guard(agent, open)?.leave(agent).map_err(js))
}

/// Ends the update, and leaves the data marked as half-changed, as a death does.
///
/// # Errors
/// As `ArrayGuard::give_up`.
#[napi(catch_unwind)]
pub fn abandon_update(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| guard(agent, open)?.give_up(agent).map_err(js))
}

/// Fills `into` with the bytes from `offset` on, as they were at one instant. Returns `false` if a
/// writer was inside for all of the slice.
///
/// # Errors
/// As `ArrayGuard::copy_to`.
#[napi(catch_unwind)]
pub fn snapshot(handle: u32, offset: f64, mut into: Uint8Array, slice_ms: u32) -> Result<bool> {
    with_open(handle, |agent, open| {
        // SAFETY: JavaScript made these bytes for this call, which is on its thread.
        let into = unsafe { into.as_mut() };
        let slice = Duration::from_millis(slice_ms.into());
        guard(agent, open)?.copy_to(agent, offset as u64, into, slice).map_err(js)
    })
}

fn guard<'a>(agent: &Agent, open: &'a Open) -> Result<ArrayGuard<'a>> {
    let offset = open.trailer.ok_or_else(|| invalid("this array has no trailer"))?;
    ArrayGuard::find(agent, open.segment.region(), offset).map_err(js)?.ok_or_else(|| {
        napi::Error::new("ERR_CORRUPT", "the array's trailer was overwritten; make the array anew")
    })
}
