//! Updates and snapshots of arrays. Waits are slices: JavaScript loops, so that it stays in charge.

use std::time::Duration;

use crossmem_core::{Agent, ArrayGuard};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::environment::{Open, with_open};
use crate::error::{Result, invalid, js};
use crate::look::{remember, status, wait};
use crate::protocol::channel;

/// Looks for the trailer at `offset`; whether there is one.
///
/// # Errors
/// As `ArrayGuard::find`.
#[napi(catch_unwind)]
pub fn attach_guard(handle: u32, offset: f64) -> Result<bool> {
    let offset = offset as u64;
    with_open(handle, |agent, open| {
        let found = ArrayGuard::find(agent, open.segment.region(), offset).map_err(js)?.is_some();
        open.guard = found.then_some(offset);
        Ok(found)
    })
}

/// Begins an update; `how` and the result as in `locks.rs`.
///
/// # Errors
/// As `attach_guard`.
#[napi(catch_unwind)]
pub fn begin_update(handle: u32, how: i32) -> Result<u32> {
    with_open(handle, |agent, open| {
        let wait = wait(how);
        let looked = guard(agent, open)?.enter(agent, wait);
        remember(open, channel::MAIN, wait, &looked);
        Ok(status(looked))
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

/// Ends the update that `begin_update` began.
///
/// # Errors
/// As `ArrayGuard::leave`.
#[napi(catch_unwind)]
pub fn end_update(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| guard(agent, open)?.leave(agent).map_err(js))
}

/// Ends the update that `begin_update` began without saying that the data is whole.
///
/// # Errors
/// As `ArrayGuard::give_up`.
#[napi(catch_unwind)]
pub fn abandon_update(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| guard(agent, open)?.give_up(agent).map_err(js))
}

/// Fills `into` with the bytes from `offset` on as they were at one instant; `false`: a writer is still inside.
///
/// # Errors
/// As `ArrayGuard::copy_to`.
#[napi(catch_unwind)]
pub fn snapshot(handle: u32, offset: f64, mut into: Uint8Array, slice_ms: u32) -> Result<bool> {
    with_open(handle, |agent, open| {
        // SAFETY: JavaScript made this array for us a moment ago and is waiting for it.
        let into = unsafe { into.as_mut() };
        let slice = Duration::from_millis(slice_ms.into());
        guard(agent, open)?.copy_to(agent, offset as u64, into, slice).map_err(js)
    })
}

fn guard<'a>(agent: &Agent, open: &'a Open) -> Result<ArrayGuard<'a>> {
    let offset = open.guard.ok_or_else(|| invalid("this array has no trailer"))?;
    ArrayGuard::find(agent, open.segment.region(), offset).map_err(js)?.ok_or_else(|| {
        napi::Error::new("ERR_CORRUPT", "the array's trailer was overwritten; make the array anew")
    })
}
