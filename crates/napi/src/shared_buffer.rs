//! A segment's bytes as a `SharedArrayBuffer`, which worker threads take without a copy.
//!
//! It has a mapping of its own, since no call detaches a `SharedArrayBuffer`: it outlives the
//! handle, and the environment that made it. The runtime counts its users in all threads. It calls
//! the finalizer once, when no thread has the buffer any more, on any thread, also after the
//! environment has ended. The finalizer only unmaps: it needs neither JavaScript nor a thread's
//! variables. The addon's image stays loaded until then, since it is linked with `nodelete`.
//! Nothing else unmaps or replaces these pages, so each address stays valid while code can reach
//! it.

use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

use crossmem_core::{Code, Mapped};
use napi::bindgen_prelude::Unknown;
use napi::sys;
use napi_derive::napi;

use crate::environment::with_open;
use crate::error::{Result, js};

/// `node_api_create_external_sharedarraybuffer`, which only newer runtimes have: env, address,
/// length, finalizer, its hint, result.
type Create = unsafe extern "C" fn(
    sys::napi_env,
    *mut c_void,
    usize,
    unsafe extern "C" fn(*mut c_void, *mut c_void),
    *mut c_void,
    *mut sys::napi_value,
) -> sys::napi_status;

/// Makes a `SharedArrayBuffer` of the segment's bytes.
///
/// # Errors
/// `ERR_CLOSED`, `ERR_LIMIT` (mappings), `ERR_UNSUPPORTED` (the runtime can't; not on Linux),
/// `ERR_NO_EXTERNAL_BUFFERS`.
#[napi(catch_unwind)]
pub fn segment_shared_buffer(env: napi::Env, handle: u32) -> Result<Unknown<'static>> {
    let create = creator().ok_or_else(|| {
        napi::Error::new(
            Code::Unsupported.as_str(),
            "this runtime makes no SharedArrayBuffer of shared memory: take Node 22.23.3, 24.16 or 26.1 and later, or open \
             the object in the worker thread itself",
        )
    })?;
    let mapped = with_open(handle, |_, open| open.segment.map_again().map_err(js))?;
    let (address, len) = (mapped.region().as_ptr(), mapped.region().len());
    let hint: *mut c_void = Box::into_raw(Box::new(mapped)).cast();
    let (env, mut buffer) = (env.raw(), ptr::null_mut());
    // SAFETY: a live environment; the bytes stay mapped until `unmap` is called with this hint.
    let made = unsafe { create(env, address.cast(), len, unmap, hint, &raw mut buffer) };
    if made == sys::Status::napi_ok {
        // SAFETY: just made in this environment.
        return Ok(unsafe { Unknown::from_raw_unchecked(env, buffer) });
    }
    if made == sys::Status::napi_no_external_buffers_allowed {
        // SAFETY: the runtime refused before it took the hint. After other failures it may still
        // call `unmap`.
        unsafe { unmap(ptr::null_mut(), hint) };
    }
    Err(napi::Error::new(
        "ERR_NO_EXTERNAL_BUFFERS",
        "this runtime refuses external SharedArrayBuffers: open the object in the worker thread itself",
    ))
}

/// The runtime's function, if it has it. Its name tells more than a version: Bun and Deno have
/// versions of their own.
fn creator() -> Option<Create> {
    static FOUND: OnceLock<Option<Create>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        #[cfg(unix)]
        let program = libloading::os::unix::Library::this();
        #[cfg(windows)]
        let program = libloading::os::windows::Library::this().ok()?;
        // SAFETY: the runtime exports the function of that name with this signature.
        unsafe { program.get::<Create>(b"node_api_create_external_sharedarraybuffer\0") }
            .ok()
            .map(|function| *function)
    })
}

/// No thread has the `SharedArrayBuffer` any more.
unsafe extern "C" fn unmap(_: *mut c_void, mapped: *mut c_void) {
    // SAFETY: made by `segment_shared_buffer`, given back once.
    drop(unsafe { Box::from_raw(mapped.cast::<Mapped>()) });
}
