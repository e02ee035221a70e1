//! macOS: POSIX shared memory, a lock file beside the control segment, `os_sync_wait_on_address`.
//!
//! What XNU's POSIX shared memory lacks (`bsd/kern/posix_shm.c`): identity (`st_ino` is 0), exact sizes (they
//! are whole pages), byte locks, directories, renaming, names of more than 31 bytes. Nothing can be published
//! at once: `publish` runs under the registry's lock, and what dies half-made there is undone by `repair`.

use std::cell::RefCell;
use std::ffi::{CStr, CString, OsString, c_int, c_void};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::{Found, Headroom, Life, Mapping, Part, hash, poll};
use crate::sync::{AtomicU32, Ordering};
