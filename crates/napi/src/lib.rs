//! crossmem-core for Node-API: argument conversion and nothing else. Only `src/native.ts` calls it; errors
//! are plain JS errors with a `code`, which that file turns into `CrossmemError`.
//!
//! Free functions over small integer handles, no classes: napi-rs takes a process-wide lock in methods.

mod error;
mod protocol;
mod wake;

mod file_lock;
mod pad;

mod environment;

mod buffer;
mod domain;
mod look;

mod array;
mod object;
mod queues;
mod segment;

mod locks;
