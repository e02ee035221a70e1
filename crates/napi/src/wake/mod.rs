//! How JavaScript hears that the doorbell of its agent rang: by the event loop of its thread, which
//! polls the agent's FIFO, or where there is no such loop by a thread that sleeps on the doorbell.

mod arguments;
mod counts;
mod due;
#[cfg(unix)]
mod event_loop;
#[cfg(unix)]
mod function;
mod thread;
#[cfg(unix)]
mod uv;

use crossmem_core::{Listener, LoopBell};
use napi::sys;

pub(crate) use self::counts::Counts;
pub(crate) use self::due::{Armed, Survey};
#[cfg(unix)]
use self::event_loop::EventLoop;
use self::thread::Thread;
use crate::error::Result;

/// What calls JavaScript while a wait is pending. Dropping this ends it.
pub(crate) enum Wake {
    #[cfg(unix)]
    Loop(EventLoop),
    Thread(Thread),
}

impl Wake {
    /// Calls `wake(ticked, ...due)` from now on when pending waits are to be tried. `bell` is given
    /// if an event loop of libuv runs this environment, and sleeps in `uv_run` only.
    ///
    /// # Errors
    /// `ERR_OS`: the system gives no thread.
    pub(crate) fn start(
        env: sys::napi_env,
        wake: sys::napi_value,
        bell: Option<LoopBell>,
        listener: Listener,
        counts: Counts,
        armed: Armed,
    ) -> Result<Wake> {
        #[cfg(unix)]
        if let Some(bell) = bell
            && let Some(uv) = uv::Uv::of_process()
            && let Some(running) = EventLoop::start(env, wake, bell, uv, counts, armed)
        {
            return Ok(Wake::Loop(running));
        }
        #[cfg(not(unix))]
        drop(bell);
        Ok(Wake::Thread(Thread::start(env, wake, listener, counts, armed)?))
    }

    /// Calls this function from now on, if it can, and has no pending wait. `None`: it has ended.
    pub(crate) fn call_instead(self, env: sys::napi_env, wake: sys::napi_value) -> Option<Wake> {
        // A wait of the copy that started it may have kept the process alive by it.
        self.set_waiting(false, false);
        #[cfg(unix)]
        if let Wake::Loop(running) = &self {
            running.call_instead(env, wake);
            return Some(self);
        }
        None
    }

    /// Whether it hears from the counts that no wait keeps the process alive any more, without a
    /// call of `set_waiting`.
    pub(crate) fn reads_counts(&self) -> bool {
        match self {
            #[cfg(unix)]
            Wake::Loop(_) => true,
            Wake::Thread(_) => false,
        }
    }

    /// Ends it while the process exits: nothing of Node-API or of libuv is called.
    pub(crate) fn abandon(self) {
        match self {
            #[cfg(unix)]
            Wake::Loop(running) => running.abandon(),
            Wake::Thread(running) => drop(running),
        }
    }

    /// Says whether a wait is pending; `keep_alive`: the process must not end meanwhile.
    pub(crate) fn set_waiting(&self, waiting: bool, keep_alive: bool) {
        match self {
            #[cfg(unix)]
            Wake::Loop(running) => running.set_waiting(waiting, keep_alive),
            Wake::Thread(running) => running.set_waiting(waiting, keep_alive),
        }
    }
}
