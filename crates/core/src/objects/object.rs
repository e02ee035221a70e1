//! Objects that are more than bytes: a header, the words of their kind, and for values the data behind.

use super::header::Words;
use super::looked::{Looked, offset};
use super::segment::Segment;
use crate::domain::{Agent, Seat};
use crate::error::{Code, Error, Result};
use crate::layout::{Kind, ObjectHeader, PARAMS, Sleeper, SlotSet, WORDS};
use crate::locks::Refused;
use crate::sync::Ordering::Relaxed;
use crate::wait::{Peers, Sleepers};

/// An open object and who uses it.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) segment: &'a Segment,
}

impl<'a> Object<'a> {
    /// Cheap: made for each call.
    #[must_use]
    pub fn new(agent: &'a Agent, segment: &'a Segment) -> Object<'a> {
        Object { agent, segment }
    }

    /// The caller's agent, as the protocols know it.
    pub(crate) fn peers(&self) -> &'a Seat {
        self.agent.seat()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.segment.kind
    }

    /// Its words. The header was checked when it was opened.
    pub(crate) fn words<T: Words>(&self) -> Result<&'a T> {
        if T::KINDS.contains(&self.segment.kind) {
            return self.segment.region().at(WORDS);
        }
        Err(Error::new(
            Code::WrongKind,
            format!("\"{}\" is a {}", self.segment.name, self.segment.kind.as_str()),
        ))
    }

    /// What it was made with.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn params(&self) -> Result<[u64; PARAMS]> {
        let header: &ObjectHeader = self.segment.region().at(0)?;
        Ok(std::array::from_fn(|i| header.params[i].load(Relaxed)))
    }

    /// Whether this agent is still among the sleepers at that offset. Once it isn't, somebody rang for it.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn sleeps(&self, sleepers: u64) -> Result<bool> {
        let (region, me) = (self.segment.region(), usize::from(self.peers().me().slot));
        Ok(match self.kind() {
            Kind::SpscQueue | Kind::Pipe => region.at::<Sleeper>(sleepers)?.contains(me),
            _ => region.at::<SlotSet>(sleepers)?.contains(me),
        })
    }

    /// Where those sleep who wait for `set`, as an offset in the segment.
    pub(crate) fn offset<S>(&self, set: &S) -> u64 {
        offset(self.segment.region(), set)
    }

    /// Not yet; who armed itself sleeps there.
    pub(crate) fn until<T, S>(&self, sleepers: &S) -> Looked<T> {
        Looked::NotYet { sleepers: self.offset(sleepers) }
    }

    pub(crate) fn refused<T>(&self, refused: Refused, sleepers: &SlotSet) -> Looked<T> {
        Looked::refused(refused, self.segment.region(), sleepers)
    }

    /// For what can't wait longer: somebody is inside and doesn't run.
    pub(crate) fn stuck(&self) -> Error {
        Error::new(
            Code::Timeout,
            format!(
                "a process has been inside \"{}\" for too long: it is alive but doesn't run (stopped, or in a debugger?); \
                 continue it or kill it",
                self.segment.name
            ),
        )
    }

    pub(crate) fn lost(&self, what: &str) -> Error {
        Error::new(
            Code::LostOwnership,
            format!("this thread doesn't hold {what} of \"{}\" (any more)", self.segment.name),
        )
    }

    pub(crate) fn corrupt(&self) -> Error {
        Error::new(
            Code::Corrupt,
            format!(
                "\"{}\" was overwritten by something else; unlink it and make it anew",
                self.segment.name
            ),
        )
    }
}
