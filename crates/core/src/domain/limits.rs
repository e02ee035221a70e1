//! Errors for what is full, with what to do about it.

use crate::error::{Code, Error};
use crate::layout::{AGENTS, OBJECTS};
use crate::sys;

pub(crate) fn no_space(wanted: u64) -> Error {
    let free = sys::headroom().map_or_else(|_| "unknown".to_owned(), |room| room.free.to_string());
    Error::new(
        Code::NoSpace,
        format!(
            "shared memory is full: {wanted} bytes wanted, {free} free; remove objects (crossmem ls, rm, gc), or make \
             /dev/shm larger (in a container: --shm-size, or an emptyDir with medium Memory)"
        ),
    )
}

pub(crate) fn too_many(what: &str) -> Error {
    let most = if what == "agents" { AGENTS } else { OBJECTS };
    Error::new(
        Code::Limit,
        format!("this domain has {most} {what} already; close some, or set CROSSMEM_DOMAIN to use another"),
    )
}
