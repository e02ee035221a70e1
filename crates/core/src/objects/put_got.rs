//! Results of puts and gets, of one message or of many.

use crate::error::Result;

/// The result of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put<T> {
    /// The message is in the queue, or there is room for it.
    Done(T),
    /// The queue has ended.
    Ended,
}

/// Puts as many of these messages as there is room for, the first ones first, and returns how many.
pub(super) fn put_all<'b>(
    messages: impl Iterator<Item = &'b [u8]>,
    mut put: impl FnMut(&'b [u8]) -> Result<Option<Put<()>>>,
) -> Result<Put<usize>> {
    let mut done = 0;
    for bytes in messages {
        match put(bytes) {
            Ok(Some(Put::Done(()))) => done += 1,
            // The next call, whose first message this is, reports an error or the end.
            _ if done > 0 => break,
            Ok(Some(Put::Ended)) => return Ok(Put::Ended),
            Ok(None) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(Put::Done(done))
}

/// The result of a get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got<T> {
    /// A message.
    Message(T),
    /// The queue has ended, and it is empty.
    Ended,
}

/// Gets at most `most` messages, as many as are there now, and returns how many. `pop` returns
/// whether the message was copied. A message that was not copied is the last; it counts if `kept`
/// says that the caller owns it from now on.
pub(super) fn pop_all(
    most: usize,
    kept: bool,
    mut pop: impl FnMut() -> Result<Option<Got<bool>>>,
) -> Result<Got<usize>> {
    let mut popped = 0;
    while popped < most {
        match pop() {
            Ok(Some(Got::Message(copied))) => {
                popped += usize::from(copied || kept);
                if !copied {
                    break;
                }
            }
            // The next call, whose first message this is, reports an error or the end.
            _ if popped > 0 => break,
            Ok(Some(Got::Ended)) => return Ok(Got::Ended),
            Ok(None) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(Got::Message(popped))
}
