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
pub(crate) fn put_all<'b>(
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
