//! The states of an entry. The table in `mod.rs` says what they mean.

pub(super) const FREE: u32 = 0;
pub(super) const BORN: u32 = 1;
pub(crate) const LIVE: u32 = 2;
pub(super) const DYING: u32 = 3;
