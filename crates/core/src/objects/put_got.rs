//! What became of a put and a get, of one message or of many.

use crate::error::Result;

/// What became of a put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put<T> {
    /// It took effect, or there is room for it.
    Done(T),
    /// The queue has ended.
    Ended,
}

/// Puts in the first of these messages, as many as `put` finds room for; how many.
pub(super) fn put_all<'b>(
    messages: impl Iterator<Item = &'b [u8]>,
    mut put: impl FnMut(&'b [u8]) -> Result<Option<Put<()>>>,
) -> Result<Put<usize>> {
    let mut done = 0;
    for bytes in messages {
        match put(bytes) {
            Ok(Some(Put::Done(()))) => done += 1,
            // What else there is to say is said when it is the first one's turn.
            _ if done > 0 => break,
            Ok(Some(Put::Ended)) => return Ok(Put::Ended),
            Ok(None) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(Put::Done(done))
}

/// What a get found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got<T> {
    /// A message.
    Message(T),
    /// The queue has ended, and everything was taken out.
    Ended,
}

/// Gets at most `most` messages, as many as `pop` finds now; how many. `pop` says whether a message was copied. One that
/// was not is the last, and counts if it is `kept`: if the caller has it from now on.
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
            // What else there is to say is said when it is the first one's turn.
            _ if popped > 0 => break,
            Ok(Some(Got::Ended)) => return Ok(Got::Ended),
            Ok(None) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(Got::Message(popped))
}
