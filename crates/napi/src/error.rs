//! The core's errors as JavaScript errors; their `code` is the stable code.

use crossmem_core::Code;

pub(crate) type Result<T> = napi::Result<T, &'static str>;

pub(crate) fn js(error: crossmem_core::Error) -> napi::Error<&'static str> {
    napi::Error::new(error.code.as_str(), error.message)
}

pub(crate) fn closed() -> napi::Error<&'static str> {
    napi::Error::new(Code::Closed.as_str(), "the handle was closed; open the object again")
}

pub(crate) fn invalid(message: &str) -> napi::Error<&'static str> {
    napi::Error::new(Code::InvalidArg.as_str(), message)
}
