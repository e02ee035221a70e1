//! The beginning and the end of an environment.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use crossmem_core::{Agent, Code};
use napi::sys;
use napi_derive::napi;

use super::state::{with, with_agent};
use crate::error::{Result, js};

thread_local! {
    static TORN_DOWN: Cell<bool> = const { Cell::new(false) };
    static HOOKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this environment is being torn down: from then on a buffer's finalizer says nothing about
/// whether its memory is still reachable.
pub(crate) fn is_torn_down() -> bool {
    TORN_DOWN.with(Cell::get)
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
    drop(with(|environment| environment.wake.take()));
    let left = with(|environment| (environment.agent.take(), std::mem::take(&mut environment.segments)));
    let Some((Some(agent), mut segments)) = left else { return };
    for open in segments.values_mut() {
        open.release_roles(&agent);
    }
    // What has a buffer stays mapped until its lease ends.
    drop(segments);
    agent.leave();
}
