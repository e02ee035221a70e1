//! The least that a call from JavaScript into an addon costs: a function that does nothing, made as
//! the raw calls are. It is for the benchmark, and an example so that no release contains it.

use std::ptr;

use napi::bindgen_prelude::Object as JsObject;
use napi::sys;
use napi_derive::napi;

/// `{ nothing() }`
///
/// # Errors
/// None of its own.
#[napi]
pub fn empty_call(env: napi::Env) -> napi::Result<JsObject<'static>> {
    let exports = JsObject::new(&env)?;
    let mut function = ptr::null_mut();
    // SAFETY: a live environment, a NUL-terminated name, and a callback that lives as long as this
    // image.
    unsafe {
        sys::napi_create_function(
            env.raw(),
            c"nothing".as_ptr(),
            7,
            Some(nothing),
            ptr::null_mut(),
            &raw mut function,
        );
        sys::napi_set_named_property(env.raw(), napi::JsValue::raw(&exports), c"nothing".as_ptr(), function);
    }
    Ok(exports)
}

unsafe extern "C" fn nothing(_: sys::napi_env, _: sys::napi_callback_info) -> sys::napi_value {
    ptr::null_mut()
}
