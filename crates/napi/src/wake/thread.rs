//! One thread per environment, which sleeps on the agent's doorbell and calls JavaScript. One is
//! enough, however many waits are pending.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossmem_core::Listener;
use napi::sys;

use crate::error::Result;

/// How often JavaScript is called while it waits, even if no ring comes: a death rings no doorbell.
const TICK: Duration = Duration::from_millis(100);
/// How long the thread sleeps while JavaScript waits for nothing.
const LONG: Duration = Duration::from_secs(3600);

/// A running thread. Dropping this ends it.
pub(crate) struct Wake {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    call: Call,
    env: sys::napi_env,
}

struct Shared {
    listener: Listener,
    /// A wait is pending in JavaScript.
    waiting: AtomicBool,
    /// JavaScript was called, and has not asked yet which waits to try.
    called: AtomicBool,
    /// A tick has passed since JavaScript asked.
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
    fn new(env: sys::napi_env, wake: sys::napi_value) -> Result<Call> {
        let (mut name, mut call) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live environment and a function of it. With no callback given, Node-API calls
        // the function itself.
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

impl Wake {
    /// Starts the thread. It calls `wake`, without arguments, when a pending wait is to be tried.
    ///
    /// # Errors
    /// `ERR_OS`: the system gives no thread.
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

    /// Tells the thread whether a wait is pending; `keep_alive`: the process must not end
    /// meanwhile.
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

    /// JavaScript was called, and asks which waits to try. Returns whether a tick has passed since
    /// it last asked.
    pub(crate) fn take_tick(&self) -> bool {
        // First of all: a ring from here on calls JavaScript again.
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
