//! Locks on files.

use crossmem_core::{ByteRange, FileLock, Tried};

use super::operation::{Operation, operation};
use crate::stage::{Stage, mark};

pub const OPERATIONS: &[Operation] = &[operation("file lock", file_lock)];

fn file_lock(stage: &Stage) {
    let mut file = FileLock::open(&stage.file(), true, 0o600).unwrap();
    let range = ByteRange { start: 0, len: 0 };
    mark();
    let tried = file.try_lock(range, false, std::time::Duration::ZERO).unwrap();
    let Tried::Locked(number) = tried else { panic!("{tried:?}") };
    file.unlock(number).unwrap();
    mark();
}
