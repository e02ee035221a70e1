//! Facts about an object of any kind: its parameters, its company and its state.

use napi_derive::napi;

use crate::attempt::with_object;
use crate::environment::with_open;
use crate::error::Result;
use crate::observe::Facts;
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

/// The state of an open object, which is read without a lock.
///
/// # Errors
/// As `Object::facts`.
#[napi(catch_unwind, ts_return_type = "Record<string, number | boolean>")]
pub fn object_facts(handle: u32) -> Result<Facts> {
    with_object(handle, |object| object.facts().map(Facts))
}
