//! The reactor: calls JavaScript when somebody rings this environment's agent.

use napi::JsValue;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use super::lifecycle::hear_of_teardown_first;
use super::state::{with, with_agent};
use crate::error::{Result, invalid};
use crate::protocol::channel::CHANNELS;
use crate::wake::Wake;

/// Starts this environment's reactor: `wake` is called, with nothing, when there may be something to look at.
///
/// # Errors
/// `ERR_OS` when no thread can be had.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn start_reactor(env: napi::Env, wake: Function<'_, (), ()>) -> Result<()> {
    let listener = with_agent(|agent| Ok(agent.listener()))?;
    let started = Wake::start(env.raw(), wake.raw(), listener)?;
    // After the hook of the function that it calls, so that ours runs before it.
    hear_of_teardown_first(env.raw());
    with(|environment| environment.wake = Some(started));
    Ok(())
}

/// Says whether anything is pending, and whether the process must stay for it.
///
/// # Errors
/// `ERR_INVALID_ARG` without a reactor.
#[napi(catch_unwind)]
pub fn set_waiting(waiting: bool, keep_alive: bool) -> Result<()> {
    with(|environment| {
        let wake = environment.wake.as_ref().ok_or_else(|| invalid("there is no reactor"))?;
        wake.set_waiting(waiting, keep_alive);
        Ok(())
    })
    .unwrap_or(Ok(()))
}

/// What to look at now, as `4 * handle + channel`: where somebody rang, or after a tick everything that sleeps. The
/// first number is 1 after a tick, and 0 otherwise.
#[napi(catch_unwind)]
pub fn due() -> Vec<u32> {
    let due = with(|environment| {
        let ticked = environment.wake.as_ref().is_some_and(Wake::answer);
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
