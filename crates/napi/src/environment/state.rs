//! What one Node environment has: its agent and its open segments. An environment lives on one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{BuildHasherDefault, Hasher};
use std::ptr;

use crossmem_core::{Agent, Code, End, Kind, Mapped, Member, Object, Segment};
use napi::sys;
use napi_derive::napi;

use crate::error::{Result, closed, js};
use crate::pad::Pad;
use crate::wake::Reactor;

/// A segment that JavaScript may reach, by its handle or by its buffer.
pub(crate) struct Open {
    pub segment: Segment,
    /// Where its guard is, once it was looked for and found.
    pub guard: Option<u64>,
    /// The handle was collected without `close`: the buffer alone keeps the segment open.
    pub handle_is_gone: bool,
    /// An `ArrayBuffer` over the bytes exists.
    pub has_buffer: bool,
    /// Where this environment is among the sleepers, as offsets in the segment, by channel.
    pub sleeps: [Option<u64>; CHANNELS],
    /// The ends of a channel that this environment has.
    pub ends: [Option<End>; 2],
    /// What this environment is to a queue.
    pub member: Option<Member>,
}

/// Waits that an object has at most, each at sleepers of its own.
pub(crate) const CHANNELS: usize = 4;

impl Open {
    /// Gives back the roles that this environment has. What has no effect now is done by the others, who see that it is gone.
    fn let_go(&mut self, agent: &Agent) {
        let object = Object::new(agent, &self.segment);
        for end in self.ends.iter_mut().filter_map(Option::take) {
            let _ = object.release_end(end, self.segment.kind == Kind::Pipe);
        }
        if let Some(member) = self.member.take() {
            let _ = object.leave_queue(member);
        }
    }
}

/// Handles are numbers in a row already.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
    }
    fn write_u32(&mut self, number: u32) {
        // The map takes its buckets from the low bits and its tags from the high ones.
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[derive(Default)]
pub(crate) struct Environment {
    agent: Option<Agent>,
    segments: HashMap<u32, Open, BuildHasherDefault<Identity>>,
    next_handle: u32,
    pub reactor: Option<Reactor>,
    pub pad: Option<Pad>,
}

thread_local! {
    static ENVIRONMENT: RefCell<Environment> = RefCell::default();
    static TORN_DOWN: Cell<bool> = const { Cell::new(false) };
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this environment is being torn down: from then on a buffer's finalizer says nothing about
/// whether its memory is still reachable.
pub(crate) fn is_torn_down() -> bool {
    TORN_DOWN.with(Cell::get)
}

/// Runs `act` on the environment. `None` after the thread's locals are gone. `act` must not call into JS.
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
        let open = Open {
            segment,
            guard: None,
            handle_is_gone: false,
            has_buffer: false,
            sleeps: [None; CHANNELS],
            ends: [None, None],
            member: None,
        };
        self.segments.insert(self.next_handle, open);
        self.next_handle
    }

    pub(crate) fn get(&mut self, handle: u32) -> Option<&mut Open> {
        self.segments.get_mut(&handle)
    }

    /// Calls `visit(handle, channel, still sleeps)` for each place where this environment was put to sleep.
    pub(crate) fn each_sleeping(&self, mut visit: impl FnMut(u32, u32, bool)) {
        let Some(agent) = &self.agent else { return };
        for (handle, open) in &self.segments {
            for (channel, sleepers) in open.sleeps.iter().enumerate() {
                if let Some(sleepers) = sleepers {
                    let object = Object::new(agent, &open.segment);
                    visit(*handle, channel as u32, object.sleeps(*sleepers).unwrap_or(false));
                }
            }
        }
    }

    /// Unmaps the segment but stays attached to its object until this environment leaves.
    pub(crate) fn forget(&mut self, handle: u32) {
        self.segments.remove(&handle);
    }

    /// Gives back the roles that this environment has at an object, whose memory stays mapped.
    pub(crate) fn let_go(&mut self, handle: u32) -> Option<Mapped> {
        let (open, agent) = (self.segments.get_mut(&handle)?, self.agent.as_ref()?);
        open.let_go(agent);
        Some(open.segment.keep_mapped())
    }

    /// Closes the segment: nobody reaches it by this handle any more.
    pub(crate) fn close(&mut self, handle: u32) {
        if let (Some(open), Some(agent)) = (self.segments.remove(&handle), &self.agent) {
            open.segment.close(agent);
        }
    }
}

/// Makes this environment an agent of the domain. `thread` is the worker's id, 0 on the main thread.
///
/// # Errors
/// As `Agent::register`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn join(env: napi::Env, domain: String, thread: u32) -> Result<()> {
    TORN_DOWN.with(|torn_down| torn_down.set(false));
    let agent = Agent::register(&domain, thread).map_err(js)?;
    let joined = with(|environment| {
        if environment.agent.is_none() {
            environment.agent = Some(agent);
        }
    });
    joined.ok_or_else(|| napi::Error::new(Code::Closed.as_str(), "this thread is ending"))?;
    hear_of_teardown_first(env.raw());
    Ok(())
}

/// This agent as the word of a mutex that it holds names it: `{ instance: 32 | slot + 1: 32 }`, the higher half first.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn owner_word() -> Result<Vec<u32>> {
    with_agent(|agent| Ok(vec![(agent.owner_word() >> 32) as u32, agent.owner_word() as u32]))
}

/// Hooks run last in, first out: asking again after each new buffer puts ours before the buffer's own.
pub(crate) fn hear_of_teardown_first(env: sys::napi_env) {
    // SAFETY: a live environment, and a hook that needs no argument; only one that is there is removed, since
    // Deno insists on that.
    unsafe {
        if HOOKED.replace(true) {
            sys::napi_remove_env_cleanup_hook(env, Some(on_teardown), ptr::null_mut());
        }
        sys::napi_add_env_cleanup_hook(env, Some(on_teardown), ptr::null_mut());
    }
}

/// Only speeds clean-up: what a killed environment leaves is swept by the others.
unsafe extern "C" fn on_teardown(_: *mut c_void) {
    let _ = TORN_DOWN.try_with(|torn_down| torn_down.set(true));
    leave();
}

/// Closes everything and leaves the domain. Buffers stay readable. Runtimes don't call their hooks on
/// `process.exit()`, so JavaScript calls this when the process ends.
#[napi(catch_unwind)]
pub fn leave() {
    // First the thread that listens: from here on nobody calls into this environment.
    drop(with(|environment| environment.reactor.take()));
    let left = with(|environment| (environment.agent.take(), std::mem::take(&mut environment.segments)));
    let Some((Some(agent), mut segments)) = left else { return };
    for open in segments.values_mut() {
        open.let_go(&agent);
    }
    // What has a buffer stays mapped until its lease ends.
    drop(segments);
    agent.leave();
}
