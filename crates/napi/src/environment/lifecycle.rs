//! How an environment begins and ends.

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

/// Whether this environment is being torn down. From then on, a buffer's finalizer doesn't prove
/// that no code can reach the buffer's memory.
pub(crate) fn is_torn_down() -> bool {
    TORN_DOWN.with(Cell::get)
}

/// Makes this environment an agent of the domain. `thread`: the worker's id, 0 on the main thread.
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

/// The owner word of a mutex that this agent holds: `{ instance: 32 | slot + 1: 32 }`, the higher
/// half first.
///
/// # Errors
/// `ERR_CLOSED`.
#[napi(catch_unwind)]
pub fn owner_word() -> Result<Vec<u32>> {
    with_agent(|agent| Ok(vec![(agent.owner_word() >> 32) as u32, agent.owner_word() as u32]))
}

/// Puts our clean-up hook before all others. Node-API runs the newest hook first. Buffers and
/// threadsafe functions have hooks of their own, so this is called again after each is made.
pub(crate) fn hear_of_teardown_first(env: sys::napi_env) {
    // SAFETY: a live environment, and a hook that needs no argument. Deno fails if a hook is
    // removed that was never added: this removes only one that was.
    unsafe {
        if HOOKED.replace(true) {
            sys::napi_remove_env_cleanup_hook(env, Some(on_teardown), ptr::null_mut());
        }
        sys::napi_add_env_cleanup_hook(env, Some(on_teardown), ptr::null_mut());
    }
}

/// Only speeds clean-up: other agents sweep the domain after an environment that was killed.
unsafe extern "C" fn on_teardown(_: *mut c_void) {
    let _ = TORN_DOWN.try_with(|torn_down| torn_down.set(true));
    leave();
}

/// Closes all segments and leaves the domain. Buffers stay readable. JavaScript calls this when the
/// process ends, since runtimes don't run clean-up hooks on `process.exit()`.
#[napi(catch_unwind)]
pub fn leave() {
    // Ends the reactor's thread first: from here on no thread calls into this environment.
    drop(with(|environment| environment.wake.take()));
    let left = with(|environment| (environment.agent.take(), std::mem::take(&mut environment.segments)));
    let Some((Some(agent), mut segments)) = left else { return };
    for open in segments.values_mut() {
        open.release_roles(&agent);
    }
    // A segment that has a buffer stays mapped until the buffer's lease ends.
    drop(segments);
    agent.leave();
}
