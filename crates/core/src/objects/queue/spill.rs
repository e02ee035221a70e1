//! Spilled messages: one that is too large for its queue's chunks has a segment of its own, which
//! belongs to the queue.
//!
//! | died | what is left | removed by |
//! | --- | --- | --- |
//! | writer, before the chunk names it | a chunk that names an older segment, long removed | - |
//! | writer, afterwards | the segment, or none yet; the chunk is `Writing` | the chunk's reaper |
//! | reader, reading | the segment; the chunk is `Reading` | the chunk's reaper |
//! | reader, afterwards | the segment, or none; the chunk is `Writing` | the chunk's reaper |
//! | all agents | the segment, without its queue | the next sweep |

use crate::domain::{Agent, numbered_name, random_u64};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::Kind;
use crate::locks::ATTEMPT_TIMEOUT;
use crate::objects::segment::{Segment, map};
use crate::objects::spec::Spec;
use crate::region::Region;
use crate::sys::Part;

/// A segment as its chunk names it: the number that its name is made of, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spill {
    number: u64,
    pub len: u64,
}

impl Spill {
    pub(crate) fn new(len: u64) -> Result<Spill> {
        Ok(Spill { number: random_u64()?, len })
    }

    pub(crate) fn read(region: Region<'_>, message_at: u64) -> Result<Spill> {
        let mut words = [0; 16];
        region.copy_to(message_at, &mut words)?;
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| words[at + i]));
        Ok(Spill { number: word(0), len: word(8) })
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let (number, len) = (self.number.to_le_bytes(), self.len.to_le_bytes());
        std::array::from_fn(|i| if i < 8 { number[i] } else { len[i - 8] })
    }

    /// Creates the segment. The chunk names it already.
    ///
    /// # Errors
    /// As `Segment::create`; `ERR_TIMEOUT` after 2 ms.
    pub(crate) fn create(self, agent: &Agent, queue: &Segment, bytes: &[u8]) -> Result<()> {
        let name = numbered_name(self.number);
        let parts = [Part { offset: 0, bytes, len: bytes.len() as u64 }];
        let kept = Spec::new(&name, Kind::Spill, self.len);
        let spec = Spec { parts: &parts, parent: queue.object(), ..kept };
        let segment = Segment::create_within(agent, &spec, ATTEMPT_TIMEOUT)?;
        fail::point("spill.created");
        // The queue keeps the segment. If the queue was unlinked, it keeps nothing: then the
        // segment stays for as long as this agent has the queue open.
        segment.close(agent);
        Ok(())
    }

    /// Calls `read` with the segment's bytes. Takes no lock: owning the chunk implies owning its
    /// segment.
    pub(crate) fn open<T>(self, read: impl FnOnce(Region<'_>) -> Result<T>) -> Result<T> {
        let mapping = map(&numbered_name(self.number)).map_err(|e| match e.code {
            Code::NotFound => Error::new(
                Code::NotFound,
                "a message that was too large for its queue is gone: the queue was unlinked, and the \
                 process that put it has ended",
            ),
            _ => e,
        })?;
        let mapping = mapping.exactly(self.len);
        if mapping.region().len() as u64 == self.len {
            return read(mapping.region());
        }
        Err(Error::new(
            Code::Corrupt,
            "a message that was too large for its queue doesn't have the size that its queue states",
        ))
    }

    /// Removes the segment if there is one; later if the registry is busy.
    pub(crate) fn remove(self, agent: &Agent) {
        if !seeded(Fault::SpillStays) {
            agent.remove_spill(self.number);
        }
    }
}
