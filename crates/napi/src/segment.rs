//! Segments as handles, and their bytes as one external `ArrayBuffer` each.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossmem_core::{Code, Kind, Mapped, Part, Segment, Spec, unlink_name};
use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi::{JsValue, sys};
use napi_derive::napi;

use crate::environment::{self, hear_of_teardown_first, is_torn_down, with_agent, with_open};
use crate::error::{Result, closed, invalid, js};

/// What to create; offsets and lengths in bytes.
#[napi(object)]
pub struct NewSegment {
    /// `undefined`: a random name.
    pub name: Option<String>,
    /// Name of the class.
    pub kind: String,
    /// Of the whole segment.
    pub byte_length: f64,
    /// Outlives all agents.
    pub persist: bool,
    /// First bytes.
    pub header: Option<Uint8Array>,
    /// Bytes that follow the header…
    pub contents: Option<Uint8Array>,
    /// …repeated to this length.
    pub contents_length: Option<f64>,
    /// Where the trailer goes.
    pub guard_offset: Option<f64>,
}

/// An open segment.
#[napi(object)]
pub struct OpenSegment {
    /// For the other functions here.
    pub handle: u32,
    /// Its name.
    pub name: String,
    /// Name of its class.
    pub kind: String,
    /// Of the whole segment.
    pub byte_length: f64,
    /// Outlives all agents.
    pub persist: bool,
    /// Another program made it.
    pub foreign: bool,
}

/// Creates an object and opens it.
///
/// # Errors
/// As `Segment::create`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn create_segment(wanted: NewSegment) -> Result<OpenSegment> {
    let header = wanted.header.as_deref().unwrap_or_default();
    let contents = wanted.contents.as_deref().unwrap_or_default();
    let parts = [
        Part { offset: 0, bytes: header, len: header.len() as u64 },
        Part {
            offset: header.len() as u64,
            bytes: contents,
            len: bytes(wanted.contents_length.unwrap_or(0.0))?,
        },
    ];
    let spec = Spec {
        name: wanted.name.as_deref(),
        kind: kind(&wanted.kind)?,
        size: bytes(wanted.byte_length)?,
        persist: wanted.persist,
        parts: &parts,
        guard: wanted.guard_offset.map(bytes).transpose()?,
    };
    with_agent(|agent| Segment::create(agent, &spec)).and_then(opened)
}

/// Opens an object; `kind` undefined: of any kind.
///
/// # Errors
/// As `Segment::open`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn open_segment(name: String, wanted: Option<String>) -> Result<OpenSegment> {
    let wanted = wanted.as_deref().map(kind).transpose()?;
    with_agent(|agent| Segment::open(agent, &name, wanted)).and_then(opened)
}

/// Closes the handle. `buffer`, if one was made, is detached: its views become empty. The bytes are unmapped
/// when the runtime says that nothing can reach them.
///
/// # Errors
/// None; closing what is closed does nothing.
#[napi(catch_unwind)]
pub fn close_segment(env: napi::Env, handle: u32, buffer: Option<Unknown<'_>>) -> Result<()> {
    if let Some(buffer) = buffer {
        detach(env.raw(), buffer.raw(), handle);
    }
    environment::with(|environment| environment.close(handle));
    Ok(())
}

/// The handle was collected: whoever still has the buffer keeps the segment open.
#[napi(catch_unwind)]
pub fn forget_segment(handle: u32) {
    environment::with(|environment| match environment.get(handle) {
        Some(open) if open.buffer.is_some() => open.handle_is_gone = true,
        _ => environment.close(handle),
    });
}

/// Removes the object's name.
///
/// # Errors
/// As `Segment::unlink`.
#[napi(catch_unwind)]
pub fn unlink_segment(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| open.segment.unlink(agent).map_err(js))
}

/// Removes whatever has that name; whether anything had.
///
/// # Errors
/// As `unlink_name`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn unlink_by_name(name: String) -> Result<bool> {
    with_agent(|agent| unlink_name(agent, &name))
}

