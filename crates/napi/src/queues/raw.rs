//! The calls that programs make by the million: numbers in, a number out, without what napi-rs puts around a call, which is
//! most of its time. Messages go over the pad.
//!
//! What comes back is not negative when all went well. Else: -1 not yet; -2 the queue has ended, or the other end was closed;
//! -3 the message doesn't fit on the pad: the caller has it, and the pad says where it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crossmem_core::{Agent, Code, Error, Got, Looked, Put};
use napi::sys;

use crate::environment::{Open, with_pad};
use crate::pad::Pad;
use crate::protocol::transfer::{ENDED, NOT_YET};

/// What a call works with.
pub(super) struct Call<'c> {
    pub agent: &'c Agent,
    pub open: &'c mut Open,
    pub pad: &'c mut Pad,
}

pub(super) type Answer = crossmem_core::Result<i64>;

pub(super) type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// Most arguments of a call.
const ARGUMENTS: usize = 3;

/// States calls as `nameInJavaScript = function(arguments)`; `CALLS` has them all.
macro_rules! calls {
    ($($(#[$doc:meta])* $js:ident = $name:ident($($argument:ident),*);)*) => {
        /// The calls, each behind its name in JavaScript, which ends with NUL.
        pub(super) const CALLS: &[(&str, $crate::queues::raw::Callback)] =
            &[$((concat!(stringify!($js), "\0"), callbacks::$name)),*];

        mod callbacks {
            use napi::sys::{napi_callback_info, napi_env, napi_value};

            $(
                $(#[$doc])*
                pub(super) unsafe extern "C" fn $name(env: napi_env, info: napi_callback_info) -> napi_value {
                    $crate::queues::raw::answer(env, info, |call, [$($argument,)* ..]| {
                        super::$name(call, $($argument),*)
                    })
                }
            )*
        }
    };
}
pub(super) use calls;

pub(super) fn gone() -> Error {
    Error { code: Code::Closed, message: "this end was closed; open it again".to_owned() }
}

pub(super) fn put<T>(looked: Looked<Put<T>>, done: impl FnOnce(T) -> i64) -> i64 {
    match looked {
        Looked::Got(Put::Done(what)) => done(what),
        Looked::Got(Put::Ended) => ENDED,
        _ => NOT_YET,
    }
}

pub(super) fn got<T>(looked: Looked<Got<T>>, found: impl FnOnce(T) -> i64) -> i64 {
    match looked {
        Looked::Got(Got::Message(what)) => found(what),
        Looked::Got(Got::Ended) => ENDED,
        _ => NOT_YET,
    }
}

pub(super) fn add(env: sys::napi_env, calls: sys::napi_value, name: &str, callback: Callback) {
    let (mut function, name) = (ptr::null_mut(), name.as_ptr().cast());
    // SAFETY: a live environment, a NUL-terminated name, and a callback that lives as long as this image.
    unsafe {
        sys::napi_create_function(env, name, -1, Some(callback), ptr::null_mut(), &raw mut function);
        sys::napi_set_named_property(env, calls, name, function);
    }
}

pub(super) fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    act: impl FnOnce(&mut Call<'_>, [i64; ARGUMENTS]) -> Answer,
) -> sys::napi_value {
    let mut values = [ptr::null_mut(); ARGUMENTS + 1];
    let mut count = values.len();
    let mut numbers = [0_i64; ARGUMENTS + 1];
    // SAFETY: what the runtime calls us with, and room for the arguments; those that aren't numbers leave a 0.
    unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            values.as_mut_ptr(),
            ptr::null_mut(),
            ptr::null_mut(),
        );
        for (number, value) in numbers.iter_mut().zip(values).take(count) {
            sys::napi_get_value_int64(env, value, number);
        }
    }
    let [handle, arguments @ ..] = numbers;
    let mut result = ptr::null_mut();
    let called = catch_unwind(AssertUnwindSafe(|| {
        with_pad(handle as u32, |agent, open, pad| act(&mut Call { agent, open, pad }, arguments))
    }));
    match called {
        // SAFETY: a live environment.
        Ok(Ok(number)) => unsafe {
            if let Ok(small) = i32::try_from(number) {
                sys::napi_create_int32(env, small, &raw mut result);
            } else {
                sys::napi_create_int64(env, number, &raw mut result);
            }
        },
        Ok(Err(error)) => throw(env, error.status, &error.reason),
        Err(_) => throw(env, Code::Os.as_str(), "crossmem panicked, which is a defect of its own"),
    }
    result
}

fn throw(env: sys::napi_env, code: &str, message: &str) {
    let terminated = |text: &str| format!("{}\0", text.replace('\0', " "));
    let (code, message) = (terminated(code), terminated(message));
    // SAFETY: a live environment, and two strings that end with NUL; the runtime copies them.
    unsafe { sys::napi_throw_error(env, code.as_ptr().cast(), message.as_ptr().cast()) };
}
