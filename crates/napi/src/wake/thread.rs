//! One thread per environment that listens to its agent's doorbell and tells JavaScript, however many waits are pending.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossmem_core::Listener;
use napi::bindgen_prelude::Function;
use napi::{JsValue, sys};
use napi_derive::napi;

use crate::environment::{CHANNELS, hear_of_teardown_first, with, with_agent};
use crate::error::{Result, invalid};

/// How often waits are looked at although nobody rang: a death rings no bell.
const TICK: Duration = Duration::from_millis(100);
/// With nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// A running reactor. It ends when it is dropped.
pub(crate) struct Reactor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    call: Call,
    env: sys::napi_env,
}

struct Shared {
    listener: Listener,
    /// Something is pending in JavaScript.
    waiting: AtomicBool,
    /// JavaScript was called and has not asked yet what for.
    called: AtomicBool,
    /// A tick has passed since it asked.
    ticked: AtomicBool,
    stopped: AtomicBool,
}

/// The threadsafe function. It is called by the thread only, which is joined before the environment ends.
#[derive(Clone, Copy)]
struct Call(sys::napi_threadsafe_function);

// SAFETY: Node-API's threadsafe functions are made for this.
unsafe impl Send for Call {}

impl Call {
    fn wake_js(self) {
        // SAFETY: the environment lives, since it joins our thread before it ends. Never blocks; a full or closing queue
        // is made good by the next tick.
        unsafe {
            sys::napi_call_threadsafe_function(
                self.0,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            );
        }
    }
}

impl Shared {
    fn run(&self, call: Call) {
        let mut heard = self.listener.heard();
        let mut last_tick = Instant::now();
        while !self.stopped.load(SeqCst) {
            let waiting = self.waiting.load(SeqCst);
            self.listener.park(heard, if waiting { TICK } else { LONG });
            let now = self.listener.heard();
            let rang = now != heard;
            heard = now;
            let ticked = last_tick.elapsed() >= TICK;
            if ticked {
                last_tick = Instant::now();
                self.ticked.store(true, SeqCst);
            }
            if (rang || ticked) && self.waiting.load(SeqCst) && !self.called.swap(true, SeqCst) {
                call.wake_js();
            }
        }
    }

    fn set_waiting(&self, waiting: bool) {
        // Whoever waits now is armed already, and may have been rung for while nobody listened.
        if !self.waiting.swap(waiting, SeqCst) && waiting {
            self.listener.ring();
        }
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.shared.listener.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts this environment's reactor: `wake` is called, with nothing, when there may be something to look at.
///
/// # Errors
/// `ERR_OS` when no thread can be had.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn start_reactor(env: napi::Env, wake: Function<'_, (), ()>) -> Result<()> {
    let listener = with_agent(|agent| Ok(agent.listener()))?;
    let raw_env = env.raw();
    let mut name = ptr::null_mut();
    let mut call = ptr::null_mut();
    // SAFETY: a live environment and a function of it; without a callback of ours the function is called as it is.
    let made = unsafe {
        sys::napi_create_string_utf8(raw_env, c"crossmem".as_ptr(), 8, &raw mut name);
        sys::napi_create_threadsafe_function(
            raw_env,
            wake.raw(),
            ptr::null_mut(),
            name,
            0,
            1,
            ptr::null_mut(),
            None,
            ptr::null_mut(),
            None,
            &raw mut call,
        )
    };
    if made != sys::Status::napi_ok {
        return Err(napi::Error::new("ERR_OS", "this runtime can't make a threadsafe function"));
    }
    // SAFETY: just made; it keeps nothing alive until something is pending.
    unsafe { sys::napi_unref_threadsafe_function(raw_env, call) };
    // After the function's own hook, so that ours runs before it.
    hear_of_teardown_first(raw_env);
    let no = || AtomicBool::new(false);
    let shared = Arc::new(Shared { listener, waiting: no(), called: no(), ticked: no(), stopped: no() });
    let (running, call) = (Arc::clone(&shared), Call(call));
    let thread = std::thread::Builder::new()
        .name("crossmem".to_owned())
        .stack_size(128 << 10)
        .spawn(move || running.run(call))
        .map_err(|e| napi::Error::new("ERR_OS", format!("starting a thread: {e}")))?;
    let reactor = Reactor { shared, thread: Some(thread), call, env: raw_env };
    with(|environment| environment.reactor = Some(reactor));
    Ok(())
}

/// Says whether anything is pending, and whether the process must stay for it.
///
/// # Errors
/// `ERR_INVALID_ARG` without a reactor.
#[napi(catch_unwind)]
pub fn set_waiting(waiting: bool, keep_alive: bool) -> Result<()> {
    with(|environment| {
        let reactor = environment.reactor.as_ref().ok_or_else(|| invalid("there is no reactor"))?;
        reactor.shared.set_waiting(waiting);
        // SAFETY: the environment's own function, on the environment's own thread.
        unsafe {
            if keep_alive {
                sys::napi_ref_threadsafe_function(reactor.env, reactor.call.0);
            } else {
                sys::napi_unref_threadsafe_function(reactor.env, reactor.call.0);
            }
        }
        Ok(())
    })
    .unwrap_or(Ok(()))
}

/// What to look at now, as `4 * handle + channel`: where somebody rang, or after a tick everything that sleeps. The
/// first number is 1 after a tick, and 0 otherwise.
#[napi(catch_unwind)]
pub fn due() -> Vec<u32> {
    let due = with(|environment| {
        let ticked = environment.reactor.as_ref().is_some_and(|reactor| {
            // In this order: what rings from now on calls again.
            reactor.shared.called.store(false, SeqCst);
            reactor.shared.ticked.swap(false, SeqCst)
        });
        let mut due = vec![u32::from(ticked)];
        environment.each_sleeping(|handle, channel, still_sleeps| {
            if ticked || !still_sleeps {
                due.push(handle * CHANNELS as u32 + channel);
            }
        });
        due
    });
    due.unwrap_or_default()
}
