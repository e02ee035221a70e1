//! libuv, which runs the event loop of Node, as this process has it. An addon that links with it
//! loads in Node only, so its functions are looked for when they are needed. Its types are opaque
//! here: the library says how large a handle is.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::{c_int, c_void};
use std::sync::OnceLock;

/// A handle, or a loop.
pub(super) type Handle = *mut c_void;
pub(super) type OnHandle = unsafe extern "C" fn(Handle);
pub(super) type OnPoll = unsafe extern "C" fn(Handle, c_int, c_int);

/// `uv_handle_type`: numbers of the library's ABI (`UV_HANDLE_TYPE_MAP` in uv.h).
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Check = 2,
    Idle = 6,
    Poll = 8,
    Prepare = 9,
    Timer = 13,
}

/// `UV_READABLE`.
pub(super) const READABLE: c_int = 1;

macro_rules! functions {
    ($($field:ident = $symbol:literal: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions of the library that are used here (docs.libuv.org).
        pub(super) struct Uv {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Uv {
            fn find() -> Option<Uv> {
                let program = libloading::os::unix::Library::this();
                // SAFETY: functions of libuv 1, whose ABI keeps these signatures.
                Some(unsafe { Uv { $($field: *program.get($symbol).ok()?,)* } })
            }
        }
    };
}

functions! {
    size_of = b"uv_handle_size": fn(c_int) -> usize;
    data_of = b"uv_handle_get_data": fn(Handle) -> *const c_void;
    set_data = b"uv_handle_set_data": fn(Handle, *const c_void);
    close = b"uv_close": fn(Handle, OnHandle);
    keep_alive = b"uv_ref": fn(Handle);
    let_end = b"uv_unref": fn(Handle);
    backend_timeout = b"uv_backend_timeout": fn(Handle) -> c_int;
    poll_init = b"uv_poll_init": fn(Handle, Handle, c_int) -> c_int;
    poll_start = b"uv_poll_start": fn(Handle, c_int, OnPoll) -> c_int;
    poll_stop = b"uv_poll_stop": fn(Handle) -> c_int;
    check_init = b"uv_check_init": fn(Handle, Handle) -> c_int;
    check_start = b"uv_check_start": fn(Handle, OnHandle) -> c_int;
    check_stop = b"uv_check_stop": fn(Handle) -> c_int;
    prepare_init = b"uv_prepare_init": fn(Handle, Handle) -> c_int;
    prepare_start = b"uv_prepare_start": fn(Handle, OnHandle) -> c_int;
    prepare_stop = b"uv_prepare_stop": fn(Handle) -> c_int;
    idle_init = b"uv_idle_init": fn(Handle, Handle) -> c_int;
    idle_start = b"uv_idle_start": fn(Handle, OnHandle) -> c_int;
    idle_stop = b"uv_idle_stop": fn(Handle) -> c_int;
    timer_init = b"uv_timer_init": fn(Handle, Handle) -> c_int;
    timer_start = b"uv_timer_start": fn(Handle, OnHandle, u64, u64) -> c_int;
    timer_stop = b"uv_timer_stop": fn(Handle) -> c_int;
}

impl Uv {
    /// The library of this process; `None` if there is none.
    pub(super) fn of_process() -> Option<&'static Uv> {
        static UV: OnceLock<Option<Uv>> = OnceLock::new();
        UV.get_or_init(Uv::find).as_ref()
    }

    fn layout(&self, kind: Kind) -> Layout {
        // SAFETY: any number is fine.
        let size = unsafe { (self.size_of)(kind as c_int) };
        Layout::from_size_align(size.max(1), 16).expect("a handle is a few hundred bytes")
    }

    /// Memory for a handle.
    pub(super) fn allocate(&self, kind: Kind) -> Handle {
        let layout = self.layout(kind);
        // SAFETY: the size isn't 0.
        let handle = unsafe { alloc_zeroed(layout) };
        if handle.is_null() {
            std::alloc::handle_alloc_error(layout);
        }
        handle.cast()
    }

    /// # Safety
    /// `handle` is of `allocate` with this kind, and closed or never initialised.
    pub(super) unsafe fn free(&self, handle: Handle, kind: Kind) {
        // SAFETY: as the caller promises.
        unsafe { dealloc(handle.cast(), self.layout(kind)) };
    }
}
