//! Objects that are more than bytes: a header, then the fields of their kind, then the data of a
//! value or a queue.

use super::header::Words;
use super::looked::{Looked, offset};
use super::segment::Segment;
use crate::domain::{Agent, Seat, outlook_of};
use crate::error::{Code, Error, Result};
use crate::layout::{Kind, ObjectHeader, PARAMS, Sleeper, SlotSet, WORDS};
use crate::locks::Refused;
use crate::sync::Ordering::Relaxed;
use crate::wait::{Peers, Sleepers};

/// An open object, and the agent that uses it.
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

    /// The object's fields. The header was checked when the object was opened.
    pub(crate) fn words<T: Words>(&self) -> Result<&'a T> {
        if T::KINDS.contains(&self.segment.kind) {
            return self.segment.region().at(WORDS);
        }
        Err(Error::new(
            Code::WrongKind,
            format!("\"{}\" is a {}", self.segment.name, self.segment.kind.as_str()),
        ))
    }

    /// The parameters that the object was made with.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn params(&self) -> Result<[u64; PARAMS]> {
        let header: &ObjectHeader = self.segment.region().at(0)?;
        Ok(std::array::from_fn(|i| header.params[i].load(Relaxed)))
    }

    /// Whether this agent is still in the set of sleepers at that offset. If it isn't, another
    /// agent took it out and rang its doorbell.
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

    /// A number that changes when the object loses its name, and when another living agent opens or
    /// closes the object, or dies. Takes no lock.
    #[must_use]
    pub fn outlook(&self) -> u64 {
        self.segment.object.map_or(0, |object| outlook_of(self.peers(), object))
    }

    /// The set of sleepers as an offset in the segment.
    pub(crate) fn offset<S>(&self, set: &S) -> u64 {
        offset(self.segment.region(), set)
    }

    /// Not available. An armed caller is in that set of sleepers.
    pub(crate) fn until<T, S>(&self, sleepers: &S) -> Looked<T> {
        Looked::NotYet { sleepers: self.offset(sleepers) }
    }

    pub(crate) fn refused<T>(&self, refused: Refused, sleepers: &SlotSet) -> Looked<T> {
        Looked::refused(refused, self.segment.region(), sleepers)
    }

    /// The error when an agent has held the object's short mutex for too long.
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

    #[cold]
    pub(crate) fn lost(&self, what: &str) -> Error {
        Error::new(
            Code::LostOwnership,
            format!("this thread doesn't hold {what} of \"{}\" (any more)", self.segment.name),
        )
    }

    #[cold]
    pub(crate) fn corrupt(&self) -> Error {
        Error::new(
            Code::Corrupt,
            format!("\"{}\" was overwritten; unlink it and create it again", self.segment.name),
        )
    }
}
