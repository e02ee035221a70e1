//! The reactor: it calls JavaScript when the doorbell of this environment's agent rings, and at
//! each tick.

use napi::JsValue;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use super::lifecycle::hear_of_teardown_first;
use super::state::{with, with_agent};
use crate::error::{Result, invalid};
use crate::protocol::channel::CHANNELS;
use crate::wake::Wake;

/// Starts this environment's reactor. It calls `wake`, without arguments, when pending waits are to
/// be tried; `due` names them. The reactor of another copy of the package ends.
///
/// # Errors
/// `ERR_OS`: the system gives no thread.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn start_reactor(env: napi::Env, wake: Function<'_, (), ()>) -> Result<()> {
    let listener = with_agent(|agent| Ok(agent.listener()))?;
    let started = Wake::start(env.raw(), wake.raw(), listener)?;
    // Before the hook of the threadsafe function that `Wake` made.
    hear_of_teardown_first(env.raw());
    with(|environment| {
        if let Some(earlier) = environment.wake.replace(started) {
            // A wait of the copy that started it may have kept the process alive by it.
            earlier.set_waiting(false, false);
        }
    });
    Ok(())
}

/// Tells the reactor whether a wait is pending; `keep_alive`: the process must not end meanwhile.
///
/// # Errors
/// `ERR_INVALID_ARG`: the reactor was not started.
#[napi(catch_unwind)]
pub fn set_waiting(waiting: bool, keep_alive: bool) -> Result<()> {
    with(|environment| {
        let wake = environment.wake.as_ref().ok_or_else(|| invalid("there is no reactor"))?;
        wake.set_waiting(waiting, keep_alive);
        Ok(())
    })
    .unwrap_or(Ok(()))
}

/// The waits to try now, each as `CHANNELS * handle + channel`: those whose sleepers were woken, or
/// after a tick all. The first number is 1 after a tick, 0 otherwise.
#[napi(catch_unwind)]
pub fn due() -> Vec<u32> {
    let due = with(|environment| {
        let ticked = environment.wake.as_ref().is_some_and(Wake::take_tick);
        let mut due = vec![u32::from(ticked)];
        environment.each_sleeping(|handle, channel, still_sleeps| {
            if ticked || !still_sleeps {
                due.push(handle * CHANNELS + channel);
            }
        });
        due
    });
    due.unwrap_or_default()
}
