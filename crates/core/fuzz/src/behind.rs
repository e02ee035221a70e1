//! What is behind a segment's end: the rest of its last page, which nobody may touch.

use crossmem_core::Region;

/// As large as any page may be here.
const PAGE: usize = 4096;

#[cfg(fuzzing)]
unsafe extern "C" {
    fn __asan_poison_memory_region(begin: *const u8, len: usize);
    fn __asan_unpoison_memory_region(begin: *const u8, len: usize);
}

/// `AddressSanitizer` reports who reads or writes there; without it, whoever wrote is found in the end.
pub struct Behind {
    begin: *const u8,
    len: usize,
}

impl Behind {
    /// Must go before the mapping does.
    pub fn of(region: Region<'_>) -> Behind {
        let len = region.len().next_multiple_of(PAGE) - region.len();
        let begin = region.as_ptr().wrapping_add(region.len()).cast_const();
        #[cfg(fuzzing)]
        // SAFETY: the rest of a mapped page, of which nobody has a part.
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
            assert_eq!(byte, 0, "somebody wrote {i} bytes behind the end");
        }
    }
}
