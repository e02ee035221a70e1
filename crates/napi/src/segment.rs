//! Segments as handles, and their bytes as one external `ArrayBuffer` each.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use crossmem_core::{Code, Kind, Mapped, PARAMS, Part, Segment, Spec, unlink_name};
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
    /// What an object that is more than bytes is made with; then `byte_length` is that of the data behind its words.
    pub params: Option<Vec<f64>>,
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
    /// Number of the object in its domain, 0 for a foreign one.
    pub id: f64,
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
        params: wanted.params.map(params).transpose()?,
        parent: None,
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

/// Closes the handle. `buffer`, if one was made, is detached: its views become empty, and the memory goes back at
/// once. The addresses stay valid, reading zeros, until the runtime says that nothing can reach them.
/// Closing what is closed does nothing.
#[napi(catch_unwind)]
pub fn close_segment(env: napi::Env, handle: u32, buffer: Option<Unknown<'_>>) {
    // First what has to be said in the memory that is about to go.
    let mapped = environment::with(|environment| environment.release_roles(handle)).flatten();
    if let (Some(buffer), Some(mapped)) = (buffer, mapped)
        && detach(env.raw(), buffer.raw())
    {
        mapped.release_pages();
    }
    environment::with(|environment| environment.close(handle));
}

/// The handle was collected: the bytes are unmapped once nothing shows them. The object stays attached to this
/// environment, since when a collector runs is no reason for others to lose it.
#[napi(catch_unwind)]
pub fn forget_segment(handle: u32) {
    environment::with(|environment| match environment.get(handle) {
        Some(open) if open.has_buffer => open.handle_is_gone = true,
        _ => environment.forget(handle),
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
    // SAFETY: the bytes stay mapped until `end_lease` was called for this hint and the next.
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
            // SAFETY: the runtime refused before it took the hint. After other failures it may call back yet.
            unsafe { end_lease(env, ptr::null_mut(), hint) };
        }
        return Err(napi::Error::new(
            "ERR_NO_EXTERNAL_BUFFERS",
            "this runtime refuses external ArrayBuffers (Electron, or V8's memory sandbox): crossmem can't show shared \
             memory here",
        ));
    }
    // The memory is let go when the buffer is detached; but a write or a compression that is under way on another
    // thread holds on to the object only. So the object has the lease, too.
    // SAFETY: a live environment and an object of it; the hint is given back by `end_lease`.
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

/// What a runtime has of a segment, shared by an `ArrayBuffer` and by the memory under it, which part when the
/// buffer is detached or transferred.
struct Lease {
    handle: u32,
    mapped: Option<Mapped>,
}

fn lease_hint(lease: &Arc<Lease>) -> *mut c_void {
    Arc::into_raw(Arc::clone(lease)).cast_mut().cast()
}

/// Detaches the buffer; `false` if it was already: then `transfer()` took the memory to where we can't reach it.
/// No borrow is held in here, since some runtimes run finalizers at once.
fn detach(env: sys::napi_env, buffer: sys::napi_value) -> bool {
    let mut gone = true;
    // SAFETY: a live environment and a value of it.
    unsafe {
        sys::napi_is_detached_arraybuffer(env, buffer, &raw mut gone);
        !gone && sys::napi_detach_arraybuffer(env, buffer) == sys::Status::napi_ok
    }
}

/// The runtime lets go of the memory: because nothing reaches it, or because the environment ends.
unsafe extern "C" fn end_lease(_: sys::napi_env, _: *mut c_void, lease: *mut c_void) {
    // SAFETY: made by `lease_hint`, given back once.
    drop(unsafe { Arc::from_raw(lease.cast::<Lease>()) });
}

/// The runtime lets go of the `ArrayBuffer` object.
unsafe extern "C" fn end_lease_of_object(env: sys::napi_env, lease: *mut c_void, _: *mut c_void) {
    // SAFETY: as in `end_lease`.
    unsafe { end_lease(env, ptr::null_mut(), lease) };
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mapped = self.mapped.take();
        if is_torn_down() {
            // No proof that nothing reaches the memory: it may have been transferred to another thread.
            if let Some(mapped) = &mapped {
                mapped.release_pages();
            }
            std::mem::forget(mapped);
        }
        environment::with(|environment| {
            let Some(open) = environment.get(self.handle) else { return };
            open.has_buffer = false;
            if open.handle_is_gone {
                environment.forget(self.handle);
            }
        });
    }
}

pub(crate) fn opened(segment: Segment) -> Result<OpenSegment> {
    let mut open = OpenSegment {
        handle: 0,
        name: segment.name.clone(),
        kind: segment.kind.as_str().to_owned(),
        byte_length: segment.region().len() as f64,
        persist: segment.persist,
        foreign: segment.is_foreign(),
        id: segment.id() as f64,
    };
    open.handle = environment::with(|environment| environment.insert(segment)).ok_or_else(closed)?;
    Ok(open)
}

fn kind(name: &str) -> Result<Kind> {
    Kind::parse(name).ok_or_else(|| {
        napi::Error::new(Code::Unsupported.as_str(), format!("this crossmem has no class {name}; update it"))
    })
}

fn params(numbers: Vec<f64>) -> Result<[u64; PARAMS]> {
    let mut params = [0; PARAMS];
    for (to, number) in params.iter_mut().zip(numbers) {
        *to = bytes(number)?;
    }
    Ok(params)
}

fn bytes(number: f64) -> Result<u64> {
    if (0.0..=9_007_199_254_740_991.0).contains(&number) && number.fract() == 0.0 {
        Ok(number as u64)
    } else {
        Err(invalid("sizes, offsets and counts are whole numbers from 0 to 2^53 - 1"))
    }
}
