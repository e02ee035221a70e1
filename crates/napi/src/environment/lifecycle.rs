//! How an environment begins and ends.
//!
//! It leaves its domain after the last line of JavaScript, so handles work in every `exit`
//! listener. Which of these comes first depends on the runtime and on how the process ends; the
//! first one leaves, and the others find nothing to do.
//!
//! | what | calls | when |
//! | --- | --- | --- |
//! | a clean-up hook | `on_teardown` | the event loop of a main thread is empty; a worker ends, however it does |
//! | the destructor of this thread's variable | `Environment::drop` | a thread ends; and in `exit(3)` of most C libraries, on the thread that calls it: `process.exit()` and uncaught exceptions in Node and Deno |
//! | a handler of `exit(3)` or `quick_exit(3)` | `on_exit_without_destructors` | the same with musl, whose `exit` runs no such destructors, and in Bun, which calls `quick_exit` |
//!
//! In `exit` and `quick_exit`, other threads go on. That is sound: this environment's reactor is
//! joined first, other environments are left alone, and memory that a buffer shows stays mapped.
//! Agents whose threads the end of the process cuts off are swept as dead ones, as after a kill.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::Once;

use crossmem_core::{Agent, Code, DomainName, at_exit_without_destructors};
use napi::sys;
use napi_derive::napi;

use super::state::{Environment, with, with_agent};
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

/// Makes this environment an agent of the domain: of this user, or of the group that is given by
/// name or number. `thread`: the worker's id, 0 on the main thread.
///
/// # Errors
/// As `Agent::register`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn join(env: napi::Env, domain: String, group: Option<String>, thread: u32) -> Result<()> {
    static LEAVES_AT_EXIT: Once = Once::new();
    LEAVES_AT_EXIT.call_once(|| at_exit_without_destructors(on_exit_without_destructors));
    TORN_DOWN.with(|torn_down| torn_down.set(false));
    with(|environment| {
        // Another copy of the package may have joined.
        if environment.agent.is_none() {
            let domain = DomainName { name: &domain, group: group.as_deref() };
            environment.agent = Some(Agent::register(domain, thread).map_err(js)?);
        }
        Ok(())
    })
    .unwrap_or_else(|| Err(napi::Error::new(Code::Closed.as_str(), "this thread is ending")))?;
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

unsafe extern "C" fn on_teardown(_: *mut c_void) {
    let _ = TORN_DOWN.try_with(|torn_down| torn_down.set(true));
    with(|environment| {
        // Node-API and libuv still take calls, as they don't in `exit`.
        environment.wake = None;
        environment.leave();
    });
}

extern "C" fn on_exit_without_destructors() {
    with(Environment::leave);
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Environment {
    /// Closes all segments and leaves the domain. Buffers stay readable.
    fn leave(&mut self) {
        // Ends the reactor's thread first: from here on no thread calls into this environment.
        if let Some(wake) = self.wake.take() {
            wake.abandon();
        }
        let mut segments = std::mem::take(&mut self.segments);
        let Some(agent) = self.agent.take() else { return };
        for open in segments.values_mut() {
            open.release_roles(&agent);
        }
        // A segment that has a buffer stays mapped until the buffer's lease ends.
        drop(segments);
        agent.leave();
    }
}
