//! The reactor: it calls JavaScript when the doorbell of this environment's agent rings, and at
//! each tick.

use crossmem_core::Agent;
use napi::JsValue;
use napi::bindgen_prelude::{Function, Unknown};
use napi_derive::napi;

use super::lifecycle::hear_of_teardown_first;
use super::state::{with, with_agent};
use crate::error::{Result, invalid};
use crate::wake::{Armed, Counts, Survey, Wake};

/// Starts this environment's reactor. It calls `wake(ticked, ...due)` when pending waits are to be
/// tried: `due` names them, and after a tick these are all. `has_loop`: an event loop of libuv runs
/// this environment, and it sleeps in `uv_run` only. `counts`: the numbers of `protocol::waits`.
/// If another copy of the package started one, that calls this copy from now on. Returns whether
/// the reactor hears from `counts` that no wait keeps the process alive any more.
///
/// # Errors
/// `ERR_OS`: the system gives no thread. `ERR_INVALID_ARG`: `counts` is no such memory.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn start_reactor(
    env: napi::Env,
    #[napi(ts_arg_type = "(ticked: boolean, ...due: number[]) => void")] wake: Function<'_, (), ()>,
    has_loop: bool,
    #[napi(ts_arg_type = "ArrayBuffer")] counts: Unknown<'_>,
) -> Result<bool> {
    let counts = Counts::over(env.raw(), counts.raw())?;
    // Node-API may call hooks in JavaScript, so the environment isn't borrowed meanwhile.
    let earlier = with(|environment| environment.wake.take()).flatten();
    let goes_on = earlier.and_then(|earlier| earlier.call_instead(env.raw(), wake.raw()));
    let started = if let Some(earlier) = goes_on {
        earlier
    } else {
        let bells = |agent: &Agent| (has_loop.then(|| agent.loop_bell().ok()).flatten(), agent.listener());
        let (bell, listener) = with_agent(|agent| Ok(bells(agent)))?;
        Wake::start(env.raw(), wake.raw(), bell, listener, counts, armed())?
    };
    let reads_counts = started.reads_counts();
    with(|environment| environment.wake = Some(started));
    // Before the hooks that `Wake` made.
    hear_of_teardown_first(env.raw());
    Ok(reads_counts)
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

fn armed() -> Armed {
    Armed {
        due,
        survey,
        tell_of_endings: || {
            let _ = with_agent(|agent| {
                agent.tell_of_endings();
                Ok(())
            });
        },
        is_told_of_endings: || with_agent(|agent| Ok(agent.is_told_of_endings())).unwrap_or(false),
    }
}

/// The waits to try now, each as `CHANNELS * handle + channel`: those whose sleepers were woken, or
/// after a tick all.
fn due(ticked: bool) -> Vec<u32> {
    let due = with(|environment| {
        let mut due = Vec::new();
        environment.each_sleeping(|point, _, still_sleeps| {
            if ticked || !still_sleeps {
                due.push(point);
            }
        });
        due
    });
    due.unwrap_or_default()
}

/// All armed waits at a glance.
fn survey() -> Survey {
    let survey = with(|environment| {
        let mut survey = Survey::default();
        environment.each_sleeping(|point, object, still_sleeps| {
            survey.armed += 1;
            survey.woken += usize::from(!still_sleeps);
            survey.outlook = survey.outlook.wrapping_add(object.outlook() ^ u64::from(point));
        });
        survey
    });
    survey.unwrap_or_default()
}
