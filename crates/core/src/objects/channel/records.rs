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
use crate::wait::{Attempt as Look, Peers, Sleepers, Wait};

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
                way.ring.words.empty.notify_ordered(self.peers(), 1);
                Looked::Got(Put::Done(()))
            }
            Some(Put::Ended) => Looked::Got(Put::Ended),
            None => self.until(&way.ring.words.full),
        })
    }

    /// Finds room for a record of `len` bytes, which the caller then writes and commits.
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
        // JavaScript pushes to the same ring, so that what was seen then may be of another lap.
        end.pushed = Seen::first(way.ring.words);
        let mut spins = end.spins;
        let found = way.ring.words.full.wait_spinning(self.peers(), wait, &mut spins, |look| {
            self.room(end, way, len as u32, look).transpose()
        });
        end.spins = spins;
        found.transpose()
    }

    /// Publishes what was written to the place that was reserved, or its first `len` bytes.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`: nothing is reserved. `ERR_TOO_LARGE`.
    pub fn commit_record(&self, end: &mut End, len: u32, more: bool) -> Result<()> {
        let way = self.way_out(end)?;
        let reserved = end.reserved.filter(|place| way.ring.is_next(place));
        let place = reserved.ok_or_else(|| self.lost("a reservation"))?;
        if len > place.len {
            return Err(self.too_large_record(len.into(), place.len));
        }
        if way.takes_no_more(end, self.peers()) && !seeded(Fault::CommitAfterClose) {
            return Err(self.refused_end(Code::Ended, "it has ended; nothing was put in"));
        }
        end.reserved = None;
        way.ring.commit(place, len, more, Then::Notify);
        way.ring.words.empty.notify_ordered(self.peers(), 1);
        Ok(())
    }

    /// Waits for a record, which stays the first one until it is released.
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
        let found = way
            .ring
            .words
            .empty
            .wait_spinning(self.peers(), wait, &mut spins, |look| self.first(end, way, look).transpose());
        end.spins = spins;
        found.transpose()
    }

    /// The record that was peeked at was read: its room is the producer's again.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`: there is none.
    pub fn release_record(&self, end: &mut End) -> Result<()> {
        let way = self.way_in(end)?;
        let front = end.front.take().filter(|record| way.ring.is_first(record));
        let record = front.ok_or_else(|| self.lost("a record"))?;
        way.ring.release(record, Then::Notify);
        way.ring.words.full.notify_ordered(self.peers(), 1);
        Ok(())
    }

    /// Waits for a record. `take` gets it and says whether it has copied it; else it stays the first one, as after
    /// `peek_record`.
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
                    way.ring.words.full.notify_ordered(self.peers(), 1);
                }
                Looked::Got(Got::Message(()))
            }
            Some(Got::Ended) => Looked::Got(Got::Ended),
            None => self.until(&way.ring.words.empty),
        })
    }

    /// Wakes who sleeps until there is a record in the ring that end `index` pushes to, or room in the one that it pops from.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wake_peer(&self, index: usize, for_record: bool) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        let index = index % 2;
        let sleeper = if for_record { &words.rings[1 - index].empty } else { &words.rings[index].full };
        sleeper.notify_one(self.peers());
        Ok(())
    }

    /// Copies the bytes of a record that was peeked at.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn read_record(&self, record: Bytes, to: &mut [u8]) -> Result<()> {
        self.segment.region().read(record.offset, to)
    }

    /// Most bytes of a record that this end pushes.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG`: it only pops.
    pub fn most_bytes(&self, end: &End) -> Result<u32> {
        Ok(self.way_out(end)?.ring.most())
    }

    /// Who armed itself at a channel stops waiting, for a record or for room.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn give_up_channel(&self, index: usize, for_record: bool) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        let sleeper =
            if for_record { &words.rings[index % 2].empty } else { &words.rings[1 - index % 2].full };
        // There is nobody else whom a wake-up could be passed on to.
        sleeper.remove(usize::from(self.peers().me().slot));
        Ok(())
    }

    /// Room for a record; `None`: not now.
    pub(super) fn room(
        &self,
        end: &mut End,
        way: &Way<'_>,
        len: u32,
        look: Look,
    ) -> Result<Option<Put<Place>>> {
        if way.takes_no_more(end, self.peers()) {
            return Ok(Some(Put::Ended));
        }
        if let Some(place) = way.ring.reserve(&mut end.pushed, len).map_err(|Corrupt| self.corrupt())? {
            return Ok(Some(Put::Done(place)));
        }
        if self.has_lost_peer(end, way, look) { Err(self.peer_died()) } else { Ok(None) }
    }

    /// The first record; `None`: not now.
    pub(super) fn first(&self, end: &mut End, way: &Way<'_>, look: Look) -> Result<Option<Got<Record>>> {
        let front = |end: &mut End| way.ring.front(&mut end.popped).map_err(|Corrupt| self.corrupt());
        if let Some(record) = front(end)? {
            return Ok(Some(Got::Message(record)));
        }
        fail::point("channel.empty");
        let is_closed = way.ends[1 - end.index].is_closed();
        if !is_closed && !self.has_lost_peer(end, way, look) {
            return Ok(None);
        }
        // What it pushed before that is to be read first.
        match front(end)? {
            Some(record) if !seeded(Fault::EndBeforeLastRecord) => Ok(Some(Got::Message(record))),
            _ if is_closed => Ok(Some(Got::Ended)),
            _ => Err(self.peer_died()),
        }
    }

    /// Whether nobody will come to the other end any more. Asks the kernel, though not in the first look of a wait.
    fn has_lost_peer(&self, end: &End, way: &Way<'_>, look: Look) -> bool {
        self.kind() == Kind::Pipe
            && !seeded(Fault::PeerDeathUntold)
            && look != Look::Newcomer
            && way.ends[1 - end.index].is_dead(self.peers())
    }

    fn peer_died(&self) -> Error {
        Error::new(
            Code::PeerDied,
            format!("the process at the other end of \"{}\" died without closing it", self.segment.name),
        )
    }

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
