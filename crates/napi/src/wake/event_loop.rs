//! The event loop of an environment as its reactor: the loop polls the agent's FIFO, and looks at
//! the agent's doorbell before it sleeps and after.
//!
//! In each turn, libuv calls `on_prepare` right before it sleeps and `on_check` right after. While
//! the loop doesn't sleep, a ring only changes the doorbell, at which both look. Before the loop
//! sleeps, `on_prepare` says so in the doorbell, and from then on a ring writes to the FIFO.
//!
//! While nothing changes, the loop ticks seldom, since agents with news ring; it polls what tells
//! that an agent may have ended, or relies on others that do.
//!
//! libuv keeps a handle until its loop calls back that it is closed, which is after this is
//! dropped. So the handles share their state, and the last one to close frees it. An asynchronous
//! clean-up hook makes an environment that ends wait for that.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crossmem_core::{Look, LoopBell, Pace, Seen};
use napi::sys;

use super::counts::Counts;
use super::due::{Armed, Survey};
use super::function::Function;
use super::uv::{Handle, Kind, READABLE, Uv};

/// The loop serves so long what rings before it turns, then it looks at all else that it polls.
const TURN: Duration = Duration::from_micros(50);

/// An environment whose event loop listens. Dropping this ends it.
pub(crate) struct EventLoop(Rc<State>);

struct State {
    uv: &'static Uv,
    /// The loop of the environment.
    of_env: Handle,
    counts: Counts,
    armed: Armed,
    /// A poll, a prepare, a check, an idle and a timer handle.
    handles: [(Handle, Kind); 5],
    /// A second poll handle: for what tells that an agent may have ended.
    endings: Cell<Option<Handle>>,
    /// Handles that libuv has, and that aren't closed yet.
    open: Cell<usize>,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    look: RefCell<Look>,
    heard: Cell<u32>,
    is_waiting: Cell<bool>,
    is_kept: Cell<bool>,
    pace: Cell<Pace>,
    /// At the last tick.
    survey: Cell<Option<Survey>>,
    /// The loop doesn't sleep in this turn.
    is_hurried: Cell<bool>,
    sleeps: Cell<bool>,
    /// Gone once this is closed.
    listening: RefCell<Option<Rc<Listening>>>,
}

struct Listening {
    bell: Rc<LoopBell>,
    wake: Function,
}

impl EventLoop {
    /// `None`: this runtime has no such loop.
    pub(super) fn start(
        env: sys::napi_env,
        wake: sys::napi_value,
        bell: LoopBell,
        uv: &'static Uv,
        counts: Counts,
        armed: Armed,
    ) -> Option<EventLoop> {
        let mut of_env = ptr::null_mut();
        // SAFETY: a live environment.
        if unsafe { sys::napi_get_uv_event_loop(env, &raw mut of_env) } != sys::Status::napi_ok {
            return None;
        }
        let (of_env, descriptors) = (of_env.cast(), (bell.descriptor(), bell.endings()));
        let wake = Function::of(env, wake)?;
        let kinds = [Kind::Poll, Kind::Prepare, Kind::Check, Kind::Idle, Kind::Timer];
        let state = Rc::new(State {
            uv,
            of_env,
            counts,
            armed,
            handles: kinds.map(|kind| (uv.allocate(kind), kind)),
            endings: Cell::new(None),
            open: Cell::new(0),
            hook: Cell::new(ptr::null_mut()),
            look: RefCell::default(),
            heard: Cell::new(bell.heard()),
            is_waiting: Cell::new(false),
            is_kept: Cell::new(false),
            pace: Cell::default(),
            survey: Cell::new(None),
            is_hurried: Cell::new(false),
            sleeps: Cell::new(false),
            listening: RefCell::new(Some(Rc::new(Listening { bell: Rc::new(bell), wake }))),
        });
        state.open_handles(descriptors).then(|| {
            let running = EventLoop(state);
            running.0.hear_of_the_end(env);
            running
        })
    }

    pub(super) fn set_waiting(&self, waiting: bool, keep_alive: bool) {
        self.0.set_waiting(waiting, keep_alive);
    }

    /// Ends it while the process exits: the loop never turns again.
    pub(super) fn abandon(self) {
        if let Some(listening) = self.0.listening.take() {
            listening.bell.remove();
            std::mem::forget(listening);
        }
        std::mem::forget(self);
    }

