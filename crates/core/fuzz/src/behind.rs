//! The rest of a segment's last page, behind its end. No code may touch it.

use crossmem_core::Region;

/// The size of a page.
const PAGE: usize = 4096;

#[cfg(fuzzing)]
unsafe extern "C" {
    fn __asan_poison_memory_region(begin: *const u8, len: usize);
    fn __asan_unpoison_memory_region(begin: *const u8, len: usize);
}

/// Under `AddressSanitizer`, a read or write there is reported at once. Otherwise a write is found
/// at the end.
pub struct Behind {
    begin: *const u8,
    len: usize,
}

impl Behind {
    /// The result must be dropped before the mapping ends.
    pub fn of(region: Region<'_>) -> Behind {
        let len = region.len().next_multiple_of(PAGE) - region.len();
        let begin = region.as_ptr().wrapping_add(region.len()).cast_const();
        #[cfg(fuzzing)]
        // SAFETY: the rest of a mapped page, which no reference points to.
        unsafe {
            __asan_poison_memory_region(begin, len);
        }
        Behind { begin, len }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        #[cfg(fuzzing)]
        // SAFETY: as in `of`.
        unsafe {
            __asan_unpoison_memory_region(self.begin, self.len);
        }
        for i in 0..self.len {
            // SAFETY: in the last page of a mapping that is still there, as `of` asks for.
            let byte = unsafe { self.begin.add(i).read_volatile() };
            assert_eq!(byte, 0, "the byte {i} behind the end was written");
        }
    }
}
