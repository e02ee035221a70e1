//! Segments as handles: creating, opening, closing and unlinking them.

use crossmem_core::{Access, Code, Kind, PARAMS, Pages, Part, Segment, Spec, unlink_name};
use napi::JsValue;
use napi::bindgen_prelude::{Uint8Array, Unknown};
use napi_derive::napi;

use crate::buffer::detach;
use crate::environment::{self, with_agent, with_open};
use crate::error::{Result, closed, invalid, js};

/// What to create; offsets and lengths in bytes.
#[napi(object)]
pub struct NewSegment {
    /// `undefined`: a random name.
    pub name: Option<String>,
    /// Name of the class.
    pub kind: String,
    /// Length of the whole segment; with `params`, of the data behind the object's fields.
    pub byte_length: f64,
    /// The object outlives all agents.
    pub persist: bool,
    /// The first bytes.
    pub header: Option<Uint8Array>,
    /// The bytes that follow the header.
    pub contents: Option<Uint8Array>,
    /// `contents` are repeated to this length.
    pub contents_length: Option<f64>,
    /// Offset of an array's trailer.
    pub guard_offset: Option<f64>,
    /// Permission bits of the segment.
    pub mode: Option<u32>,
    /// Group of the segment, by name or number.
    pub group: Option<String>,
    /// Its memory is made of huge pages.
    pub huge_pages: bool,
    /// Parameters of an object that is more than bytes.
    pub params: Option<Vec<f64>>,
}

/// An open segment.
#[napi(object)]
pub struct OpenSegment {
    /// The segment's number in calls.
    pub handle: u32,
    /// Name of the object.
    pub name: String,
    /// Name of its class.
    pub kind: String,
    /// Length of the whole segment.
    pub byte_length: f64,
    /// The object outlives all agents.
    pub persist: bool,
    /// Another program made the segment.
    pub foreign: bool,
    /// Number of the object in its domain, 0 for a foreign one.
    pub id: f64,
}

/// A random name for an object, and for others whose names begin with it.
///
/// # Errors
/// `ERR_OS`.
#[napi(catch_unwind)]
pub fn random_name() -> Result<String> {
    crossmem_core::random_name().map_err(js)
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
        pages: if wanted.huge_pages { Pages::Huge } else { Pages::Usual },
        access: Access::wanted(wanted.mode, wanted.group.as_deref()).map_err(js)?,
    };
    with_agent(|agent| Segment::create(agent, &spec)).and_then(opened)
}

/// Opens an object. If `wanted` is undefined, an object of any class.
///
/// # Errors
/// As `Segment::open`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn open_segment(name: String, wanted: Option<String>) -> Result<OpenSegment> {
    let wanted = wanted.as_deref().map(kind).transpose()?;
    with_agent(|agent| Segment::open(agent, &name, wanted)).and_then(opened)
}

/// Closes the handle, and detaches `buffer` if one was made: its views become empty, and the system
/// gets the pages back at once. The addresses stay valid, reading zeros, until the runtime has
/// collected the buffer. Closing a closed handle does nothing.
#[napi(catch_unwind)]
pub fn close_segment(env: napi::Env, handle: u32, buffer: Option<Unknown<'_>>) {
    // Giving back roles writes to the segment, so this comes before its memory goes.
    let mapped = environment::with(|environment| environment.release_roles(handle)).flatten();
    if let (Some(buffer), Some(mapped)) = (buffer, mapped)
        && detach(env.raw(), buffer.raw())
    {
        mapped.release_pages();
    }
    environment::with(|environment| environment.close(handle));
}

/// The handle was collected: the bytes are unmapped as soon as no buffer shows them. The agent
/// stays attached to the object: other processes must not lose it because of when a garbage
/// collector runs.
#[napi(catch_unwind)]
pub fn forget_segment(handle: u32) {
    environment::with(|environment| match environment.get(handle) {
        Some(open) if open.has_buffer => open.handle_is_gone = true,
        _ => environment.forget(handle),
    });
}

