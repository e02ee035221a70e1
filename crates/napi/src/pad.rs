//! The pad: memory of this environment over which JavaScript and the addon hand each other messages, so that a call needs
//! numbers only. JavaScript makes it once.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0 to 31 | of a message that is not on the pad: where it is in the segment, its bytes, its flags, its chunk; `f64` each |
//! | 32 to 4095 | the lengths of messages that are on the pad, `u32` each |
//! | from 4096 on | the bytes of these messages, one behind the other |

use std::mem::offset_of;
use std::ptr;

use napi::sys;

use crate::error::{Result, invalid};
use crate::protocol::pad;

/// What the pad begins with.
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

/// A message that lies elsewhere.
#[derive(Clone, Copy, Default)]
pub(crate) struct Elsewhere {
    pub offset: u64,
    pub len: u64,
    /// 1: redelivered, or it goes on in the next record; 2: it has a segment of its own.
    pub flags: u32,
    pub chunk: u32,
}

/// The pad's bytes.
pub(crate) struct Pad {
    head: *mut Head,
    /// Of all of it, in bytes.
    len: usize,
    /// The `ArrayBuffer`.
    buffer: sys::napi_ref,
    /// Messages written by `add`, and their bytes.
    added: usize,
    used: usize,
}

impl Pad {
    pub(crate) fn over(env: sys::napi_env, value: sys::napi_value) -> Result<Pad> {
        let (mut bytes, mut len, mut buffer) = (ptr::null_mut(), 0, ptr::null_mut());
        // SAFETY: a live environment and a value of it.
        let taken = unsafe { sys::napi_get_arraybuffer_info(env, value, &raw mut bytes, &raw mut len) };
        if taken != sys::Status::napi_ok || len <= BYTES_AT || !bytes.cast::<Head>().is_aligned() {
            return Err(invalid("the pad is an ArrayBuffer of more than 4096 bytes"));
        }
        // SAFETY: as above. The reference is never given back: the pad lives as long as the environment.
        unsafe { sys::napi_create_reference(env, value, 1, &raw mut buffer) };
        Ok(Pad { head: bytes.cast(), len, buffer, added: 0, used: 0 })
    }

    /// The `ArrayBuffer`, for as long as the environment lives.
    pub(crate) fn buffer(&self) -> sys::napi_ref {
        self.buffer
    }

    /// Room for the bytes of messages.
    pub(crate) fn capacity(&self) -> usize {
        self.len - BYTES_AT
    }

    pub(crate) fn first(&self, len: usize) -> &[u8] {
        // SAFETY: `use_pad` got `len` bytes that stay where they are; they are this environment's alone, which is here.
        unsafe { std::slice::from_raw_parts(self.head.add(1).cast(), len.min(self.capacity())) }
    }

    /// The messages that JavaScript put there.
    pub(crate) fn messages(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        let mut at = 0;
        (0..count.min(MESSAGES)).map(move |index| {
            // SAFETY: as in `first`; aligned as `use_pad` checked.
            let len = unsafe { (&raw const (*self.head).lengths).cast::<u32>().add(index).read() } as usize;
            let message = self.first(self.capacity()).get(at..).unwrap_or_default();
            at += len;
            message.get(..len).unwrap_or_default()
        })
    }

    pub(crate) fn clear(&mut self) {
        self.added = 0;
        self.used = 0;
    }

    /// Room for one more message, which is then there.
    pub(crate) fn add(&mut self, len: usize) -> Option<&mut [u8]> {
        if len > self.capacity() - self.used || self.added == MESSAGES {
            return None;
        }
        // SAFETY: as in `first` and `messages`; that both fit was checked just now.
        let room = unsafe {
            (&raw mut (*self.head).lengths).cast::<u32>().add(self.added).write(len as u32);
            std::slice::from_raw_parts_mut(self.head.add(1).cast::<u8>().add(self.used), len)
        };
        self.added += 1;
        self.used += len;
        Some(room)
    }

    pub(crate) fn say(&mut self, message: Elsewhere) {
        let numbers =
            [message.offset as f64, message.len as f64, f64::from(message.flags), f64::from(message.chunk)];
        // SAFETY: as in `messages`.
        unsafe { (&raw mut (*self.head).elsewhere).write(numbers) };
    }
}
