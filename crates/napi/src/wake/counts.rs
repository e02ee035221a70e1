//! How many waits JavaScript has, in memory that it shares with the addon: a wait that begins or
//! ends takes no call.

use std::ptr;

use napi::sys;

use crate::error::{Result, invalid};
use crate::protocol::waits;

/// The numbers of `protocol::waits`, in an `ArrayBuffer` of JavaScript's.
#[derive(Clone, Copy)]
pub(crate) struct Counts(*mut u32);

impl Counts {
    /// # Errors
    /// `ERR_INVALID_ARG`: it is no `ArrayBuffer`, or too small.
    pub(crate) fn over(env: sys::napi_env, value: sys::napi_value) -> Result<Counts> {
        let (mut bytes, mut len, mut buffer) = (ptr::null_mut(), 0, ptr::null_mut());
        // SAFETY: a live environment and a value of it. The reference stays, so the bytes do as
        // long as the environment lives.
        let taken = unsafe { sys::napi_get_arraybuffer_info(env, value, &raw mut bytes, &raw mut len) };
        if taken != sys::Status::napi_ok || len != 4 * waits::NUMBERS as usize {
            return Err(invalid("the numbers of waits are in an ArrayBuffer"));
        }
        // SAFETY: as above.
        unsafe { sys::napi_create_reference(env, value, 1, &raw mut buffer) };
        Ok(Counts(bytes.cast()))
    }

    /// Whether waits keep the process alive.
    pub(super) fn any_kept(self) -> bool {
        self.get(waits::KEPT) > 0
    }

    /// How many listeners JavaScript has: sets of sleepers at which it waits, and all else that
    /// wants to be called at each tick.
    pub(super) fn listeners(self) -> usize {
        self.get(waits::LISTENERS) as usize
    }

    /// What the reactor heeds now.
    pub(super) fn heeds(self, any: bool, any_kept: bool) {
        self.set(waits::HEEDS_PENDING, any.into());
        self.set(waits::HEEDS_KEPT, any_kept.into());
    }

    fn get(self, index: u32) -> u32 {
        // SAFETY: `over` checked the length, and an ArrayBuffer's memory is aligned. Only this
        // environment's thread uses it.
        unsafe { self.0.add(index as usize).read() }
    }

    fn set(self, index: u32, number: u32) {
        // SAFETY: as in `get`.
        unsafe { self.0.add(index as usize).write(number) };
    }
}
