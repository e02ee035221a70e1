//! Raw calls that push and pop records of a pipe or an `SpscQueue`.

use crossmem_core::{Agent, Bytes, End, Looked, Object, Result as CoreResult};

use super::raw::{Answer, Call, calls, gone, got, put};
use crate::attempt::{remember, wait};
use crate::environment::Open;
use crate::pad::{Elsewhere, Pad};
use crate::protocol::channel::{RECORD_AT, ROOM_AT};
use crate::protocol::{pad, transfer};

/// The channel of a wait at an end: for a record, or for room.
pub(super) fn channel(end: u32, for_record: bool) -> u32 {
    end + if for_record { RECORD_AT } else { ROOM_AT }
}

calls! {
    /// Pushes the first `length` bytes of the pad. 0: done.
    pushRecord = push_record(end, length, mode);
    /// The same, and the message goes on in the next record.
    pushPart = push_part(end, length, mode);
    /// Pops a record onto the pad: its length, and `MORE` if the message goes on in the next
    /// record; or `ELSEWHERE`, and the record stays where it is.
    popRecord = pop_record(end, mode);
    /// Pushes messages of the pad: how many.
    pushRecords = push_records(end, count);
    /// Pops records onto the pad: how many.
    popRecords = pop_records(end, most);
    /// Reserves room for a record. 0: the pad says where.
    reserveRecord = reserve_record(end, length, mode);
    /// Publishes the record that was written to the reserved room.
    commitRecord = commit_record(end, length);
    /// Finds the first record. 0: the pad says where it is.
    peekRecord = peek_record(end, mode);
    /// Pops the record that `peekRecord` or `popRecord` found.
    releaseRecord = release_record(end);
}

/// The object, and the end that this environment has taken.
fn taken<'c>(agent: &'c Agent, open: &'c mut Open, end: i64) -> CoreResult<(Object<'c>, &'c mut End)> {
    let Open { segment, ends, .. } = open;
    let end = ends.get_mut(end as usize).and_then(Option::as_mut).ok_or_else(gone)?;
    Ok((Object::new(agent, segment), end))
}

fn push_record(call: &mut Call<'_>, end: i64, length: i64, mode: i64) -> Answer {
    push(call, end, length, false, mode)
}

fn push_part(call: &mut Call<'_>, end: i64, length: i64, mode: i64) -> Answer {
    push(call, end, length, true, mode)
}

fn push(call: &mut Call<'_>, end: i64, length: i64, continues: bool, mode: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    let mode = wait(mode as i32);
    let pushed = object.push_record(state, call.pad.first(length as usize), continues, mode)?;
    remember(call.open, channel(end as u32, false), mode, &pushed);
    Ok(put(pushed, |()| 0))
}

fn pop_record(call: &mut Call<'_>, end: i64, mode: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    let mode = wait(mode as i32);
    let pad = &mut *call.pad;
    let mut answer = transfer::ELSEWHERE;
    let popped = object.pop_record(state, mode, |_, record| {
        pad.clear();
        let copied =
            pad.add(record.len as usize).is_some_and(|room| object.read_record(record, room).is_ok());
        if copied {
            answer = i64::from(record.len) + i64::from(record.more) * transfer::MORE;
        } else {
            point_to_record(pad, record);
        }
        copied
    })?;
    remember(call.open, channel(end as u32, true), mode, &popped);
    Ok(got(popped, |()| answer))
}

fn push_records(call: &mut Call<'_>, end: i64, count: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    Ok(put(Looked::Got(object.push_records(state, call.pad.messages(count as usize))?), |pushed| {
        pushed as i64
    }))
}

fn pop_records(call: &mut Call<'_>, end: i64, most: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    let pad = &mut *call.pad;
    pad.clear();
    let popped = object.pop_records(state, most as usize, |_, record| {
        pad.add(record.len as usize).is_some_and(|room| object.read_record(record, room).is_ok())
    })?;
    Ok(got(Looked::Got(popped), |popped| popped as i64))
}

fn reserve_record(call: &mut Call<'_>, end: i64, length: i64, mode: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    let mode = wait(mode as i32);
    let reserved = object.reserve_record(state, length as u64, mode)?;
    remember(call.open, channel(end as u32, false), mode, &reserved);
    Ok(put(reserved, |place| {
        point_to_record(call.pad, place);
        0
    }))
}

fn commit_record(call: &mut Call<'_>, end: i64, length: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    object.commit_record(state, length as u32, false).map(|()| 0)
}

fn peek_record(call: &mut Call<'_>, end: i64, mode: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    let mode = wait(mode as i32);
    let peeked = object.peek_record(state, mode)?;
    remember(call.open, channel(end as u32, true), mode, &peeked);
    Ok(got(peeked, |record| {
        point_to_record(call.pad, record);
        0
    }))
}

fn release_record(call: &mut Call<'_>, end: i64) -> Answer {
    let (object, state) = taken(call.agent, call.open, end)?;
    object.release_record(state).map(|()| 0)
}

fn point_to_record(pad: &mut Pad, record: Bytes) {
    let Bytes { offset, len, more } = record;
    pad.point_to(Elsewhere { offset, len: len.into(), flags: u32::from(more) * pad::MORE, chunk: 0 });
}
