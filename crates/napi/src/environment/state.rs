//! What one Node environment has: its agent, its open segments, its reactor's thread and its pad.
//! An environment lives on one thread, so this is a thread-local variable.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crossmem_core::{Agent, Kind, Mapped, Object, Segment};

use super::open::{Identity, Open};
use crate::error::{Result, closed, js};
use crate::pad::Pad;
use crate::protocol::channel::CHANNELS;
use crate::wake::Wake;

/// The agent is there from `join` to `leave`.
#[derive(Default)]
pub(crate) struct Environment {
    pub(super) agent: Option<Agent>,
    pub(super) segments: HashMap<u32, Open, BuildHasherDefault<Identity>>,
    next_handle: u32,
    pub(super) wake: Option<Wake>,
    pub pad: Option<Pad>,
}

thread_local! {
    static ENVIRONMENT: RefCell<Environment> = RefCell::default();
}

/// Runs `act` on the environment of this thread, or returns `None` when the thread is ending. `act`
/// must not call into JavaScript.
pub(crate) fn with<T>(act: impl FnOnce(&mut Environment) -> T) -> Option<T> {
    ENVIRONMENT.try_with(|environment| act(&mut environment.borrow_mut())).ok()
}

/// Runs `act` with the agent and an open segment.
pub(crate) fn with_open<T>(handle: u32, act: impl FnOnce(&Agent, &mut Open) -> Result<T>) -> Result<T> {
    with(|environment| {
        let Environment { agent: Some(agent), segments, .. } = environment else { return Err(closed()) };
        act(agent, segments.get_mut(&handle).ok_or_else(closed)?)
    })
    .unwrap_or_else(|| Err(closed()))
}

/// Runs `act` with the agent, an open segment, and the pad.
pub(crate) fn with_pad<T>(
    handle: u32,
    act: impl FnOnce(&Agent, &mut Open, &mut Pad) -> crossmem_core::Result<T>,
) -> Result<T> {
    with(|environment| {
        let Environment { agent: Some(agent), segments, pad: Some(pad), .. } = environment else {
            return Err(closed());
        };
        act(agent, segments.get_mut(&handle).ok_or_else(closed)?, pad).map_err(js)
    })
    .unwrap_or_else(|| Err(closed()))
}

/// Runs `act` with the agent.
pub(crate) fn with_agent<T>(act: impl FnOnce(&Agent) -> crossmem_core::Result<T>) -> Result<T> {
    with(|environment| act(environment.agent.as_ref().ok_or_else(closed)?).map_err(js))
        .unwrap_or_else(|| Err(closed()))
}

impl Environment {
    pub(crate) fn insert(&mut self, segment: Segment) -> u32 {
        self.next_handle = self.next_handle.wrapping_add(1);
        self.segments.insert(self.next_handle, Open::new(segment));
        self.next_handle
    }

    pub(crate) fn get(&mut self, handle: u32) -> Option<&mut Open> {
        self.segments.get_mut(&handle)
    }

    /// Calls `visit(point, object, is_asleep)` for each wait that was armed, where `point` is
    /// `CHANNELS * handle + channel`. `is_asleep`: this environment is still in that set of
    /// sleepers. The table of named locks counts as one wait as long as it is open: its requests
    /// are in no set, but who grants one rings, and only a death comes without a ring.
    pub(crate) fn each_sleeping(&self, mut visit: impl FnMut(u32, &Object<'_>, bool)) {
        let Some(agent) = &self.agent else { return };
        for (handle, open) in &self.segments {
            if open.segment.kind == Kind::LockManager {
                visit(handle * CHANNELS, &Object::new(agent, &open.segment), true);
            }
            for (channel, sleepers) in open.sleeps.iter().enumerate() {
                if let Some(sleepers) = sleepers {
                    let object = Object::new(agent, &open.segment);
                    let point = handle * CHANNELS + channel as u32;
                    visit(point, &object, object.sleeps(*sleepers).unwrap_or(false));
                }
            }
        }
    }

    /// Unmaps the segment. The agent stays attached to the object until this environment leaves.
    pub(crate) fn forget(&mut self, handle: u32) {
        self.segments.remove(&handle);
    }

    /// Gives back the roles that this environment has at the object, and returns what keeps its
    /// memory mapped.
    pub(crate) fn release_roles(&mut self, handle: u32) -> Option<Mapped> {
        let (open, agent) = (self.segments.get_mut(&handle)?, self.agent.as_ref()?);
        open.release_roles(agent);
        Some(open.segment.keep_mapped())
    }

    /// Closes the segment, and its handle with it.
    pub(crate) fn close(&mut self, handle: u32) {
        if let (Some(open), Some(agent)) = (self.segments.remove(&handle), &self.agent) {
            open.segment.close(agent);
        }
    }
}
