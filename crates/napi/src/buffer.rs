//! A segment's bytes as one external `ArrayBuffer`, and the lease that keeps them mapped for it.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use crossmem_core::Mapped;
use napi::bindgen_prelude::Unknown;
use napi::sys;
use napi_derive::napi;

use crate::environment::{self, hear_of_teardown_first, is_torn_down, with_open};
use crate::error::{Result, invalid};

/// Makes an `ArrayBuffer` of the segment's bytes: one per handle, since V8 allows one per address.
///
/// # Errors
/// `ERR_CLOSED`, `ERR_INVALID_ARG` (the handle has its buffer), `ERR_NO_EXTERNAL_BUFFERS`
/// (Electron).
#[napi(catch_unwind)]
pub fn segment_buffer(env: napi::Env, handle: u32) -> Result<Unknown<'static>> {
    let (address, len, lease) = with_open(handle, |_, open| {
        if std::mem::replace(&mut open.has_buffer, true) {
            return Err(invalid("this handle's buffer was made already"));
        }
        let region = open.segment.region();
        Ok((
            region.as_ptr(),
            region.len(),
            Arc::new(Lease { handle, mapped: Some(open.segment.keep_mapped()) }),
        ))
    })?;
    let env = env.raw();
    let mut buffer = ptr::null_mut();
    let hint = lease_hint(&lease);
    // SAFETY: the bytes stay mapped until `end_lease` has been called for this hint and for the one
    // below.
    let made = unsafe {
        sys::napi_create_external_arraybuffer(
            env,
            address.cast(),
            len,
            Some(end_lease),
            hint,
            &raw mut buffer,
        )
    };
    if made != sys::Status::napi_ok {
        if made == sys::Status::napi_no_external_buffers_allowed {
            // SAFETY: the runtime refused before it took the hint. After other failures it may
            // still call `end_lease`.
            unsafe { end_lease(env, ptr::null_mut(), hint) };
        }
        return Err(napi::Error::new(
            "ERR_NO_EXTERNAL_BUFFERS",
            "this runtime can't show shared memory (Electron, or V8's memory sandbox): use read(), write() and the calls that \
             need no view",
        ));
    }
    // Detaching the buffer ends the lease of its memory. A write or a compression that is under way
    // on another thread keeps only the `ArrayBuffer` object alive, so the object has a share in the
    // lease as well.
    // SAFETY: a live environment and an object of it; `end_lease` gives the hint back.
    unsafe {
        sys::napi_add_finalizer(
            env,
            buffer,
            lease_hint(&lease),
            Some(end_lease_of_object),
            ptr::null_mut(),
            ptr::null_mut(),
        );
    }
    hear_of_teardown_first(env);
    // SAFETY: just made in this environment.
    Ok(unsafe { Unknown::from_raw_unchecked(env, buffer) })
}

/// A runtime's right to a segment's bytes. The `ArrayBuffer` object and the memory under it share
/// the lease: they part when the buffer is detached or transferred.
struct Lease {
    handle: u32,
    mapped: Option<Mapped>,
}

fn lease_hint(lease: &Arc<Lease>) -> *mut c_void {
    Arc::into_raw(Arc::clone(lease)).cast_mut().cast()
}

/// Detaches the buffer. Returns `false` if it was detached before: `transfer()` moved the memory to
/// a buffer that isn't known here. The caller holds no borrow of the environment, since some
/// runtimes run finalizers at once.
pub(crate) fn detach(env: sys::napi_env, buffer: sys::napi_value) -> bool {
    let mut gone = true;
    // SAFETY: a live environment and a value of it.
    unsafe {
        sys::napi_is_detached_arraybuffer(env, buffer, &raw mut gone);
        !gone && sys::napi_detach_arraybuffer(env, buffer) == sys::Status::napi_ok
    }
}

/// The runtime gives the memory back: no code can reach it any more, or the environment ends.
unsafe extern "C" fn end_lease(_: sys::napi_env, _: *mut c_void, lease: *mut c_void) {
    // SAFETY: made by `lease_hint`, given back once.
    drop(unsafe { Arc::from_raw(lease.cast::<Lease>()) });
}

/// The runtime has collected the `ArrayBuffer` object.
unsafe extern "C" fn end_lease_of_object(env: sys::napi_env, lease: *mut c_void, _: *mut c_void) {
    // SAFETY: as in `end_lease`.
    unsafe { end_lease(env, ptr::null_mut(), lease) };
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mapped = self.mapped.take();
        if is_torn_down() {
            // The memory may have been transferred to another thread: its addresses stay valid.
            if let Some(mapped) = &mapped {
                mapped.release_pages();
            }
            std::mem::forget(mapped);
        }
        environment::with(|environment| {
            let Some(open) = environment.get(self.handle) else { return };
            open.has_buffer = false;
            if open.closes_with_buffer {
                environment.close(self.handle);
            } else if open.handle_is_gone {
                environment.forget(self.handle);
            }
        });
    }
}
