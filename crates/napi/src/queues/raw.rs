//! Calls that bypass napi-rs. Programs put and get messages by the million, and the wrapper that
//! napi-rs puts around a call would take longer than the queue needs. So these calls take numbers
//! and return a number; the messages go over the pad. A number from 0 up is a length or a count, a
//! negative one is an answer of `protocol::transfer`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crossmem_core::{Agent, Code, Error, Got, Looked, Put};
use napi::sys;

use crate::environment::{Open, with_pad};
use crate::pad::Pad;
use crate::protocol::transfer::{ENDED, NOT_YET};

/// The data of one call.
pub(super) struct Call<'c> {
    pub agent: &'c Agent,
    pub open: &'c mut Open,
    pub pad: &'c mut Pad,
}

pub(super) type Answer = crossmem_core::Result<i64>;

pub(super) type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

/// The most arguments that a call has besides the handle.
const ARGUMENTS: usize = 3;

/// Declares calls, each as `nameInJavaScript = function(arguments)`, and a list of them, `CALLS`.
macro_rules! calls {
    ($($(#[$doc:meta])* $js:ident = $name:ident($($argument:ident),*);)*) => {
        /// The name of each call in JavaScript, with a NUL at its end, and the function that
        /// Node-API calls.
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

/// The answer of a call that puts.
pub(super) fn put<T>(outcome: Looked<Put<T>>, done: impl FnOnce(T) -> i64) -> i64 {
    match outcome {
        Looked::Got(Put::Done(what)) => done(what),
        Looked::Got(Put::Ended) => ENDED,
        _ => NOT_YET,
    }
}

/// The answer of a call that gets.
pub(super) fn got<T>(outcome: Looked<Got<T>>, found: impl FnOnce(T) -> i64) -> i64 {
    match outcome {
        Looked::Got(Got::Message(what)) => found(what),
        Looked::Got(Got::Ended) => ENDED,
        _ => NOT_YET,
    }
}

/// Makes a call a method of the object `calls`.
pub(super) fn add(env: sys::napi_env, calls: sys::napi_value, name: &str, callback: Callback) {
    let (mut function, name) = (ptr::null_mut(), name.as_ptr().cast());
    // SAFETY: a live environment, a NUL-terminated name, and a callback that lives as long as this
    // image.
    unsafe {
        sys::napi_create_function(env, name, -1, Some(callback), ptr::null_mut(), &raw mut function);
        sys::napi_set_named_property(env, calls, name, function);
    }
}

/// Reads the arguments, runs `act`, and gives JavaScript its number or its error.
pub(super) fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    act: impl FnOnce(&mut Call<'_>, [i64; ARGUMENTS]) -> Answer,
) -> sys::napi_value {
    let mut values = [ptr::null_mut(); ARGUMENTS + 1];
    let mut count = values.len();
    let mut numbers = [0_i64; ARGUMENTS + 1];
    // SAFETY: the runtime's own values, and room for the arguments. An argument that isn't a number
    // stays 0.
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
        Err(_) => throw(env, Code::Os.as_str(), "crossmem panicked: this is a bug in crossmem"),
    }
    result
}

fn throw(env: sys::napi_env, code: &str, message: &str) {
    let terminated = |text: &str| format!("{}\0", text.replace('\0', " "));
    let (code, message) = (terminated(code), terminated(message));
    // SAFETY: a live environment, and two NUL-terminated strings, which the runtime copies.
    unsafe { sys::napi_throw_error(env, code.as_ptr().cast(), message.as_ptr().cast()) };
}
