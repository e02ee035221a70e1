//! The two calls that programs make by the million, without what napi-rs puts around a call: a quarter of its time.
//! They return `undefined` when all went well, and otherwise a number; the whole story is told by the calls in `locks.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use crossmem_core::{Looked, Object, Wait};
use napi::bindgen_prelude::{Object as JsObject, ToNapiValue};
use napi::sys;
use napi_derive::napi;

use crate::environment::with_open;

/// What else there is to say about a lock or an unlock: ask the call in `locks.rs`.
const ASK: u32 = 0;
/// Got it, and a holder died.
const GOT_AFTER_DEATH: u32 = 2;

/// The hot calls: `lock(handle)` looks once, and lets those who wait already go first.
#[napi(
    ts_return_type = "{ lock(handle: number): number | undefined; unlock(handle: number): number | undefined }"
)]
pub fn hot_calls(env: napi::Env) -> napi::Result<JsObject<'static>> {
    let calls = JsObject::new(&env)?;
    for (name, callback) in [(c"lock", lock as Callback), (c"unlock", unlock as Callback)] {
        let mut function = ptr::null_mut();
        // SAFETY: a live environment, a NUL-terminated name, and a callback that lives as long as this image.
        unsafe {
            sys::napi_create_function(
                env.raw(),
                name.as_ptr(),
                name.count_bytes() as isize,
                Some(callback),
                ptr::null_mut(),
                &raw mut function,
            );
            sys::napi_set_named_property(env.raw(), napi::JsValue::raw(&calls), name.as_ptr(), function);
        }
    }
    Ok(calls)
}

type Callback = unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value;

unsafe extern "C" fn lock(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |object| match object.lock(Wait::Politely) {
        Ok(Looked::Got(locked)) if !locked.owner_died => None,
        Ok(Looked::Got(_)) => Some(GOT_AFTER_DEATH),
        _ => Some(ASK),
    })
}

unsafe extern "C" fn unlock(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    answer(env, info, |object| object.unlock(false).err().map(|_| ASK))
}

fn answer(
    env: sys::napi_env,
    info: sys::napi_callback_info,
    act: impl FnOnce(Object<'_>) -> Option<u32>,
) -> sys::napi_value {
    let (mut argc, mut argument, mut handle) = (1, ptr::null_mut(), 0);
    // SAFETY: what the runtime calls us with, and room for the one argument.
    unsafe {
        sys::napi_get_cb_info(env, info, &raw mut argc, &raw mut argument, ptr::null_mut(), ptr::null_mut());
        sys::napi_get_value_uint32(env, argument, &raw mut handle);
    }
    let acted = catch_unwind(AssertUnwindSafe(|| {
        with_open(handle, |agent, open| Ok(act(Object::new(agent, &open.segment))))
    }));
    match acted {
        Ok(Ok(None)) => ptr::null_mut(),
        // SAFETY: a live environment.
        Ok(Ok(Some(number))) => unsafe { u32::to_napi_value(env, number) }.unwrap_or(ptr::null_mut()),
        // SAFETY: as above.
        _ => unsafe { u32::to_napi_value(env, ASK) }.unwrap_or(ptr::null_mut()),
    }
}
