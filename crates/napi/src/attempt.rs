//! One attempt to get what is waited for, and its answer, as the numbers of `protocol.rs`.

use std::time::Duration;

use crossmem_core::{Agent, Locked, Looked, Object, Wait};

use crate::environment::{Open, with_open};
use crate::error::{Result, js};
use crate::protocol::{answer, mode};

/// What the core has to do, from the number in `mode`.
pub(crate) fn wait(mode: i32) -> Wait {
    match mode {
        mode::TRY => Wait::Try,
        mode::CONTINUED.. => Wait::Again(Duration::from_millis((mode - mode::CONTINUED) as u64)),
        1.. => Wait::For(Duration::from_millis(mode as u64)),
        mode::ARM => Wait::Arm { again: false },
        mode::ARM_AGAIN => Wait::Arm { again: true },
        _ => Wait::InTurn,
    }
}

/// Runs `act` on an object.
pub(crate) fn with_object<T>(
    handle: u32,
    act: impl FnOnce(Object<'_>) -> crossmem_core::Result<T>,
) -> Result<T> {
    with_open(handle, |agent, open| act(object(agent, open)).map_err(js))
}

fn object<'a>(agent: &'a Agent, open: &'a Open) -> Object<'a> {
    Object::new(agent, &open.segment)
}

/// Makes an attempt at an object, on one of its channels.
pub(crate) fn attempt<T>(
    handle: u32,
    channel: u32,
    mode: i32,
    act: impl FnOnce(Object<'_>, Wait) -> crossmem_core::Result<Looked<T>>,
) -> Result<Looked<T>> {
    with_open(handle, |agent, open| {
        let wait = wait(mode);
        let outcome = act(object(agent, open), wait).map_err(js)?;
        remember(open, channel, wait, &outcome);
        Ok(outcome)
    })
}

/// After an attempt that arms a wait: remembers the set of sleepers in which this environment is
/// now.
pub(crate) fn remember<T>(open: &mut Open, channel: u32, wait: Wait, outcome: &Looked<T>) {
    if matches!(wait, Wait::Arm { .. }) {
        open.sleeps[channel as usize] = match outcome {
            Looked::NotYet { sleepers } => Some(*sleepers),
            _ => None,
        };
    }
}

/// The answer of an attempt that tells of an earlier holder's death.
pub(crate) fn status(outcome: Looked<Locked>) -> u32 {
    match outcome {
        Looked::Got(Locked { owner_died: false }) => answer::GOT,
        Looked::Got(Locked { owner_died: true }) => answer::GOT_AFTER_DEATH,
        Looked::NotYet { .. } => answer::NOT_YET,
        Looked::Mine => answer::HELD_HERE,
    }
}

/// The answer of any other attempt.
pub(crate) fn plain_status(outcome: Looked<()>) -> u32 {
    match outcome {
        Looked::Got(()) => answer::GOT,
        Looked::NotYet { .. } => answer::NOT_YET,
        Looked::Mine => answer::HELD_HERE,
    }
}

/// Stops waiting on a channel.
pub(crate) fn give_up(
    handle: u32,
    channel: u32,
    act: impl FnOnce(Object<'_>) -> crossmem_core::Result<()>,
) -> Result<()> {
    with_open(handle, |agent, open| {
        open.sleeps[channel as usize] = None;
        act(object(agent, open)).map_err(js)
    })
}
