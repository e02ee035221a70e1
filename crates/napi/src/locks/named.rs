//! Requests for named locks, in the domain's table.

use crossmem_core::{EndedRequest, EnteredRequest, Fate, News, RequestRef, Wanted, open_lock_manager};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::attempt::with_object;
use crate::environment::with_agent;
use crate::error::Result;
use crate::protocol::fate;
use crate::segment::{OpenSegment, opened};

/// The identity of a request.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct LockRequest {
    /// The index of its first cell in the table.
    pub cell: u32,
    /// Its number; requests are served in this order.
    pub ticket: f64,
}

impl From<LockRequest> for RequestRef {
    fn from(request: LockRequest) -> RequestRef {
        RequestRef { cell: request.cell, ticket: request.ticket as u64 }
    }
}

/// A request that was just entered.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct EnteredLockRequest {
    /// Its identity.
    pub request: LockRequest,
    /// `PENDING`, `GRANTED` or `GRANTED_AFTER_DEATH`.
    pub fate: u32,
    /// The call granted or ended other requests of this agent: `lock_news` tells which.
    pub news: bool,
}

/// A request that was ended.
#[napi(object)]
pub struct EndedLockRequest {
    /// The request was over already: another request stole its lock.
    pub stolen: bool,
    /// The call granted or ended other requests of this agent: `lock_news` tells which.
    pub news: bool,
}

/// News of a request.
#[napi(object)]
pub struct LockNews {
    /// The request's number.
    pub ticket: f64,
    /// `GRANTED`, `GRANTED_AFTER_DEATH` or `STOLEN`.
    pub fate: u32,
}

/// A request, as a query finds it.
#[napi(object)]
pub struct LockRequestInfo {
    /// Name of the lock.
    pub name: Uint8Array,
    /// Whether the lock is shared, not exclusive.
    pub shared: bool,
    /// Whether it holds the lock, or waits for it.
    pub held: bool,
    /// The instance of the agent that made the request.
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

/// Requests a lock. Returns `undefined` if `if_available` was set and the lock was taken.
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
) -> Result<Option<EnteredLockRequest>> {
    let wanted = Wanted { name: &name, shared, if_available, steal };
    let entered = with_object(handle, |table| table.request(&wanted))?;
    Ok(entered.map(|EnteredRequest { request: RequestRef { cell, ticket }, granted, news }| {
        let request = LockRequest { cell, ticket: ticket as f64 };
        EnteredLockRequest { request, fate: granted.map_or(fate::PENDING, granted_as), news }
    }))
}

/// Ends a request, pending or granted. `untold`: its callback was not called, so the lock was never
/// used.
///
/// # Errors
/// As `Object::end_request`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn end_lock_request(handle: u32, request: LockRequest, untold: bool) -> Result<EndedLockRequest> {
    let EndedRequest { stolen, news } =
        with_object(handle, |table| table.end_request(request.into(), untold))?;
    Ok(EndedLockRequest { stolen, news })
}

/// The news of this agent's requests since the last call, the oldest request first. `sweep`: first
/// grants the locks that dead agents hold.
///
/// # Errors
/// As `Object::request_news`.
#[napi(catch_unwind)]
pub fn lock_news(handle: u32, sweep: bool) -> Result<Vec<LockNews>> {
    let news = with_object(handle, |table| table.request_news(sweep))?;
    let told = |News { ticket, fate }: News| LockNews {
        ticket: ticket as f64,
        fate: match fate {
            Fate::Granted { recovered } => granted_as(recovered),
            Fate::Stolen => fate::STOLEN,
        },
    };
    Ok(news.into_iter().map(told).collect())
}

fn granted_as(recovered: bool) -> u32 {
    if recovered { fate::GRANTED_AFTER_DEATH } else { fate::GRANTED }
}

/// All requests of living agents, the oldest first.
///
/// # Errors
/// As `Object::query_requests`.
#[napi(catch_unwind)]
pub fn query_locks(handle: u32) -> Result<Vec<LockRequestInfo>> {
    let requests = with_object(handle, |table| table.query_requests())?;
    let info = |request: crossmem_core::RequestInfo| LockRequestInfo {
        name: request.name.into(),
        shared: request.shared,
        held: request.held,
        instance: request.instance,
    };
    Ok(requests.into_iter().map(info).collect())
}
