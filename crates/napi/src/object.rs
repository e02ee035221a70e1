//! Facts about an object of any kind: its parameters, its company, its holders.

use crossmem_core::Holder;
use napi_derive::napi;

use crate::attempt::with_object;
use crate::environment::with_open;
use crate::error::Result;
use crate::protocol::company;

/// The parameters that the object was made with.
///
/// # Errors
/// As `Object::params`.
#[napi(catch_unwind)]
pub fn object_params(handle: u32) -> Result<Vec<f64>> {
    with_object(handle, |object| Ok(object.params()?.iter().map(|param| *param as f64).collect()))
}

/// The bits `LINKED` and `OTHERS`. `lately`: as `Segment::company_lately`.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn object_company(handle: u32, lately: bool) -> Result<u32> {
    with_open(handle, |agent, open| {
        let company = if lately { open.segment.company_lately(agent) } else { open.segment.company(agent) };
        Ok(u32::from(company.linked) * company::LINKED + u32::from(company.others) * company::OTHERS)
    })
}

/// An agent that holds a share of an object, or waits at it.
#[napi(object)]
pub struct HolderRow {
    /// Its slot.
    pub slot: u32,
    /// Whether it is alive.
    pub alive: bool,
    /// How many locks, permits or arrivals it has.
    pub count: u32,
}

/// The agents that wait at an object.
///
/// # Errors
/// As `Object::waiters`.
#[napi(catch_unwind)]
pub fn object_waiters(handle: u32) -> Result<Vec<HolderRow>> {
    with_object(handle, |object| Ok(object.waiters()?.into_iter().map(holder_row).collect()))
}

/// The agents that hold a share of an object.
///
/// # Errors
/// As `Object::holders`.
#[napi(catch_unwind)]
pub fn object_holders(handle: u32) -> Result<Vec<HolderRow>> {
    with_object(handle, |object| Ok(object.holders()?.into_iter().map(holder_row).collect()))
}

#[allow(clippy::needless_pass_by_value)]
fn holder_row(holder: Holder) -> HolderRow {
    HolderRow { slot: holder.slot as u32, alive: holder.alive, count: holder.count }
}
