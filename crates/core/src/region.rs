//! From offsets to references, checked: only this file turns shared bytes into Rust values.

use std::marker::PhantomData;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

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
    /// new, but not inside 2, 4 or 8 bytes at a multiple of that number. This is never undefined
    /// behaviour, since every shared byte is read by an atomic load.
    ///
    /// # Errors
    /// `ERR_CORRUPT` when the span doesn't lie inside.
    #[inline]
    pub fn copy_to(&self, offset: u64, to: &mut [u8]) -> Result<()> {
        let from = self.span(offset, to.len() as u64)?;
        in_units(from, to.len(), |at, len| {
            let (from, to) = (from.wrapping_add(at), &mut to[at..at + len]);
            // SAFETY: `in_units` stays within the span that was checked above, and its units are
            // aligned.
            unsafe {
                match len {
                    8 => to.copy_from_slice(&AtomicU64::from_ptr(from.cast()).load(Relaxed).to_ne_bytes()),
                    4 => to.copy_from_slice(&AtomicU32::from_ptr(from.cast()).load(Relaxed).to_ne_bytes()),
                    2 => to.copy_from_slice(&AtomicU16::from_ptr(from.cast()).load(Relaxed).to_ne_bytes()),
                    _ => to[0] = AtomicU8::from_ptr(from).load(Relaxed),
                }
            }
        });
        Ok(())
    }

    /// Writes bytes that other processes may be reading or writing. What these see is as in
    /// `copy_to`.
    ///
    /// # Errors
    /// As `copy_to`.
    pub fn copy_from(&self, offset: u64, from: &[u8]) -> Result<()> {
        let to = self.span(offset, from.len() as u64)?;
        in_units(to, from.len(), |at, len| {
            let (from, to) = (&from[at..at + len], to.wrapping_add(at));
            // SAFETY: as in `copy_to`.
            unsafe {
                match len {
                    8 => AtomicU64::from_ptr(to.cast()).store(u64::from_ne_bytes(array(from)), Relaxed),
                    4 => AtomicU32::from_ptr(to.cast()).store(u32::from_ne_bytes(array(from)), Relaxed),
                    2 => AtomicU16::from_ptr(to.cast()).store(u16::from_ne_bytes(array(from)), Relaxed),
                    _ => AtomicU8::from_ptr(to).store(from[0], Relaxed),
                }
            }
        });
        Ok(())
    }

    /// Stores `replacement` in the 1, 2, 4 or 8 bytes at `offset` if they equal `expected`, as one
    /// step that all processes see in the same order. `expected` becomes what was there before.
    ///
    /// # Errors
    /// `ERR_CORRUPT` when the bytes don't lie inside, or `offset` is no multiple of their number.
    /// `ERR_INVALID_ARG` when the lengths differ or are others.
    pub fn compare_exchange(&self, offset: u64, expected: &mut [u8], replacement: &[u8]) -> Result<()> {
        let at = self.span(offset, expected.len() as u64)?;
        if expected.len() != replacement.len() || ![1, 2, 4, 8].contains(&expected.len()) {
            return Err(Error::new(Code::InvalidArg, "one step changes 1, 2, 4 or 8 bytes".to_owned()));
        }
        if at.align_offset(expected.len()) != 0 {
            return Err(misaligned(offset));
        }
        macro_rules! step {
            ($Atomic:ty, $int:ty) => {{
                let [old, new] = [&*expected, replacement].map(|bytes| <$int>::from_ne_bytes(array(bytes)));
                // SAFETY: inside the mapping and aligned, as checked above.
                let word = unsafe { <$Atomic>::from_ptr(at.cast()) };
                let (Ok(found) | Err(found)) = word.compare_exchange(old, new, SeqCst, SeqCst);
                expected.copy_from_slice(&found.to_ne_bytes());
            }};
        }
        match expected.len() {
            8 => step!(AtomicU64, u64),
            4 => step!(AtomicU32, u32),
            2 => step!(AtomicU16, u16),
            _ => step!(AtomicU8, u8),
        }
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

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes[i])
}

/// Calls `each` with offset and length of units that cover `len` bytes: 8 bytes, or the most that
/// address and end allow. An address is a multiple of its unit's length.
#[inline]
fn in_units(address: *const u8, len: usize, mut each: impl FnMut(usize, usize)) {
    let head = address.align_offset(8).min(len);
    let tail = head + (len - head) / 8 * 8;
    let mut small = |mut at: usize, end: usize| {
        while at < end {
            let aligned = 1 << (address.addr() + at).trailing_zeros().min(2);
            let unit = aligned.min(1 << (end - at).ilog2());
            each(at, unit);
            at += unit;
        }
    };
    small(0, head);
    small(tail, len);
    for at in (head..tail).step_by(8) {
        each(at, 8);
    }
}

#[cold]
fn misaligned(offset: u64) -> Error {
    Error::new(Code::Corrupt, format!("offset {offset} is not aligned"))
}
