//! The arguments of the function in JavaScript that tries pending waits: `wake(ticked, ...due)`.

use std::ptr;

use napi::sys;

/// A function takes only so many arguments: it is called again for further ones.
const MOST: usize = 4096;

/// Calls `call` with the arguments as values of JavaScript, once or more often. The caller has a
/// handle scope.
pub(super) fn each_call(
    env: sys::napi_env,
    ticked: bool,
    due: &[u32],
    mut call: impl FnMut(&[sys::napi_value]),
) {
    let mut due = due;
    let mut ticked = ticked;
    loop {
        let (now, later) = due.split_at(due.len().min(MOST));
        let mut values = vec![ptr::null_mut(); now.len() + 1];
        // SAFETY: a live environment; each call writes one value.
        let made = unsafe {
            sys::napi_get_boolean(env, ticked, &raw mut values[0]) == sys::Status::napi_ok
                && now.iter().zip(&mut values[1..]).all(|(number, value)| {
                    sys::napi_create_uint32(env, *number, value) == sys::Status::napi_ok
                })
        };
        if made {
            call(&values);
        }
        if later.is_empty() {
            return;
        }
        (due, ticked) = (later, false);
    }
}
