//! One thread per environment that listens to its agent's doorbell and tells JavaScript, however many waits are pending.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossmem_core::Listener;
use napi::sys;

use crate::error::Result;

/// How often waits are looked at although nobody rang: a death rings no bell.
const TICK: Duration = Duration::from_millis(100);
/// With nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);

/// A running thread. It ends when this is dropped.
pub(crate) struct Wake {
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
    fn new(env: sys::napi_env, wake: sys::napi_value) -> Result<Call> {
        let (mut name, mut call) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live environment and a function of it; without a callback of ours the function is called as it is.
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
        unsafe { sys::napi_unref_threadsafe_function(env, call) };
        Ok(Call(call))
    }

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

impl Wake {
    /// Starts the thread: `wake` is called, with nothing, when there may be something to look at.
    ///
    /// # Errors
    /// `ERR_OS` when no thread can be had.
    pub(crate) fn start(env: sys::napi_env, wake: sys::napi_value, listener: Listener) -> Result<Wake> {
        let call = Call::new(env, wake)?;
        let no = || AtomicBool::new(false);
        let shared = Arc::new(Shared { listener, waiting: no(), called: no(), ticked: no(), stopped: no() });
        let running = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("crossmem".to_owned())
            .stack_size(128 << 10)
            .spawn(move || running.run(call))
            .map_err(|e| napi::Error::new("ERR_OS", format!("starting a thread: {e}")))?;
        Ok(Wake { shared, thread: Some(thread), call, env })
    }

    /// Says whether anything is pending, and whether the process must stay for it.
    pub(crate) fn set_waiting(&self, waiting: bool, keep_alive: bool) {
        self.shared.set_waiting(waiting);
        // SAFETY: the environment's own function, on the environment's own thread.
        unsafe {
            if keep_alive {
                sys::napi_ref_threadsafe_function(self.env, self.call.0);
            } else {
                sys::napi_unref_threadsafe_function(self.env, self.call.0);
            }
        }
    }

    /// JavaScript asks what it was called for; whether a tick has passed since it asked last.
    pub(crate) fn answer(&self) -> bool {
        // In this order: what rings from now on calls again.
        self.shared.called.store(false, SeqCst);
        self.shared.ticked.swap(false, SeqCst)
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.shared.listener.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
