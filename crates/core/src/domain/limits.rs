//! Errors for what is full, with what to do about it.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::{Code, Error};
use crate::layout::{AGENTS, OBJECTS};
use crate::sys::{self, Headroom, Limit, Shortage};

/// For a reservation of `wanted` bytes that failed.
pub(crate) fn storage_error(doing: &str, wanted: u64, cause: &io::Error) -> Error {
    let message = match (Shortage::of(cause), cause.kind()) {
        (Some(Shortage(room)), _) => too_little(wanted, room),
        // The room was there when it was asked for.
        (None, ErrorKind::StorageFull | ErrorKind::FileTooLarge) => {
            sys::headroom().map_or_else(|_| format!("{doing}: {cause}"), |room| too_little(wanted, &room))
        }
        (None, ErrorKind::QuotaExceeded) => {
            format!(
                "{wanted} bytes wanted, more than this user's quota for shared memory; raise it (setquota)"
            )
        }
        _ => return Error::os(doing, cause),
    };
    Error::new(Code::NoSpace, message)
}

/// For `wanted` bytes of a large message that could not be written to its queue's arena.
pub(crate) fn spill_error(wanted: u64, cause: &io::Error) -> Error {
    match Shortage::of(cause) {
        Some(Shortage(Headroom { limit: Limit::FileSize, total, .. })) => Error::new(
            Code::NoSpace,
            format!(
                "a message of {wanted} bytes, which is larger than messageBytes, lies far inside a file with holes, but \
                 a file of this process may have {total} bytes (RLIMIT_FSIZE); lift the limit (ulimit -f unlimited, in \
                 a systemd service LimitFSIZE=infinity), or make the queue with larger messageBytes"
            ),
        ),
        _ => storage_error("writing a large message", wanted, cause),
    }
}

fn too_little(wanted: u64, Headroom { limit, total, free }: &Headroom) -> String {
    let remove = "remove objects (crossmem ls, rm, gc)";
    match limit {
        Limit::SharedMemory => format!(
            "shared memory is full: {wanted} bytes wanted, {free} free; {remove}, or {}",
            sys::chosen_directory().map_or(
                "make /dev/shm larger (in a container: --shm-size, or an emptyDir with medium Memory)"
                    .to_owned(),
                |path| format!("make room in {} (CROSSMEM_DIR)", path.display())
            )
        ),
        Limit::Files => {
            let directory = sys::chosen_directory().unwrap_or(Path::new("/dev/shm")).display();
            format!(
                "{directory} has no inode left for {wanted} bytes more: it may have {total} files; remove some, or raise \
                 the limit (mount -o remount,nr_inodes=N {directory})"
            )
        }
        Limit::FileSize => format!(
            "{wanted} bytes wanted, {free} allowed: a file of this process may have {total} bytes (RLIMIT_FSIZE); raise \
             the limit (ulimit -f, in a systemd service LimitFSIZE=)"
        ),
        Limit::Cgroup(file) => format!(
            "the memory limit of this container or service allows too little: {wanted} bytes wanted, {free} free of \
             {total} ({}); {remove}, or raise the limit (docker run -m, resources.limits.memory in Kubernetes, \
             MemoryMax= and MemoryHigh= in systemd)",
            file.display()
        ),
        Limit::Machine => format!(
            "the machine has too little memory: {wanted} bytes wanted, {free} free of {total}; {remove}, or end programs"
        ),
    }
}

pub(crate) fn too_many(what: &str) -> Error {
    let most = if what == "agents" { AGENTS } else { OBJECTS };
    Error::new(
        Code::Limit,
        format!("this domain has {most} {what} already; close some, or set CROSSMEM_DOMAIN to use another"),
    )
}
