//! A thread as an environment's reactor, which sleeps on the agent's doorbell and calls JavaScript.
//! One is enough, however many waits are pending.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossmem_core::Listener;
use napi::sys;

use super::arguments::each_call;
use super::counts::Counts;
use super::due::{Armed, TICK};
use crate::error::Result;

/// How long the thread sleeps while JavaScript waits for nothing.
const LONG: Duration = Duration::from_secs(3600);

/// A running thread. Dropping this ends it.
pub(crate) struct Thread {
    shared: Arc<Shared>,
    running: Option<JoinHandle<()>>,
    call: Call,
    counts: Counts,
    env: sys::napi_env,
}

struct Shared {
    listener: Listener,
    /// A wait is pending in JavaScript.
    waiting: AtomicBool,
    armed: Armed,
    /// The call of JavaScript is under way.
    called: AtomicBool,
    /// A tick has passed since JavaScript was called.
    ticked: AtomicBool,
    stopped: AtomicBool,
}

/// The threadsafe function. Only the thread calls it, and that is joined before the environment
/// ends.
#[derive(Clone, Copy)]
struct Call(sys::napi_threadsafe_function);

// SAFETY: Node-API lets every thread call a threadsafe function.
unsafe impl Send for Call {}

impl Call {
    fn new(env: sys::napi_env, wake: sys::napi_value, shared: &Arc<Shared>) -> Result<Call> {
        let (mut name, mut call) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live environment and a function of it. The threadsafe function owns a share of
        // the state, until `finalize`.
        let made = unsafe {
            sys::napi_create_string_utf8(env, c"crossmem".as_ptr(), 8, &raw mut name);
            sys::napi_create_threadsafe_function(
                env,
                wake,
                ptr::null_mut(),
                name,
                0,
                1,
                ptr::null_mut(),
                Some(finalize),
                Arc::into_raw(Arc::clone(shared)).cast_mut().cast(),
                Some(call_js),
                &raw mut call,
            )
        };
        if made != sys::Status::napi_ok {
            return Err(napi::Error::new("ERR_OS", "this runtime can't make a threadsafe function"));
        }
        // SAFETY: just made. From here on it keeps no process alive until a wait is pending.
        unsafe { sys::napi_unref_threadsafe_function(env, call) };
        Ok(Call(call))
    }

    fn wake_js(self) {
        // SAFETY: the environment is alive, since it joins this thread before it ends. The call
        // never blocks. If the function's queue is full or closing, the next tick makes up for the
        // lost call.
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
        // A wait is armed before this call, so its ring may have come while no ring was heeded.
        if !self.waiting.swap(waiting, SeqCst) && waiting {
            self.listener.ring();
        }
    }
}

/// Node-API calls this on the environment's thread, for each call of the threadsafe function.
unsafe extern "C" fn call_js(env: sys::napi_env, wake: sys::napi_value, shared: *mut c_void, _: *mut c_void) {
    if env.is_null() {
        return; // The environment is ending.
    }
    // SAFETY: the share of the threadsafe function.
    let shared = unsafe { &*shared.cast::<Shared>() };
    // First of all: a ring from here on calls JavaScript again.
    shared.called.store(false, SeqCst);
    let ticked = shared.ticked.swap(false, SeqCst);
    each_call(env, ticked, &(shared.armed.due)(ticked), |arguments| {
        let (mut receiver, mut result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live environment, and values of the scope in which Node-API calls this. What
        // the function throws is an uncaught exception of the process.
        unsafe {
            sys::napi_get_undefined(env, &raw mut receiver);
            sys::napi_call_function(
                env,
                receiver,
                wake,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            );
        }
    });
}

/// The threadsafe function is gone.
unsafe extern "C" fn finalize(_: sys::napi_env, _: *mut c_void, shared: *mut c_void) {
    // SAFETY: the context that `new` gave, once.
    drop(unsafe { Arc::from_raw(shared.cast::<Shared>()) });
}

impl Thread {
    /// Starts the thread. It calls `wake` when a pending wait is to be tried.
    ///
    /// # Errors
    /// `ERR_OS`: the system gives no thread.
    pub(super) fn start(
        env: sys::napi_env,
        wake: sys::napi_value,
        listener: Listener,
        counts: Counts,
        armed: Armed,
    ) -> Result<Thread> {
        let no = || AtomicBool::new(false);
        let shared =
            Arc::new(Shared { listener, armed, waiting: no(), called: no(), ticked: no(), stopped: no() });
        let call = Call::new(env, wake, &shared)?;
        let running = Arc::clone(&shared);
        shared.listener.begin_parking();
        let thread = std::thread::Builder::new()
            .name("crossmem".to_owned())
            .stack_size(128 << 10)
            .spawn(move || running.run(call))
            .map_err(|e| napi::Error::new("ERR_OS", format!("starting a thread: {e}")))?;
        Ok(Thread { shared, running: Some(thread), call, counts, env })
    }

    /// Tells the thread whether a wait is pending; `keep_alive`: the process must not end
    /// meanwhile.
    pub(super) fn set_waiting(&self, waiting: bool, keep_alive: bool) {
        self.shared.set_waiting(waiting);
        self.counts.heeds(waiting, keep_alive);
        // SAFETY: the environment's own function, on the environment's own thread.
        unsafe {
            if keep_alive {
                sys::napi_ref_threadsafe_function(self.env, self.call.0);
            } else {
                sys::napi_unref_threadsafe_function(self.env, self.call.0);
            }
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.shared.listener.ring();
        if let Some(thread) = self.running.take() {
            let _ = thread.join();
        }
        self.shared.listener.end_parking();
    }
}