/// From now on the segment is open for as long as its buffer can be reached: it closes when the
/// runtime has collected the buffer.
///
/// # Errors
/// `ERR_CLOSED`, `ERR_INVALID_ARG` (the handle has no buffer).
#[napi(catch_unwind)]
pub fn close_with_buffer(handle: u32) -> Result<()> {
    with_open(handle, |_, open| {
        open.closes_with_buffer = open.has_buffer;
        if open.has_buffer { Ok(()) } else { Err(invalid("this handle has no buffer")) }
    })
}

/// Writes over the bytes of a segment if this is the only handle of it, here and anywhere else.
/// Returns whether it did.
///
/// # Errors
/// `ERR_CLOSED`, `ERR_OUT_OF_RANGE` (the segment has fewer bytes).
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn refill_segment(handle: u32, contents: Uint8Array) -> Result<bool> {
    with_open(handle, |agent, open| {
        let is_free = open.segment.is_only_handle(agent);
        if is_free {
            open.segment.overwrite(&contents).map_err(js)?;
        }
        Ok(is_free)
    })
}

/// Removes the object's name.
///
/// # Errors
/// As `Segment::unlink`.
#[napi(catch_unwind)]
pub fn unlink_segment(handle: u32) -> Result<()> {
    with_open(handle, |agent, open| open.segment.unlink(agent).map_err(js))
}

/// Removes the object or file of that name, and returns whether there was one.
///
/// # Errors
/// As `unlink_name`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn unlink_by_name(name: String) -> Result<bool> {
    with_agent(|agent| unlink_name(agent, &name))
}

/// Fills `into` with the segment's bytes from `offset` on. Other processes may be writing to them.
///
/// # Errors
/// As `Region::copy_to`.
#[napi(catch_unwind)]
pub fn read_segment(handle: u32, offset: f64, mut into: Uint8Array) -> Result<()> {
    // SAFETY: JavaScript lends these bytes to this call, which is on its thread.
    let into = unsafe { into.as_mut() };
    with_open(handle, |_, open| open.segment.region().copy_to(bytes(offset)?, into).map_err(js))
}

/// Writes `from` to the segment's bytes from `offset` on.
///
/// # Errors
/// As `Region::copy_from`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn write_segment(handle: u32, offset: f64, from: Uint8Array) -> Result<()> {
    with_open(handle, |_, open| open.segment.region().copy_from(bytes(offset)?, &from).map_err(js))
}

/// Replaces the segment's bytes at `offset` if they equal `expected`, which becomes what was there.
///
/// # Errors
/// As `Region::compare_exchange`.
#[napi(catch_unwind)]
#[allow(clippy::needless_pass_by_value)]
pub fn compare_exchange(
    handle: u32,
    offset: f64,
    mut expected: Uint8Array,
    replacement: Uint8Array,
) -> Result<()> {
    // SAFETY: as in `read_segment`; `replacement` is other memory.
    let expected = unsafe { expected.as_mut() };
    with_open(handle, |_, open| {
        open.segment.region().compare_exchange(bytes(offset)?, expected, &replacement).map_err(js)
    })
}

/// Where the file of a map's entries lies.
///
/// # Errors
/// As `Segment::arena_path`.
#[napi(catch_unwind)]
pub fn map_path(handle: u32) -> Result<String> {
    with_open(handle, |agent, open| {
        let path = open.segment.arena_path(agent).map_err(js)?;
        path.into_os_string().into_string().map_err(|_| invalid("the path of shared memory is no text"))
    })
}

/// Takes the memory of a range of that file, so that writing there can't fail.
///
/// # Errors
/// As `Segment::reserve_arena`.
#[napi(catch_unwind)]
pub fn reserve_map(handle: u32, from: f64, to: f64) -> Result<()> {
    with_open(handle, |_, open| open.segment.reserve_arena(bytes(from)?, bytes(to)?).map_err(js))
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
