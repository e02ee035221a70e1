//! crossmem-core for Node-API: argument conversion and nothing else. Only `src/native.ts` calls it; errors
//! are plain JS errors with a `code`, which that file turns into `CrossmemError`.
//!
//! Free functions over small integer handles, no classes: napi-rs takes a process-wide lock in methods.

mod channels;
mod environment;
mod error;
mod file_lock;
mod guard;
mod hot;
mod inspect;
mod locks;
mod named_locks;
mod pad;
mod queues;
mod reactor;
mod segment;