/// The segment's bytes as a new `ArrayBuffer`. Call it once per handle: V8 wants one per address.
///
/// # Errors
/// `ERR_CLOSED`, `ERR_NO_EXTERNAL_BUFFERS` where the runtime has none (Electron).
#[napi(catch_unwind)]
pub fn segment_buffer(env: napi::Env, handle: u32) -> Result<Unknown<'static>> {
    let (address, len, lease) = with_open(handle, |_, open| {
        if open.buffer.is_some() {
            return Err(invalid("this handle's buffer was made already"));
        }
        let detached = Arc::clone(open.buffer.insert(Arc::default()));
        let region = open.segment.region();
        let lease = Lease { handle, mapped: open.segment.keep_mapped(), detached };
        Ok((region.as_ptr(), region.len(), lease))
    })?;
    let lease = Box::into_raw(Box::new(lease));
    let mut buffer = ptr::null_mut();
    // SAFETY: the bytes stay mapped until `end_lease`, which gets the lease exactly once.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(
            env.raw(),
            address.cast(),
            len,
            Some(end_lease),
            lease.cast(),
            &raw mut buffer,
        )
    };
    if status != sys::Status::napi_ok {
        // SAFETY: the runtime didn't take it.
        drop(unsafe { Box::from_raw(lease) });
        environment::with(|environment| environment.get(handle).map(|open| open.buffer = None));
        return Err(napi::Error::new(
            "ERR_NO_EXTERNAL_BUFFERS",
            "this runtime refuses external ArrayBuffers (Electron, or V8's memory sandbox): crossmem can't show shared \
             memory here",
        ));
    }
    hear_of_teardown_first(env.raw());
    // SAFETY: just made in this environment.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), buffer) })
}

/// What an `ArrayBuffer` has of a segment.
struct Lease {
    handle: u32,
    mapped: Mapped,
    /// `close` detached the buffer, so no memory of it is anywhere else.
    detached: Arc<AtomicBool>,
}

/// Detaches the buffer, unless it is already: then `transfer()` took the memory to where we can't reach it.
fn detach(env: sys::napi_env, buffer: sys::napi_value, handle: u32) {
    let lease = environment::with(|environment| environment.get(handle)?.buffer.clone()).flatten();
    let mut gone = true;
    // SAFETY: a live environment and a value of it; no lock or borrow is held, since some runtimes run the
    // finalizer in here.
    unsafe {
        sys::napi_is_detached_arraybuffer(env, buffer, &raw mut gone);
        if gone {
            return;
        }
        if let Some(detached) = lease {
            detached.store(true, Ordering::Relaxed);
        }
        sys::napi_detach_arraybuffer(env, buffer);
    }
}

/// The runtime lets go of a buffer: because nothing reaches its memory, or because the environment ends.
unsafe extern "C" fn end_lease(_: sys::napi_env, _: *mut c_void, lease: *mut c_void) {
    // SAFETY: made by `segment_buffer`, given back once.
    let Lease { handle, mapped, detached } = *unsafe { Box::from_raw(lease.cast::<Lease>()) };
    if is_torn_down() && !detached.load(Ordering::Relaxed) {
        mapped.neutralise();
    } else {
        drop(mapped);
    }
    environment::with(|environment| {
        let Some(open) = environment.get(handle) else { return };
        open.buffer = None;
        if open.handle_is_gone {
            environment.close(handle);
        }
    });
}

fn opened(segment: Segment) -> Result<OpenSegment> {
    let mut open = OpenSegment {
        handle: 0,
        name: segment.name.clone(),
        kind: segment.kind.as_str().to_owned(),
        byte_length: segment.region().len() as f64,
        persist: segment.persist,
        foreign: segment.is_foreign(),
    };
    open.handle = environment::with(|environment| environment.insert(segment)).ok_or_else(closed)?;
    Ok(open)
}

fn kind(name: &str) -> Result<Kind> {
    Kind::parse(name).ok_or_else(|| {
        napi::Error::new(Code::Unsupported.as_str(), format!("this crossmem has no class {name}; update it"))
    })
}

fn bytes(number: f64) -> Result<u64> {
    if number >= 0.0 && number <= 9_007_199_254_740_991.0 && number.fract() == 0.0 {
        Ok(number as u64)
    } else {
        Err(invalid("sizes and offsets are whole numbers from 0 to 2^53 - 1"))
    }
}
