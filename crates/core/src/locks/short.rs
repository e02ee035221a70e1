//! Mutexes that are held for microseconds, inside one call: how long each kind of call waits for
//! one, and the error if the holder doesn't run.

use std::time::Duration;

use super::mutex::{Acquired, Refused};
use crate::error::{Code, Error, Result};
use crate::layout::{MutexWords, Owner};
use crate::wait::{Peers, Wait};

/// For a call that can do nothing without the mutex: a holder that keeps it longer is stopped.
pub(crate) const STUCK_TIMEOUT: Duration = Duration::from_secs(10);
/// For work that a later call or a sweep does if this call can't, such as closing.
pub(crate) const DEFERRABLE_TIMEOUT: Duration = Duration::from_millis(100);
/// For an attempt, which is made again later.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(2);

/// Takes the mutex. The timeout is for one holder: while the mutex passes from one agent to the
/// next, the wait goes on.
///
/// # Errors
/// `ERR_TIMEOUT` when one and the same agent held it for all of `timeout`, `ERR_DEADLOCK` when the
/// caller holds it.
pub(crate) fn acquire_short(
    mutex: &MutexWords,
    peers: &impl Peers,
    timeout: Duration,
    what: &str,
) -> Result<Acquired> {
    const ATTEMPTS: u32 = 10;
    let (mut holder, mut attempts) = (None, 0);
    loop {
        match mutex.lock(peers, Wait::For(timeout / ATTEMPTS)) {
            Ok(acquired) => return Ok(acquired),
            Err(Refused::Mine) => {
                return Err(Error::new(Code::Deadlock, format!("this agent already holds {what}")));
            }
            Err(Refused::NotYet) => {
                let now = mutex.holder();
                attempts = if holder == now { attempts + 1 } else { 1 };
                holder = now;
                if attempts >= ATTEMPTS || timeout.is_zero() {
                    return Err(Error::new(Code::Timeout, stuck(peers, now, timeout, what)));
                }
            }
        }
    }
}

fn stuck(peers: &impl Peers, holder: Option<Owner>, timeout: Duration, what: &str) -> String {
    let pid = holder.map_or(0, |owner| peers.pid(usize::from(owner.slot)));
    format!(
        "process {pid} has held {what} for {timeout:?}: it is alive but doesn't run (stopped, or in a debugger?); \
         continue it or kill it"
    )
}