    /// Calls this function from now on. The bell stays: other agents have its FIFO open.
    pub(super) fn call_instead(&self, env: sys::napi_env, wake: sys::napi_value) {
        let mut listening = self.0.listening.borrow_mut();
        if let (Some(now), Some(wake)) = (listening.as_mut(), Function::of(env, wake)) {
            *now = Rc::new(Listening { bell: Rc::clone(&now.bell), wake });
        }
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl State {
    /// Gives libuv the handles. None keeps the process alive.
    fn open_handles(self: &Rc<State>, (descriptor, endings): (c_int, Option<c_int>)) -> bool {
        let [(poll, _), (prepare, _), (check, _), (idle, _), (timer, _)] = self.handles;
        let (uv, of_env) = (self.uv, self.of_env);
        // SAFETY: the loop of this thread's environment, and memory of the size that libuv states.
        let opened = unsafe {
            (uv.poll_init)(of_env, poll, descriptor) == 0 && {
                // These four can't fail.
                (uv.prepare_init)(of_env, prepare);
                (uv.check_init)(of_env, check);
                (uv.idle_init)(of_env, idle);
                (uv.timer_init)(of_env, timer);
                true
            }
        };
        if !opened {
            for (handle, kind) in self.handles {
                // SAFETY: libuv has none of them.
                unsafe { uv.free(handle, kind) };
            }
            return false;
        }
        if let Some(endings) = endings {
            let handle = uv.allocate(Kind::Poll);
            // SAFETY: as above.
            unsafe {
                if (uv.poll_init)(of_env, handle, endings) == 0 {
                    self.endings.set(Some(handle));
                } else {
                    uv.free(handle, Kind::Poll);
                }
            }
        }
        self.open.set(self.all_handles().count());
        for (handle, _) in self.all_handles() {
            // SAFETY: initialised; each owns a share of the state, until `on_closed`.
            unsafe {
                (uv.set_data)(handle, Rc::into_raw(Rc::clone(self)).cast());
                (uv.let_end)(handle);
            }
        }
        true
    }

    fn all_handles(&self) -> impl Iterator<Item = (Handle, Kind)> {
        self.handles.into_iter().chain(self.endings.get().map(|handle| (handle, Kind::Poll)))
    }

    /// An environment that ends waits until its handles are closed.
    fn hear_of_the_end(self: &Rc<State>, env: sys::napi_env) {
        let mut hook = ptr::null_mut();
        // SAFETY: a live environment. The state outlives the hook: the last handle to close removes
        // it.
        unsafe {
            sys::napi_add_async_cleanup_hook(
                env,
                Some(on_end),
                Rc::as_ptr(self).cast_mut().cast(),
                &raw mut hook,
            );
        }
        self.hook.set(hook);
    }

    fn set_waiting(&self, waiting: bool, keep_alive: bool) {
        let Some(listening) = self.listening.borrow().clone() else { return };
        let uv = self.uv;
        let [(poll, _), (prepare, _), (check, _), _, (timer, _)] = self.handles;
        // SAFETY: open handles, on their loop's thread.
        unsafe {
            if waiting && !self.is_waiting.replace(true) {
                (uv.poll_start)(poll, READABLE, on_readable);
                (uv.prepare_start)(prepare, on_prepare);
                (uv.check_start)(check, on_check);
                if let Some(endings) = self.endings.get() {
                    (uv.poll_start)(endings, READABLE, on_endings);
                }
                listening.bell.set_polling_endings(self.endings.get().is_some());
                self.pace.take();
                self.survey.take();
                self.start_timer();
            }
            if !waiting && self.is_waiting.replace(false) {
                (uv.prepare_stop)(prepare);
                (uv.check_stop)(check);
                (uv.timer_stop)(timer);
                if let Some(endings) = self.endings.get() {
                    (uv.poll_stop)(endings);
                }
                listening.bell.set_polling_endings(false);
                listening.bell.stir();
                self.hurry(false);
                self.awaken(&listening);
            }
        }
        self.keep_alive(keep_alive);
        self.counts.heeds(waiting, keep_alive);
    }

    /// The next tick comes when `pace` says, and so do those after it.
    fn start_timer(&self) {
        let [.., (timer, _)] = self.handles;
        let time = self.pace.get().period().as_millis() as u64;
        // SAFETY: an open handle, on its loop's thread.
        unsafe { (self.uv.timer_start)(timer, on_tick, time, time) };
    }

    /// Ticks at that pace from now on.
    fn set_pace(&self, pace: Pace) {
        if self.pace.replace(pace).period() != pace.period() {
            self.start_timer();
        }
    }

    /// Keeps the loop from ending, or lets it.
    fn keep_alive(&self, kept: bool) {
        self.is_kept.set(kept);
        let [(poll, _), ..] = self.handles;
        // SAFETY: an open handle, on its loop's thread.
        unsafe {
            if kept {
                (self.uv.keep_alive)(poll);
            } else {
                (self.uv.let_end)(poll);
            }
        }
    }

    /// Keeps the loop from sleeping in this turn, or lets it.
    fn hurry(&self, hurried: bool) {
        if self.is_hurried.replace(hurried) == hurried {
            return;
        }
        let [_, _, _, (idle, _), _] = self.handles;
        // SAFETY: an open handle, on its loop's thread. libuv doesn't sleep while a handle is idle.
        unsafe {
            if hurried {
                (self.uv.idle_start)(idle, on_idle);
            } else {
                (self.uv.idle_stop)(idle);
            }
        }
    }

    fn awaken(&self, listening: &Listening) {
        if self.sleeps.replace(false) {
            listening.bell.wake_up();
        }
    }

    /// The loop is about to sleep.
    fn before_sleep(&self) {
        let began = Instant::now();
        self.hurry(false);
        loop {
            let Some(listening) = self.listening.borrow().clone() else { return };
            let bell = &listening.bell;
            let heard = self.heard.get();
            if bell.heard() != heard && began.elapsed() < TURN {
                self.serve(&listening, false);
                continue;
            }
            if !self.is_waiting.get() {
                return;
            }
            if self.pace.get().is_calm() && self.has_other_waits() {
                bell.stir();
                self.set_pace(Pace::default());
            }
            if self.is_kept.get() && !self.counts.any_kept() {
                self.keep_alive(false);
                self.counts.heeds(true, false);
            }
            // SAFETY: the loop of this thread's environment.
            let has_more_to_do = unsafe { (self.uv.backend_timeout)(self.of_env) } == 0;
            if has_more_to_do || bell.heard() != heard {
                return self.hurry(true);
            }
            if !self.look.borrow_mut().goes_on(Instant::now()) {
                self.sleeps.set(bell.fall_asleep(heard));
                return self.hurry(!self.sleeps.get());
            }
            if !bell.glance(heard) {
                return self.hurry(true);
            }
        }
    }

    /// Whether waits began or ended since the last tick.
    fn has_other_waits(&self) -> bool {
        self.survey.get().is_none_or(|survey| survey.armed != self.counts.listeners())
    }

    /// The loop has slept, or was kept from it.
    fn after_sleep(&self) {
        let Some(listening) = self.listening.borrow().clone() else { return };
        self.awaken(&listening);
        if listening.bell.heard() != self.heard.get() {
            self.serve(&listening, false);
        }
    }

    fn tick(&self) {
        let Some(listening) = self.listening.borrow().clone() else { return };
        self.awaken(&listening);
        let bell = &listening.bell;
        // It should have woken the loop: where it was lost, more will be.
        let is_late = bell.heard() != self.heard.get();
        let survey = (self.armed.survey)();
        let has_changed = self.survey.replace(Some(survey)) != Some(survey);
        let has_news = self.has_news(bell);
        let mut pace = self.pace.get();
        let was_calm = pace.is_calm();
        // A call of JavaScript out of the blue takes much longer than a survey of many waits.
        let calls = pace.tick(Seen {
            changed: has_changed || has_news || is_late,
            // Waits for something that this environment has itself, and for names, aren't armed.
            is_idle: survey.woken == 0 && survey.armed == self.counts.listeners(),
            is_told: self.endings.get().is_some() || (self.armed.is_told_of_endings)(),
        });
        // Not while it is calm: news may have come a moment ago.
        match (was_calm, pace.is_calm()) {
            (false, true) => bell.calm_down(),
            (true, false) => bell.stir(),
            _ => {}
        }
        self.set_pace(pace);
        if calls {
            self.serve(&listening, true);
        }
    }

    /// An agent may have ended.
    fn on_endings(&self) {
        let Some(listening) = self.listening.borrow().clone() else { return };
        self.awaken(&listening);
        listening.bell.drain_endings();
        (self.armed.tell_of_endings)();
        listening.bell.stir();
        if self.has_news(&listening.bell) {
            self.serve(&listening, true);
        }
    }

    /// Whether there was news while the loop was calm. From then on it isn't.
    fn has_news(&self, bell: &LoopBell) -> bool {
        let has_news = self.pace.get().is_calm() && !bell.is_calm();
        if has_news {
            self.set_pace(Pace::default());
        }
        has_news
    }

    fn serve(&self, listening: &Listening, ticked: bool) {
        let ticked = self.has_news(&listening.bell) || ticked;
        // Before the attempts: they may miss what a later ring tells of.
        let before = self.heard.replace(listening.bell.heard());
        if before != self.heard.get() {
            self.look.borrow_mut().heard(Instant::now());
        }
        listening.wake.call(ticked, &(self.armed.due)(ticked));
    }

    /// Begins to close all handles, once.
    fn close(&self) {
        let Some(listening) = self.listening.take() else { return };
        self.awaken(&listening);
        for (handle, _) in self.all_handles() {
            // SAFETY: an open handle, on its loop's thread. Closing stops it.
            unsafe { (self.uv.close)(handle, on_closed) };
        }
        // The descriptor that is polled: libuv polls it no more.
        drop(listening);
    }
}

/// The state that a handle shares.
///
/// # Safety
/// An open handle of `open_handles`.
unsafe fn state_of(handle: Handle) -> Rc<State> {
    // SAFETY: as the caller promises; the data of a handle is set once, right after it is opened.
    unsafe {
        let uv = Uv::of_process().expect("it gave the handle");
        let state: *const State = (uv.data_of)(handle).cast();
        Rc::increment_strong_count(state);
        Rc::from_raw(state)
    }
}

unsafe extern "C" fn on_readable(poll: Handle, _: c_int, _: c_int) {
    // SAFETY: libuv calls this with an open handle.
    let state = unsafe { state_of(poll) };
    if let Some(listening) = &*state.listening.borrow() {
        listening.bell.drain();
    }
}

unsafe extern "C" fn on_endings(poll: Handle, _: c_int, _: c_int) {
    // SAFETY: libuv calls this with an open handle.
    unsafe { state_of(poll) }.on_endings();
}

unsafe extern "C" fn on_prepare(prepare: Handle) {
    // SAFETY: libuv calls this with an open handle.
    unsafe { state_of(prepare) }.before_sleep();
}

unsafe extern "C" fn on_check(check: Handle) {
    // SAFETY: libuv calls this with an open handle.
    unsafe { state_of(check) }.after_sleep();
}

unsafe extern "C" fn on_tick(timer: Handle) {
    // SAFETY: libuv calls this with an open handle.
    unsafe { state_of(timer) }.tick();
}

unsafe extern "C" fn on_idle(_: Handle) {}

unsafe extern "C" fn on_closed(handle: Handle) {
    let uv = Uv::of_process().expect("it gave the handle");
    // SAFETY: libuv has closed it, and calls this once: its share of the state ends here.
    let state = unsafe { Rc::from_raw((uv.data_of)(handle).cast::<State>()) };
    if let Some((_, kind)) = state.all_handles().find(|(known, _)| *known == handle) {
        // SAFETY: closed.
        unsafe { uv.free(handle, kind) };
    }
    state.open.set(state.open.get() - 1);
    let hook = state.hook.get();
    if state.open.get() == 0 && !hook.is_null() {
        // SAFETY: of `hear_of_the_end`, removed once.
        unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    }
}

/// The environment ends.
unsafe extern "C" fn on_end(hook: sys::napi_async_cleanup_hook_handle, state: *mut c_void) {
    // SAFETY: the state lives until its last handle has removed this hook.
    let state = unsafe { &*state.cast::<State>() };
    state.hook.set(hook);
    state.close();
}
