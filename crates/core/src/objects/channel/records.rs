//! One record at a time: pushed, or reserved and committed; peeked at and released, or popped.

use super::way::{Bytes, End, Way};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{ChannelWords, Kind};
use crate::objects::looked::Looked;
use crate::objects::object::Object;
use crate::objects::put_got::{Got, Put};
use crate::queues::{Corrupt, Place, Record, Seen, Then};
use crate::region::Region;
use crate::wait::{Attempt, Peers, Sleepers, Wait};

impl Object<'_> {
    /// Pushes a record of at most `most_bytes`.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE`, `ERR_LOST_OWNERSHIP`, `ERR_PEER_DIED`, `ERR_CORRUPT`.
    pub fn push_record(
        &self,
        end: &mut End,
        bytes: &[u8],
        more: bool,
        wait: Wait,
    ) -> Result<Looked<Put<()>>> {
        let way = self.way_out(end)?;
        Ok(match self.reserve(end, &way, bytes.len() as u64, wait)? {
            Some(Put::Done(place)) => {
                self.segment.region().write(way.ring.units.bytes_at(place.unit), bytes)?;
                way.ring.commit(place, bytes.len() as u32, more, Then::Notify);
                if !seeded(Fault::PushRingsNobody) {
                    way.ring.words.empty.notify_ordered(self.peers(), 1);
                }
                Looked::Got(Put::Done(()))
            }
            Some(Put::Ended) => Looked::Got(Put::Ended),
            None => self.until(&way.ring.words.full),
        })
    }

    /// Reserves room for a record of `len` bytes, which the caller then writes and commits.
    ///
    /// # Errors
    /// As `push_record`.
    pub fn reserve_record(&self, end: &mut End, len: u64, wait: Wait) -> Result<Looked<Put<Bytes>>> {
        let way = self.way_out(end)?;
        Ok(match self.reserve(end, &way, len, wait)? {
            Some(Put::Done(place)) => {
                end.reserved = Some(place);
                let offset = way.ring.units.bytes_at(place.unit);
                Looked::Got(Put::Done(Bytes { offset, len: place.len, more: false }))
            }
            Some(Put::Ended) => Looked::Got(Put::Ended),
            None => self.until(&way.ring.words.full),
        })
    }

    fn reserve(&self, end: &mut End, way: &Way<'_>, len: u64, wait: Wait) -> Result<Option<Put<Place>>> {
        if len > u64::from(way.ring.most()) {
            return Err(self.too_large_record(len, way.ring.most()));
        }
        // JavaScript pushes to the same ring without a call, so the remembered positions may be of
        // another lap.
        end.pushed = Seen::first(way.ring.words);
        let mut spins = end.spins;
        let found = way.ring.words.full.wait_spinning(self.peers(), wait, &mut spins, |attempt| {
            self.room(end, way, len as u32, attempt).transpose()
        });
        end.spins = spins;
        found.transpose()
    }

    /// Publishes the reserved record with the first `len` bytes that were written to it.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`: no record is reserved. `ERR_TOO_LARGE`, `ERR_ENDED`.
    pub fn commit_record(&self, end: &mut End, len: u32, more: bool) -> Result<()> {
        let way = self.way_out(end)?;
        let reserved = end.reserved.filter(|place| way.ring.is_next(place));
        let place = reserved.ok_or_else(|| self.lost("a reservation"))?;
        if len > place.len {
            return Err(self.too_large_record(len.into(), place.len));
        }
        if way.takes_no_more(end, self.peers()) && !seeded(Fault::CommitAfterClose) {
            return Err(self.refused_end(Code::Ended, "it has ended; nothing was pushed"));
        }
        end.reserved = None;
        way.ring.commit(place, len, more, Then::Notify);
        if !seeded(Fault::CommittedRecordRingsNobody) {
            way.ring.words.empty.notify_ordered(self.peers(), 1);
        }
        Ok(())
    }

    /// Waits for a record. It stays the first one until it is released.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_PEER_DIED`, `ERR_CORRUPT`.
    pub fn peek_record(&self, end: &mut End, wait: Wait) -> Result<Looked<Got<Bytes>>> {
        let way = self.way_in(end)?;
        Ok(match self.wait_for_record(end, &way, wait)? {
            Some(Got::Message(record)) => {
                end.front = Some(record);
                Looked::Got(Got::Message(way.bytes_of(record)))
            }
            Some(Got::Ended) => Looked::Got(Got::Ended),
            None => self.until(&way.ring.words.empty),
        })
    }

    fn wait_for_record(&self, end: &mut End, way: &Way<'_>, wait: Wait) -> Result<Option<Got<Record>>> {
        let mut spins = end.spins;
        let found = way.ring.words.empty.wait_spinning(self.peers(), wait, &mut spins, |attempt| {
            self.first(end, way, attempt).transpose()
        });
        end.spins = spins;
        found.transpose()
    }

    /// Releases the record that `peek_record` returned: the producer can use its room again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`: there is no such record.
    pub fn release_record(&self, end: &mut End) -> Result<()> {
        let way = self.way_in(end)?;
        let front = end.front.take().filter(|record| way.ring.is_first(record));
        let record = front.ok_or_else(|| self.lost("a record"))?;
        way.ring.release(record, Then::Notify);
        if !seeded(Fault::ReleasedRecordRingsNobody) {
            way.ring.words.full.notify_ordered(self.peers(), 1);
        }
        Ok(())
    }

    /// Waits for a record and passes it to `take`, which returns whether it copied the record. If
    /// not, the record stays the first one, as after `peek_record`.
    ///
    /// # Errors
    /// As `peek_record`.
    pub fn pop_record(
        &self,
        end: &mut End,
        wait: Wait,
        take: impl FnOnce(Region<'_>, Bytes) -> bool,
    ) -> Result<Looked<Got<()>>> {
        let way = self.way_in(end)?;
        Ok(match self.wait_for_record(end, &way, wait)? {
            Some(Got::Message(record)) => {
                end.front = Some(record);
                if take(self.segment.region(), way.bytes_of(record)) {
                    end.front = None;
                    way.ring.release(record, Then::Notify);
                    if !seeded(Fault::PopRingsNobody) {
                        way.ring.words.full.notify_ordered(self.peers(), 1);
                    }
                }
                Looked::Got(Got::Message(()))
            }
            Some(Got::Ended) => Looked::Got(Got::Ended),
            None => self.until(&way.ring.words.empty),
        })
    }

    /// Wakes the agent of the other end, if it sleeps until there is a record in the ring that end
    /// `index` pushes to (`for_record`), or room in the ring that end `index` pops from.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wake_peer(&self, index: usize, for_record: bool) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        let index = index % 2;
        let sleeper = if for_record { &words.rings[1 - index].empty } else { &words.rings[index].full };
        if !seeded(Fault::WakePeerRingsNobody) {
            sleeper.notify_one(self.peers());
        }
        Ok(())
    }

    /// Copies the bytes of the record that `peek_record` returned.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    #[inline]
    pub fn read_record(&self, record: Bytes, to: &mut [u8]) -> Result<()> {
        self.segment.region().read(record.offset, to)
    }

    /// Largest size in bytes of a record that this end can push.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG`: this end only pops.
    pub fn most_bytes(&self, end: &End) -> Result<u32> {
        Ok(self.way_out(end)?.ring.most())
    }

    /// An agent that is armed for a record (`for_record`) or for room stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_channel(&self, index: usize, for_record: bool) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        let sleeper =
            if for_record { &words.rings[index % 2].empty } else { &words.rings[1 - index % 2].full };
        // A wake-up need not be passed on: no other agent waits at this end.
        sleeper.remove(usize::from(self.peers().me().slot));
        Ok(())
    }

    /// Room for a record; `None` if there is none now.
    pub(super) fn room(
        &self,
        end: &mut End,
        way: &Way<'_>,
        len: u32,
        attempt: Attempt,
    ) -> Result<Option<Put<Place>>> {
        if way.takes_no_more(end, self.peers()) {
            return Ok(Some(Put::Ended));
        }
        if let Some(place) = way.ring.reserve(&mut end.pushed, len).map_err(|Corrupt| self.corrupt())? {
            return Ok(Some(Put::Done(place)));
        }
        if self.has_lost_peer(end, way, attempt) { Err(self.peer_died()) } else { Ok(None) }
    }

    /// The first record; `None` if there is none now.
    pub(super) fn first(
        &self,
        end: &mut End,
        way: &Way<'_>,
        attempt: Attempt,
    ) -> Result<Option<Got<Record>>> {
        let front = |end: &mut End| way.ring.front(&mut end.popped).map_err(|Corrupt| self.corrupt());
        if let Some(record) = front(end)? {
            return Ok(Some(Got::Message(record)));
        }
        fail::point("channel.empty");
        let is_closed = way.ends[1 - end.index].is_closed();
        if !is_closed && !self.has_lost_peer(end, way, attempt) {
            return Ok(None);
        }
        // Records that it pushed before it closed or died are read first.
        match front(end)? {
            Some(record) if !seeded(Fault::EndBeforeLastRecord) => Ok(Some(Got::Message(record))),
            _ if is_closed => Ok(Some(Got::Ended)),
            _ => Err(self.peer_died()),
        }
    }

    /// Whether the agent of a pipe's other end is dead. Asks the kernel, except in the first
    /// attempt of a wait.
    fn has_lost_peer(&self, end: &End, way: &Way<'_>, attempt: Attempt) -> bool {
        self.kind() == Kind::Pipe
            && !seeded(Fault::PeerDeathUntold)
            && attempt != Attempt::Newcomer
            && way.ends[1 - end.index].is_dead(self.peers())
    }

    #[cold]
    fn peer_died(&self) -> Error {
        Error::new(
            Code::PeerDied,
            format!("the process at the other end of \"{}\" died without closing it", self.segment.name),
        )
    }

    #[cold]
    pub(super) fn too_large_record(&self, len: u64, most: u32) -> Error {
        Error::new(
            Code::TooLarge,
            format!(
                "{len} bytes are more than the {most} that a record of \"{}\" can have; make it with a larger capacity. Nothing \
                 was pushed",
                self.segment.name
            ),
        )
    }
}
