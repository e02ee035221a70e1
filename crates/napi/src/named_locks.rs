//! Requests for named locks.

use crossmem_core::{Object, RequestRef, RequestState, Wanted, open_lock_manager};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::environment::{with_agent, with_open};
use crate::error::{Result, js};
use crate::segment::{OpenSegment, opened};

/// A request that was entered.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct LockRequest {
    /// Its place in the table.
    pub cell: u32,
    /// Its number.
    pub ticket: f64,
}

impl From<LockRequest> for RequestRef {
    fn from(request: LockRequest) -> RequestRef {
        RequestRef { cell: request.cell, ticket: request.ticket as u64 }
    }
}

/// A request as a query finds it.
#[napi(object)]
pub struct LockRequestInfo {
    /// Of the lock.
    pub name: Uint8Array,
    /// Shared or exclusive.
    pub shared: bool,
    /// Granted, or waiting.
    pub held: bool,
    /// The agent that asked.
    pub instance: u32,
}

/// Opens the domain's table of named locks.
///
/// # Errors
/// As `open_lock_manager`.
#[napi(catch_unwind)]
pub fn open_locks() -> Result<OpenSegment> {
    with_agent(open_lock_manager).and_then(opened)
}

/// Number of this agent.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn agent_instance() -> Result<u32> {
    with_agent(|agent| Ok(agent.instance()))
}

fn with_table<T>(handle: u32, act: impl FnOnce(Object<'_>) -> crossmem_core::Result<T>) -> Result<T> {
    with_open(handle, |agent, open| act(Object::new(agent, &open.segment)).map_err(js))
}

/// Asks for a lock. `undefined`: it was to be had at once or not at all.
///
/// # Errors
/// As `Object::request`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value, clippy::fn_params_excessive_bools)]
pub fn request_lock(
    handle: u32,
    name: Uint8Array,
    shared: bool,
    if_available: bool,
    steal: bool,
) -> Result<Option<LockRequest>> {
    let request =
        with_table(handle, |table| table.request(&Wanted { name: &name, shared, if_available, steal }))?;
    Ok(request.map(|RequestRef { cell, ticket }| LockRequest { cell, ticket: ticket as f64 }))
}

/// 0: pending; 1: held; 2: held, and a holder died before; 3: gone.
///
/// # Errors
/// As `Object::request_state`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn lock_request_state(handle: u32, request: LockRequest) -> Result<u32> {
    let state = with_table(handle, |table| table.request_state(request.into()))?;
    Ok(match state {
        RequestState::Pending => 0,
        RequestState::Held { recovered: false } => 1,
        RequestState::Held { recovered: true } => 2,
        RequestState::Gone => 3,
    })
}

/// Ends a request, pending or held.
///
/// # Errors
/// As `Object::end_request`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn end_lock_request(handle: u32, request: LockRequest) -> Result<()> {
    with_table(handle, |table| table.end_request(request.into()))
}

/// Grants what somebody who died left ungranted.
///
/// # Errors
/// As `Object::nudge_request`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn nudge_lock_request(handle: u32, request: LockRequest) -> Result<()> {
    with_table(handle, |table| table.nudge_request(request.into()))
}

/// All requests of living agents, the oldest first.
///
/// # Errors
/// As `Object::query_requests`.
#[napi(catch_unwind)]
pub fn query_locks(handle: u32) -> Result<Vec<LockRequestInfo>> {
    let requests = with_table(handle, |table| table.query_requests())?;
    let info = |request: crossmem_core::RequestInfo| LockRequestInfo {
        name: request.name.into(),
        shared: request.shared,
        held: request.held,
        instance: request.instance,
    };
    Ok(requests.into_iter().map(info).collect())
}
