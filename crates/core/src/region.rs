//! From offsets to references, checked: only this file turns shared bytes into Rust values.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::Shared;

/// A span of shared memory that stays mapped for `'m`.
#[derive(Clone, Copy)]
pub struct Region<'m> {
    base: *mut u8,
    len: usize,
    mapped: PhantomData<&'m ()>,
}

impl<'m> Region<'m> {
    /// # Safety
    /// `base..base + len` must stay mapped, readable and writable, for `'m`, and hold nothing that
    /// this process keeps a plain reference to.
    pub(crate) unsafe fn new(base: *mut u8, len: usize) -> Self {
        Region { base, len, mapped: PhantomData }
    }

    /// Address of the first byte.
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.base
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes. A mapping always has some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The shared struct at `offset`.
    ///
    /// # Errors
    /// `ERR_CORRUPT` when it doesn't lie inside, or isn't aligned.
    #[inline]
    pub(crate) fn at<T: Shared>(&self, offset: u64) -> Result<&'m T> {
        let address = self.span(offset, size_of::<T>() as u64)?.cast::<T>();
        if !address.is_aligned() {
            return Err(misaligned(offset));
        }
        // SAFETY: inside the mapping and aligned as checked; mapped for 'm by `new`'s contract; by
        // the contract of `Shared`, every bit pattern is a value and other processes may change it.
        Ok(unsafe { &*address })
    }

    /// `count` shared structs in a row at `offset`.
    ///
    /// # Errors
    /// As `at`.
    pub(crate) fn many_at<T: Shared>(&self, offset: u64, count: usize) -> Result<&'m [T]> {
        let bytes = (count as u64).saturating_mul(size_of::<T>() as u64);
        let address = self.span(offset, bytes)?.cast::<T>();
        if !address.is_aligned() {
            return Err(misaligned(offset));
        }
        // SAFETY: as in `at`, for each of them.
        Ok(unsafe { std::slice::from_raw_parts(address, count) })
    }

    /// Copies bytes that are the caller's alone, by the protocol of their object. If another
    /// process writes to them nevertheless, the copy may have any contents.
    ///
    /// # Errors
    /// `ERR_CORRUPT` when the span doesn't lie inside.
    #[inline]
    pub(crate) fn read(&self, offset: u64, to: &mut [u8]) -> Result<()> {
        let from = self.span(offset, to.len() as u64)?;
        // SAFETY: inside the mapping; `to` is private memory, so they don't overlap; any byte is a
        // value.
        unsafe { std::ptr::copy_nonoverlapping(from, to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    /// Writes bytes that are the caller's alone, by the protocol of their object.
    ///
    /// # Errors
    /// As `read`.
    #[inline]
    pub(crate) fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let to = self.span(offset, bytes.len() as u64)?;
        // SAFETY: as in `read`; no reference to shared bytes exists.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    /// Copies bytes to which other processes may be writing. The copy may be a mixture of old and
    /// new; this is never undefined behaviour, since every shared byte is read by an atomic load.
    ///
    /// # Errors
    /// `ERR_CORRUPT` when the span doesn't lie inside.
    #[inline]
    pub fn copy_to(&self, offset: u64, to: &mut [u8]) -> Result<()> {
        let from = self.span(offset, to.len() as u64)?;
        let head = from.align_offset(8).min(to.len());
        let tail = head + (to.len() - head) / 8 * 8;
        let copy_bytes = |range: std::ops::Range<usize>, to: &mut [u8]| {
            for i in range {
                // SAFETY: within the span that was checked above; any address is aligned for one
                // byte.
                to[i] = unsafe { AtomicU8::from_ptr(from.add(i)) }.load(Ordering::Relaxed);
            }
        };
        copy_bytes(0..head, to);
        for (i, word) in to[head..tail].chunks_exact_mut(8).enumerate() {
            // SAFETY: within the span, and aligned: `head` bytes led to a multiple of 8.
            #[expect(clippy::cast_ptr_alignment)]
            let shared = unsafe { AtomicU64::from_ptr(from.add(head).cast::<u64>().add(i)) };
            word.copy_from_slice(&shared.load(Ordering::Relaxed).to_ne_bytes());
        }
        copy_bytes(tail..to.len(), to);
        Ok(())
    }

    #[inline]
    fn span(&self, offset: u64, len: u64) -> Result<*mut u8> {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.len as u64);
        if !inside && !seeded(Fault::SpanUnchecked) {
            return Err(self.outside(offset, len));
        }
        // SAFETY: `offset <= len`, as just checked.
        Ok(unsafe { self.base.add(offset as usize) })
    }

    #[cold]
    fn outside(&self, offset: u64, len: u64) -> Error {
        Error::new(
            Code::Corrupt,
            format!("{len} bytes at offset {offset} are outside the segment of {} bytes", self.len),
        )
    }
}

#[cold]
fn misaligned(offset: u64) -> Error {
    Error::new(Code::Corrupt, format!("offset {offset} is not aligned"))
}
