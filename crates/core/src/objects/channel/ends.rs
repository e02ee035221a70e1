//! The ends of a channel: roles that agents take and release.

use super::way::End;
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{ChannelGeometry, ChannelWords, EndWords, Kind, Owner, UNIT};
use crate::objects::object::Object;
use crate::queues::Seen;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::wait::{Peers, Sleepers, Spins};

/// The end of an `SpscQueue` that pops.
pub const CONSUMER: usize = 0;
/// The end of an `SpscQueue` that pushes.
pub const PRODUCER: usize = 1;

impl Object<'_> {
    /// Takes an end that is free or that a dead agent has.
    ///
    /// # Errors
    /// `ERR_BUSY`: a living agent has it. Of a pipe also `ERR_ENDED` (the end was closed) and
    /// `ERR_PEER_DIED` (its agent died).
    pub fn take_end(&self, index: usize) -> Result<End> {
        self.take_end_from(index, None)
    }

    /// As `take_end`; also takes an end that the agent of that instance has, which handed it over.
    ///
    /// # Errors
    /// As `take_end`.
    pub fn take_end_from(&self, index: usize, sender: Option<u32>) -> Result<End> {
        let geometry = ChannelGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        let words: &ChannelWords = self.words()?;
        let end = words.ends.get(index).ok_or_else(|| self.corrupt())?;
        let is_pipe = self.kind() == Kind::Pipe;
        let mut before = end.owner.load(Acquire);
        loop {
            let dead = match Owner::of(before) {
                None => false,
                Some(owner) if is_sender(owner, sender) => false,
                Some(owner) if self.keeps_end(owner) => {
                    return Err(self.refused_end(Code::Busy, "a living agent has this end of it"));
                }
                Some(_) => true,
            };
            if is_pipe && end.is_closed() {
                return Err(self.refused_end(Code::Ended, "this end of it was closed"));
            }
            if is_pipe && dead && !seeded(Fault::PipeTakenOver) {
                return Err(self.refused_end(Code::PeerDied, "the agent that had this end of it died"));
            }
            fail::point("channel.taking");
            if seeded(Fault::EndByStore) {
                end.owner.store(self.peers().me().word(), Release);
                break;
            }
            match end.owner.compare_exchange(before, self.peers().me().word(), AcqRel, Acquire) {
                Ok(_) => break,
                Err(now) => before = now,
            }
        }
        fail::point("channel.taken");
        Ok(End {
            index,
            geometry,
            popped: Seen::first(&words.rings[index]),
            pushed: Seen::first(&words.rings[1 - index]),
            front: None,
            reserved: None,
            spins: Spins::default(),
        })
    }

    /// Whether this agent lives, so that its end can't be taken.
    fn keeps_end(&self, owner: Owner) -> bool {
        let lives = owner == self.peers().me() || !self.peers().is_dead(owner);
        (lives || seeded(Fault::DeadKeepEnds)) && !seeded(Fault::EndOfTheLivingTaken)
    }

    pub(super) fn refused_end(&self, code: Code, why: &str) -> Error {
        Error::new(code, format!("\"{}\": {why}", self.segment.name))
    }

    /// Releases an end. With `close`, no agent can push from it any more: the other end reads all
    /// pushed records, then the end.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    #[expect(clippy::needless_pass_by_value, reason = "consumed: the handle is invalid afterwards")]
    pub fn release_end(&self, end: End, close: bool) -> Result<()> {
        if close {
            self.close_end(&end)?;
        }
        let words: &ChannelWords = self.words()?;
        let owner = &words.ends[end.index].owner;
        // If the CAS fails, another agent has the end by now.
        let _ = owner.compare_exchange(self.peers().me().word(), 0, Release, Relaxed);
        fail::point("channel.released");
        Ok(())
    }

    /// Closes an end: it pushes nothing more, but pops until it is released.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn close_end(&self, end: &End) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        words.ends[end.index].closed.store(u32::from(!seeded(Fault::CloseUntold)), Release);
        fail::point("channel.closed");
        if !seeded(Fault::CloseRingsNoWriter) {
            words.rings[end.index].full.notify_one(self.peers());
        }
        if !seeded(Fault::CloseRingsNoReader) {
            words.rings[1 - end.index].empty.notify_one(self.peers());
        }
        Ok(())
    }

    /// Whether an end was closed.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn end_is_closed(&self, index: usize) -> Result<bool> {
        let words: &ChannelWords = self.words()?;
        Ok(words.ends.get(index).is_some_and(EndWords::is_closed))
    }

    /// Bytes in use of the ring that end `index` pops from. Other agents may be changing the
    /// number.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn bytes_towards(&self, index: usize) -> Result<u64> {
        let geometry = ChannelGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        Ok(u64::from(self.ring(self.words()?, &geometry, index % 2)?.used()) * u64::from(UNIT))
    }
}

/// Whether that agent hands the end over to the caller.
fn is_sender(owner: Owner, sender: Option<u32>) -> bool {
    let is = sender.is_some_and(|sender| sender == owner.instance || seeded(Fault::EndFromAnySender));
    is && !seeded(Fault::EndStaysOnItsWay)
}
