//! The function in JavaScript that an event loop calls to try pending waits.

use std::ptr;

use napi::sys;

use super::arguments::each_call;

/// A function of one environment, called on its thread from outside of JavaScript.
pub(super) struct Function {
    env: sys::napi_env,
    called: sys::napi_ref,
    /// Node-API wants an object for each asynchronous context.
    resource: sys::napi_ref,
    context: sys::napi_async_context,
}

impl Function {
    /// `None`: the environment takes no more.
    pub(super) fn of(env: sys::napi_env, function: sys::napi_value) -> Option<Function> {
        let mut made =
            Function { env, called: ptr::null_mut(), resource: ptr::null_mut(), context: ptr::null_mut() };
        let (mut resource, mut name) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: a live environment, inside a call from JavaScript.
        let all = unsafe {
            [
                sys::napi_create_reference(env, function, 1, &raw mut made.called),
                sys::napi_create_object(env, &raw mut resource),
                sys::napi_create_reference(env, resource, 1, &raw mut made.resource),
                sys::napi_create_string_utf8(env, c"crossmem".as_ptr(), 8, &raw mut name),
                sys::napi_async_init(env, resource, name, &raw mut made.context),
            ]
        };
        all.iter().all(|status| *status == sys::Status::napi_ok).then_some(made)
    }

    /// Calls it, and then the reactions of promises. What it throws is an uncaught exception of the
    /// process.
    pub(super) fn call(&self, ticked: bool, due: &[u32]) {
        let mut scope = ptr::null_mut();
        // SAFETY: on the environment's thread, before its end; everything was made in `of`.
        unsafe {
            if sys::napi_open_handle_scope(self.env, &raw mut scope) != sys::Status::napi_ok {
                return;
            }
            let (mut function, mut resource) = (ptr::null_mut(), ptr::null_mut());
            sys::napi_get_reference_value(self.env, self.called, &raw mut function);
            sys::napi_get_reference_value(self.env, self.resource, &raw mut resource);
            each_call(self.env, ticked, due, |arguments| self.make(resource, function, arguments));
            sys::napi_close_handle_scope(self.env, scope);
        }
    }

    unsafe fn make(
        &self,
        resource: sys::napi_value,
        function: sys::napi_value,
        arguments: &[sys::napi_value],
    ) {
        let mut result = ptr::null_mut();
        // SAFETY: as in `call`; the values live in its scope.
        unsafe {
            let made = sys::napi_make_callback(
                self.env,
                self.context,
                resource,
                function,
                arguments.len(),
                arguments.as_ptr(),
                &raw mut result,
            );
            let mut error = ptr::null_mut();
            if made == sys::Status::napi_pending_exception
                && sys::napi_get_and_clear_last_exception(self.env, &raw mut error) == sys::Status::napi_ok
            {
                sys::napi_fatal_exception(self.env, error);
            }
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // SAFETY: dropped on the environment's thread, at its end at the latest.
        unsafe {
            sys::napi_async_destroy(self.env, self.context);
            sys::napi_delete_reference(self.env, self.called);
            sys::napi_delete_reference(self.env, self.resource);
        }
    }
}
