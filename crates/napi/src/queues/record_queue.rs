//! Queues of records. JavaScript copies the records itself: it takes an end and gives it back
//! without a call while no agent waits there, and calls these for all else.

use crossmem_core::{Looked, Object, RecordsAt, Side};
use napi_derive::napi;

use super::raw::{Answer, Call, calls};
use crate::attempt::{give_up, remember, wait, with_object};
use crate::error::Result;
use crate::protocol::channel::{MESSAGE, ROOM};
use crate::protocol::{records, transfer};

calls! {
    /// Takes an end of a queue of records: how many slots there are.
    enterRecords = enter_records(side, mode);
    /// Gives an end back. 0.
    leaveRecords = leave_records(side);
    /// Wakes an agent that sleeps at an end, if it would find something there. 0.
    wakeRecords = wake_records(side);
}

/// An end from its number.
fn side(number: i64) -> Side {
    if number == i64::from(records::PRODUCERS) { Side::Producers } else { Side::Consumers }
}

fn enter_records(call: &mut Call<'_>, end: i64, mode: i64) -> Answer {
    let (side, mode) = (side(end), wait(mode as i32));
    let object = Object::new(call.agent, &call.open.segment);
    let entered = object.enter_records(side, mode, &mut call.open.spins)?;
    remember(call.open, if side == Side::Consumers { MESSAGE } else { ROOM }, mode, &entered);
    Ok(match entered {
        Looked::Got(RecordsAt::Slots(slots)) => slots.count.into(),
        Looked::Got(RecordsAt::Ended) => transfer::ENDED,
        Looked::NotYet { .. } => transfer::NOT_YET,
        Looked::Mine => transfer::HELD_HERE,
    })
}

fn leave_records(call: &mut Call<'_>, end: i64) -> Answer {
    Object::new(call.agent, &call.open.segment).leave_records(side(end)).map(|()| 0)
}

fn wake_records(call: &mut Call<'_>, end: i64) -> Answer {
    Object::new(call.agent, &call.open.segment).wake_records(side(end)).map(|()| 0)
}

/// Ends a queue of records: nothing is put any more.
///
/// # Errors
/// As `Object::end_records`.
#[napi(catch_unwind)]
pub fn end_records(handle: u32) -> Result<()> {
    with_object(handle, |object| object.end_records())
}

/// Whether a queue of records has ended.
///
/// # Errors
/// As `Object::records_have_ended`.
#[napi(catch_unwind)]
pub fn records_have_ended(handle: u32) -> Result<bool> {
    with_object(handle, |object| object.records_have_ended())
}

/// How many records are in a queue.
///
/// # Errors
/// As `Object::count_records`.
#[napi(catch_unwind)]
pub fn count_records(handle: u32) -> Result<u32> {
    with_object(handle, |object| object.count_records())
}

/// Stops waiting at a queue of records, on the channel `MESSAGE` or `ROOM`.
///
/// # Errors
/// As `Object::give_up_records`.
#[napi(catch_unwind)]
pub fn give_up_records(handle: u32, channel: u32) -> Result<()> {
    let side = if channel == MESSAGE { Side::Consumers } else { Side::Producers };
    give_up(handle, channel, |object| object.give_up_records(side))
}
