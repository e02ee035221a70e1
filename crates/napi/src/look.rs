//! Locks and the like. A look is one call: `how` says what to do when it isn't so yet, a number says how it went.
//!
//! `how`: 0 nothing; -3 nothing, and those who wait already go first; a positive number, sleep for as many milliseconds at most, and from 1,000,000 on
//! for what is more, going on with a wait that has not given up; -1 stay among the sleepers, so that the
//! reactor calls when it is time to look again; -2 the same, for the second time and later.
//!
//! What comes back: 0 not yet; 1 got it; 2 got it, and a holder died; 3 this agent has it itself.

use std::time::Duration;

use crossmem_core::{Agent, Locked, Looked, Object, Wait};

use crate::environment::{Open, with_open};
use crate::error::{Result, js};

/// From here on the number less this is the time of a wait that goes on.
const AGAIN: i32 = 1_000_000;
pub(crate) const NOT_YET: u32 = 0;
pub(crate) const GOT: u32 = 1;
pub(crate) const GOT_AFTER_DEATH: u32 = 2;
const MINE: u32 = 3;

/// Which of an object's two waits: for its lock (or all there is), or for a condition's notification.
#[derive(Clone, Copy)]
pub(crate) enum Channel {
    Main = 0,
    Notified = 1,
}

pub(crate) fn wait(how: i32) -> Wait {
    match how {
        0 => Wait::Try,
        AGAIN.. => Wait::Again(Duration::from_millis((how - AGAIN) as u64)),
        1.. => Wait::For(Duration::from_millis(how as u64)),
        -1 => Wait::Arm { again: false },
        -2 => Wait::Arm { again: true },
        _ => Wait::Politely,
    }
}

pub(crate) fn with_object<T>(
    handle: u32,
    act: impl FnOnce(Object<'_>) -> crossmem_core::Result<T>,
) -> Result<T> {
    with_open(handle, |agent, open| act(object(agent, open)).map_err(js))
}

fn object<'a>(agent: &'a Agent, open: &'a Open) -> Object<'a> {
    Object::new(agent, &open.segment)
}

/// Looks, and remembers it.
pub(crate) fn look<T>(
    handle: u32,
    channel: Channel,
    how: i32,
    act: impl FnOnce(Object<'_>, Wait) -> crossmem_core::Result<Looked<T>>,
) -> Result<Looked<T>> {
    with_open(handle, |agent, open| {
        let wait = wait(how);
        let looked = act(object(agent, open), wait).map_err(js)?;
        remember(open, channel, wait, &looked);
        Ok(looked)
    })
}

/// Remembers where this environment sleeps, if it was to stay among the sleepers.
pub(crate) fn remember<T>(open: &mut Open, channel: Channel, wait: Wait, looked: &Looked<T>) {
    remember_at(open, channel as usize, wait, looked);
}

/// As `remember`, for objects that number their channels themselves.
pub(crate) fn remember_at<T>(open: &mut Open, channel: usize, wait: Wait, looked: &Looked<T>) {
    if matches!(wait, Wait::Arm { .. }) {
        open.sleeps[channel] = match looked {
            Looked::NotYet { sleepers } => Some(*sleepers),
            _ => None,
        };
    }
}

pub(crate) fn status(looked: Looked<Locked>) -> u32 {
    match looked {
        Looked::Got(Locked { owner_died: false }) => GOT,
        Looked::Got(Locked { owner_died: true }) => GOT_AFTER_DEATH,
        Looked::NotYet { .. } => NOT_YET,
        Looked::Mine => MINE,
    }
}

pub(crate) fn plain_status(looked: Looked<()>) -> u32 {
    match looked {
        Looked::Got(()) => GOT,
        Looked::NotYet { .. } => NOT_YET,
        Looked::Mine => MINE,
    }
}

/// Stops waiting on a channel.
pub(crate) fn give_up(
    handle: u32,
    channel: Channel,
    act: impl FnOnce(Object<'_>) -> crossmem_core::Result<()>,
) -> Result<()> {
    with_open(handle, |agent, open| {
        open.sleeps[channel as usize] = None;
        act(object(agent, open)).map_err(js)
    })
}
