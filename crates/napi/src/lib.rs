//! crossmem-core for Node-API: argument conversion and nothing else. In `src/`, only `native` calls
//! it. Errors are plain JavaScript errors with a `code`; `native` turns them into `CrossmemError`.
//!
//! The addon exports free functions over small integer handles. It exports no classes, since
//! napi-rs takes a process-wide lock in methods.

mod error;
mod protocol;
mod wake;

mod file_lock;
mod pad;

mod environment;

mod attempt;
mod buffer;
mod domain;
mod process;
mod shared_buffer;

mod array;
mod object;
mod observe;
mod queues;
mod segment;

mod locks;
