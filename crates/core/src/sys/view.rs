//! The bytes of an object, to look at without opening it.

use super::mapping::Mapping;
use crate::region::Region;

/// Bytes that a small object is copied to: all locks fit. To read them takes three system calls;
/// to map them takes seven and two page faults.
#[repr(C, align(64))]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux copies"))]
pub(crate) struct ViewRoom([u8; 16 << 10]);

impl ViewRoom {
    pub(crate) fn new() -> Box<ViewRoom> {
        Box::new(ViewRoom([0; 16 << 10]))
    }

    /// Fills the room by `read`, which returns how many bytes there were. `None`: there may be
    /// more.
    #[cfg(target_os = "linux")]
    pub(super) fn copy(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> std::io::Result<usize>,
    ) -> std::io::Result<Option<Region<'_>>> {
        let len = read(&mut self.0)?;
        // SAFETY: the room is borrowed for as long as the region lives, and nothing else refers to
        // it meanwhile.
        Ok((len < self.0.len()).then(|| unsafe { Region::new(self.0.as_mut_ptr(), len) }))
    }
}

/// The bytes of an object as they are now, or as they were a moment ago.
pub(crate) enum View<'a> {
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux copies"))]
    Copied(Region<'a>),
    Mapped(Mapping),
}

impl View<'_> {
    pub(crate) fn region(&self) -> Region<'_> {
        match self {
            View::Copied(region) => *region,
            View::Mapped(mapping) => mapping.region(),
        }
    }
}
