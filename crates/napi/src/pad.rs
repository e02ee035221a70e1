//! The pad: memory that JavaScript and this addon share to pass messages, so that the arguments of
//! a call are numbers only. JavaScript makes one per environment. `protocol::pad` has its layout.

use std::mem::offset_of;
use std::ptr;

use napi::sys;

use crate::error::{Result, invalid};
use crate::protocol::pad;

/// The beginning of the pad; the bytes of the messages follow.
#[repr(C)]
struct Head {
    elsewhere: [f64; 4],
    lengths: [u32; MESSAGES],
}

const BYTES_AT: usize = size_of::<Head>();
/// How many messages there can be.
const MESSAGES: usize = pad::MESSAGES as usize;

const _: () = {
    assert!(offset_of!(Head, elsewhere) == pad::ELSEWHERE_AT as usize);
    assert!(offset_of!(Head, lengths) == pad::LENGTHS_AT as usize);
    assert!(BYTES_AT == pad::BYTES_AT as usize);
};

/// A message that lies elsewhere, not on the pad.
#[derive(Clone, Copy, Default)]
pub(crate) struct Elsewhere {
    /// Where it begins in the segment.
    pub offset: u64,
    /// How many bytes it has.
    pub len: u64,
    /// `REDELIVERED` or `MORE`, and `SPILLED`.
    pub flags: u32,
    /// The chunk of a queue that it is in.
    pub chunk: u32,
}

/// An environment's pad.
pub(crate) struct Pad {
    head: *mut Head,
    /// Bytes of the whole pad.
    len: usize,
    /// The `ArrayBuffer`.
    buffer: sys::napi_ref,
    /// How many messages were added since `clear`.
    added: usize,
    /// Bytes of these messages.
    used: usize,
}

impl Pad {
    /// The pad in an `ArrayBuffer` of JavaScript's.
    pub(crate) fn over(env: sys::napi_env, value: sys::napi_value) -> Result<Pad> {
        let (mut bytes, mut len, mut buffer) = (ptr::null_mut(), 0, ptr::null_mut());
        // SAFETY: a live environment and a value of it.
        let taken = unsafe { sys::napi_get_arraybuffer_info(env, value, &raw mut bytes, &raw mut len) };
        if taken != sys::Status::napi_ok || len <= BYTES_AT || !bytes.cast::<Head>().is_aligned() {
            return Err(invalid("the pad is an ArrayBuffer of more than 4096 bytes"));
        }
        // SAFETY: as above. The reference stays: the pad lives as long as the environment.
        unsafe { sys::napi_create_reference(env, value, 1, &raw mut buffer) };
        Ok(Pad { head: bytes.cast(), len, buffer, added: 0, used: 0 })
    }

    /// A reference to the `ArrayBuffer`, valid as long as the environment lives.
    pub(crate) fn buffer(&self) -> sys::napi_ref {
        self.buffer
    }

    /// How many bytes of messages fit.
    pub(crate) fn capacity(&self) -> usize {
        self.len - BYTES_AT
    }

    /// The first bytes that JavaScript wrote: a message.
    pub(crate) fn first(&self, len: usize) -> &[u8] {
        // SAFETY: `over` got `len` bytes, which stay where they are. Only this environment uses
        // them, on this thread.
        unsafe { std::slice::from_raw_parts(self.head.add(1).cast(), len.min(self.capacity())) }
    }

    /// The messages that JavaScript wrote.
    pub(crate) fn messages(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        (0..count.min(MESSAGES)).map(move |index| {
            // SAFETY: as in `first`; `over` checked the alignment.
            let len = unsafe { (&raw const (*self.head).lengths).cast::<u32>().add(index).read() } as usize;
            let message = self.first(self.capacity()).get(at..).unwrap_or_default();
            at += len;
            message.get(..len).unwrap_or_default()
        })
    }

    /// Forgets the messages that were added.
    pub(crate) fn clear(&mut self) {
        self.added = 0;
        self.used = 0;
    }

    /// Adds a message of that length, and returns its bytes, to be written; `None`: it doesn't fit.
    pub(crate) fn add(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.capacity() - self.used || self.added == MESSAGES {
            return None;
        }
        // SAFETY: as in `first` and `messages`; both fit, as checked above.
        let room = unsafe {
            (&raw mut (*self.head).lengths).cast::<u32>().add(self.added).write(len as u32);
            std::slice::from_raw_parts_mut(self.head.add(1).cast::<u8>().add(self.used), len)
        };
        self.added += 1;
        self.used += len;
        Some(room)
    }

    /// Tells JavaScript where a message lies.
    pub(crate) fn point_to(&mut self, message: Elsewhere) {
        let numbers =
            [message.offset as f64, message.len as f64, f64::from(message.flags), f64::from(message.chunk)];
        // SAFETY: as in `messages`.
        unsafe { (&raw mut (*self.head).elsewhere).write(numbers) };
    }
}
