//! Raw calls that put and get messages of a queue.

use crossmem_core::{Agent, Chunk, Looked, Member, Object, Result as CoreResult};

use super::raw::{Answer, Call, calls, gone, got, put};
use crate::attempt::{remember, wait};
use crate::environment::Open;
use crate::pad::{Elsewhere, Pad};
use crate::protocol::channel::{MESSAGE, ROOM};
use crate::protocol::{pad, transfer};

calls! {
    /// Puts in the first `length` bytes of the pad. 0: done.
    pushMessage = push_message(length, mode);
    /// Takes a message onto the pad: its length; or `ELSEWHERE`, and it stays in its chunk, which
    /// the caller has.
    popMessage = pop_message(mode);
    /// Puts in messages of the pad: how many.
    pushMessages = push_messages(count);
    /// Takes messages onto the pad: how many. If the pad points to a chunk, the last of them is in
    /// it.
    popMessages = pop_messages(most);
    /// Claims a chunk to write to. 0: the pad says which.
    reserveMessage = reserve_message(mode);
    /// Puts in the message of a chunk that was reserved.
    commitMessage = commit_message(chunk, length);
    /// Gives back a chunk that was reserved.
    cancelMessage = cancel_message(chunk);
    /// Takes a message and leaves it in its chunk. 0: the pad says which.
    takeMessage = take_message(mode);
    /// Frees a chunk that was taken.
    freeMessage = free_message(chunk);
    /// Puts a message back that was taken.
    putMessageBack = put_message_back(chunk);
    /// Gives a message up that was taken, as if its reader had died.
    abandonMessage = abandon_message(chunk);
}

/// The object, and this environment as its participant.
fn joined<'c>(agent: &'c Agent, open: &'c mut Open) -> CoreResult<(Object<'c>, &'c mut Member)> {
    let Open { segment, member, .. } = open;
    Ok((Object::new(agent, segment), member.as_mut().ok_or_else(gone)?))
}

fn push_message(call: &mut Call<'_>, length: i64, mode: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    let mode = wait(mode as i32);
    let pushed = object.push_message(member, call.pad.first(length as usize), mode)?;
    remember(call.open, ROOM, mode, &pushed);
    Ok(put(pushed, |()| 0))
}

fn pop_message(call: &mut Call<'_>, mode: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    let mode = wait(mode as i32);
    let pad = &mut *call.pad;
    pad.clear();
    let mut answer = transfer::ELSEWHERE;
    let popped = object.pop_message(member, mode, |_, chunk| {
        let copied = copy(object, pad, chunk);
        if copied {
            answer = chunk.len as i64;
        }
        copied
    })?;
    remember(call.open, MESSAGE, mode, &popped);
    Ok(got(popped, |()| answer))
}

/// Copies a message onto the pad. If it doesn't fit, the pad points to it.
fn copy(object: Object<'_>, pad: &mut Pad, chunk: Chunk) -> bool {
    let room = if chunk.spilled { None } else { pad.add(chunk.len as usize) };
    let copied = room.is_some_and(|room| object.read_message(chunk, room).is_ok());
    if !copied {
        point_to_chunk(pad, chunk);
    }
    copied
}

fn push_messages(call: &mut Call<'_>, count: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    Ok(put(Looked::Got(object.push_messages(member, call.pad.messages(count as usize))?), |pushed| {
        pushed as i64
    }))
}

fn pop_messages(call: &mut Call<'_>, most: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    let pad = &mut *call.pad;
    pad.clear();
    pad.point_to(Elsewhere::default());
    let popped = object.pop_messages(member, most as usize, |_, chunk| copy(object, pad, chunk))?;
    Ok(got(Looked::Got(popped), |popped| popped as i64))
}

fn reserve_message(call: &mut Call<'_>, mode: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    let mode = wait(mode as i32);
    let reserved = object.reserve_message(member, mode)?;
    remember(call.open, ROOM, mode, &reserved);
    Ok(put(reserved, |chunk| {
        point_to_chunk(call.pad, chunk);
        0
    }))
}

fn commit_message(call: &mut Call<'_>, chunk: i64, length: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    object.commit_message(member, chunk as u32, length as u32).map(|()| 0)
}

fn cancel_message(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    object.cancel_message(member, chunk as u32).map(|()| 0)
}

fn take_message(call: &mut Call<'_>, mode: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    let mode = wait(mode as i32);
    let taken = object.take_message(member, mode)?;
    remember(call.open, MESSAGE, mode, &taken);
    Ok(got(taken, |chunk| {
        point_to_chunk(call.pad, chunk);
        0
    }))
}

fn free_message(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    object.free_message(member, chunk as u32).map(|()| 0)
}

fn put_message_back(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    object.put_message_back(member, chunk as u32).map(|()| 0)
}

fn abandon_message(call: &mut Call<'_>, chunk: i64) -> Answer {
    let (object, member) = joined(call.agent, call.open)?;
    object.abandon_message(member, chunk as u32).map(|()| 0)
}

fn point_to_chunk(pad: &mut Pad, chunk: Chunk) {
    let Chunk { index, offset, len, spilled, redelivered } = chunk;
    pad.point_to(Elsewhere {
        offset,
        len,
        flags: u32::from(redelivered) * pad::REDELIVERED + u32::from(spilled) * pad::SPILLED,
        chunk: index,
    });
}
