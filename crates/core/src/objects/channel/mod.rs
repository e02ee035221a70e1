//! Channels: two ends, which are roles that agents take, and a ring of records towards each of them or one of them.
//!
//! An `SpscQueue` has one ring: end 0 consumes, end 1 produces, and a dead agent's end is taken over with everything that is
//! in the ring. A `Pipe` is a conversation: its ends are taken once, and a dead one's is the end of it.
//!
//! | an agent died | `owner` | the other end sees |
//! | --- | --- | --- |
//! | before the CAS on `owner` | as before | nothing |
//! | with an end | the dead agent | what it pushed; then it waits for a successor, or is told `ERR_PEER_DIED` |
//! | after the store to `closed` | the dead agent | what it pushed; then the end |

use super::looked::Looked;
use super::object::Object;
use super::put_got::{Got, Put, put_all};
use crate::error::{Code, Error, Result};
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{ChannelGeometry, ChannelWords, EndWords, Kind, Owner, UNIT};
use crate::queues::{Corrupt, Place, Record, Ring, Seen, Then, Units};
use crate::region::Region;
use crate::sync::AtomicU64;
use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::wait::{Attempt as Look, Peers, Sleepers, Spins, Wait};

/// The end of an `SpscQueue` that pops.
pub const CONSUMER: usize = 0;
/// The end of an `SpscQueue` that pushes.
pub const PRODUCER: usize = 1;

/// What an agent that has an end of a channel remembers of it. End `e` pops from ring `e`, and pushes to the other one.
pub struct End {
    index: usize,
    geometry: ChannelGeometry,
    popped: Seen,
    pushed: Seen,
    front: Option<Record>,
    reserved: Option<Place>,
    spins: Spins,
}

/// Bytes of a record, in the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes {
    /// Where they begin.
    pub offset: u64,
    /// How many there are, or fit.
    pub len: u32,
    /// The message goes on in the next record.
    pub more: bool,
}

/// Units in a mapped segment.
#[derive(Clone, Copy)]
struct Mapped<'m> {
    headers: &'m [AtomicU64],
    at: u64,
}

impl Mapped<'_> {
    /// Where the bytes behind the header at `unit` are.
    fn bytes_at(&self, unit: u32) -> u64 {
        self.at + u64::from(unit + 1) * u64::from(UNIT)
    }
}

impl Units for Mapped<'_> {
    fn header(&self, unit: u32) -> u64 {
        self.headers[unit as usize].load(Relaxed)
    }

    fn set_header(&self, unit: u32, header: u64) {
        self.headers[unit as usize].store(header, Relaxed);
    }
}

impl EndWords {
    fn is_closed(&self) -> bool {
        // Acquire: pairs with the Release in `close_end`; what was pushed before is seen.
        self.closed.load(Acquire) != 0
    }

    /// Whether who has it is gone without having closed it.
    fn is_dead(&self, peers: &impl Peers) -> bool {
        Owner::of(self.owner.load(Acquire)).is_some_and(|owner| peers.is_dead(owner))
    }
}

impl<'a> Object<'a> {
    /// Takes an end: from nobody, or from the dead.
    ///
    /// # Errors
    /// `ERR_BUSY`: somebody living has it. Of a pipe: `ERR_ENDED` (it was closed), `ERR_PEER_DIED` (who had it died).
    pub fn take_end(&self, index: usize) -> Result<End> {
        let geometry = ChannelGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        let words: &ChannelWords = self.words()?;
        let end = words.ends.get(index).ok_or_else(|| self.corrupt())?;
        let is_pipe = self.kind() == Kind::Pipe;
        let mut before = end.owner.load(Acquire);
        loop {
            let dead = match Owner::of(before) {
                None => false,
                Some(owner) if self.keeps_end(owner) => {
                    return Err(self.refused_end(Code::Busy, "somebody living has this end of it"));
                }
                Some(_) => true,
            };
            if is_pipe && end.is_closed() {
                return Err(self.refused_end(Code::Ended, "this end of it was closed"));
            }
            if is_pipe && dead && !seeded(Fault::PipeTakenOver) {
                return Err(self.refused_end(Code::PeerDied, "who had this end of it died"));
            }
            fail::point("channel.taking");
            if seeded(Fault::EndByStore) {
                end.owner.store(self.agent.me().word(), Release);
                break;
            }
            match end.owner.compare_exchange(before, self.agent.me().word(), AcqRel, Acquire) {
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

    /// Whether it lives, and an end that it has is its own.
    fn keeps_end(&self, owner: Owner) -> bool {
        let lives = owner == self.agent.me() || !self.agent.is_dead(owner);
        (lives || seeded(Fault::DeadKeepEnds)) && !seeded(Fault::EndOfTheLivingTaken)
    }

    fn refused_end(&self, code: Code, why: &str) -> Error {
        Error::new(code, format!("\"{}\": {why}", self.segment.name))
    }

    /// Gives an end back. `close`: for ever; the other end reads what was pushed, and then the end.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    #[expect(clippy::needless_pass_by_value, reason = "it is of no use any more")]
    pub fn release_end(&self, end: End, close: bool) -> Result<()> {
        if close {
            self.close_end(&end)?;
        }
        let words: &ChannelWords = self.words()?;
        let owner = &words.ends[end.index].owner;
        // A failed CAS: it wasn't ours any more.
        let _ = owner.compare_exchange(self.agent.me().word(), 0, Release, Relaxed);
        fail::point("channel.released");
        Ok(())
    }

    /// This end pushes nothing more. It may pop, until it is released.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn close_end(&self, end: &End) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        words.ends[end.index].closed.store(u32::from(!seeded(Fault::CloseUntold)), Release);
        fail::point("channel.closed");
        words.rings[end.index].full.notify_one(self.agent);
        words.rings[1 - end.index].empty.notify_one(self.agent);
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

    /// Who has each end.
    pub(crate) fn end_owners(&self) -> Result<[Option<Owner>; 2]> {
        let words: &ChannelWords = self.words()?;
        Ok([0, 1].map(|end| Owner::of(words.ends[end].owner.load(Acquire))))
    }

    /// Bytes in use of the ring that end `index` pops from, at about this instant.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn bytes_towards(&self, index: usize) -> Result<u64> {
        let geometry = ChannelGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        Ok(u64::from(self.ring(self.words()?, &geometry, index % 2)?.used()) * u64::from(UNIT))
    }

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
                way.ring.words.empty.notify_ordered(self.agent, 1);
                Looked::Got(Put::Done(()))
            }
            Some(Put::Ended) => Looked::Got(Put::Ended),
            None => self.until(&way.ring.words.full),
        })
    }

    /// Pushes as many of these as there is room for now; how many.
    ///
    /// # Errors
    /// As `push_record`.
    pub fn push_records<'b>(
        &self,
        end: &mut End,
        records: impl Iterator<Item = &'b [u8]>,
    ) -> Result<Put<usize>> {
        let mut producer = self.producer(end)?;
        let pushed = put_all(records, |bytes| producer.try_push(bytes))?;
        producer.wake();
        Ok(pushed)
    }

    /// The pushing side of an end, for many records.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_INVALID_ARG`: this end only pops.
    pub fn producer<'e>(&self, end: &'e mut End) -> Result<Producer<'a, 'e>> {
        let way = self.way_out(end)?;
        end.pushed = Seen::first(way.ring.words);
        Ok(Producer { object: *self, way, end })
    }

    /// The popping side of an end, for many records.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_INVALID_ARG`: this end only pushes.
    pub fn consumer<'e>(&self, end: &'e mut End) -> Result<Consumer<'a, 'e>> {
        let way = self.way_in(end)?;
        end.popped = Seen::first(way.ring.words);
        Ok(Consumer { object: *self, way, end })
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
        let found = way.ring.words.full.wait_spinning(self.agent, wait, &mut spins, |look| {
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
        if way.takes_no_more(end, self.agent) && !seeded(Fault::CommitAfterClose) {
            return Err(self.refused_end(Code::Ended, "it has ended; nothing was put in"));
        }
        end.reserved = None;
        way.ring.commit(place, len, more, Then::Notify);
        way.ring.words.empty.notify_ordered(self.agent, 1);
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
            .wait_spinning(self.agent, wait, &mut spins, |look| self.first(end, way, look).transpose());
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
        way.ring.words.full.notify_ordered(self.agent, 1);
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
                    way.ring.words.full.notify_ordered(self.agent, 1);
                }
                Looked::Got(Got::Message(()))
            }
            Some(Got::Ended) => Looked::Got(Got::Ended),
            None => self.until(&way.ring.words.empty),
        })
    }

    /// Pops at most `most` records that are there now. `take` gets each and says whether it has copied it.
    ///
    /// # Errors
    /// As `peek_record`.
    pub fn pop_records(
        &self,
        end: &mut End,
        most: usize,
        mut take: impl FnMut(Region<'_>, Bytes) -> bool,
    ) -> Result<Got<usize>> {
        let mut consumer = self.consumer(end)?;
        let mut popped = 0;
        while popped < most {
            match consumer.try_pop(&mut take) {
                Ok(Some(Got::Message(true))) => popped += 1,
                Ok(None | Some(Got::Message(false))) => break,
                // What else there is to say is said when it is the first one's turn.
                _ if popped > 0 => break,
                Ok(Some(Got::Ended)) => return Ok(Got::Ended),
                Err(e) => return Err(e),
            }
        }
        consumer.wake();
        Ok(Got::Message(popped))
    }

    /// Wakes who sleeps until there is a record in the ring that end `index` pushes to, or room in the one that it pops from.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`.
    pub fn wake_peer(&self, index: usize, for_record: bool) -> Result<()> {
        let words: &ChannelWords = self.words()?;
        let index = index % 2;
        let sleeper = if for_record { &words.rings[1 - index].empty } else { &words.rings[index].full };
        sleeper.notify_one(self.agent);
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
        sleeper.remove(usize::from(self.agent.me().slot));
        Ok(())
    }

    /// Room for a record; `None`: not now.
    fn room(&self, end: &mut End, way: &Way<'_>, len: u32, look: Look) -> Result<Option<Put<Place>>> {
        if way.takes_no_more(end, self.agent) {
            return Ok(Some(Put::Ended));
        }
        if let Some(place) = way.ring.reserve(&mut end.pushed, len).map_err(|Corrupt| self.corrupt())? {
            return Ok(Some(Put::Done(place)));
        }
        if self.has_lost_peer(end, way, look) { Err(self.peer_died()) } else { Ok(None) }
    }

    /// The first record; `None`: not now.
    fn first(&self, end: &mut End, way: &Way<'_>, look: Look) -> Result<Option<Got<Record>>> {
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
            && way.ends[1 - end.index].is_dead(self.agent)
    }

    fn peer_died(&self) -> Error {
        Error::new(
            Code::PeerDied,
            format!("the process at the other end of \"{}\" died without closing it", self.segment.name),
        )
    }

    fn too_large_record(&self, len: u64, most: u32) -> Error {
        Error::new(
            Code::TooLarge,
            format!(
                "{len} bytes are more than the {most} that a record of \"{}\" can have; make it with a larger capacity. Nothing \
                 was pushed",
                self.segment.name
            ),
        )
    }

    fn way_out(&self, end: &End) -> Result<Way<'a>> {
        self.way(end, 1 - end.index)
    }

    fn way_in(&self, end: &End) -> Result<Way<'a>> {
        self.way(end, end.index)
    }

    fn way(&self, end: &End, index: usize) -> Result<Way<'a>> {
        let words: &ChannelWords = self.words()?;
        if words.ends[end.index].owner.load(Relaxed) != self.agent.me().word() {
            return Err(self.lost("this end"));
        }
        Ok(Way { ends: &words.ends, ring: self.ring(words, &end.geometry, index)? })
    }

    fn ring(
        &self,
        words: &'a ChannelWords,
        geometry: &ChannelGeometry,
        index: usize,
    ) -> Result<Ring<'a, Mapped<'a>>> {
        let (size, at) = (geometry.units[index], geometry.rings_at[index]);
        if size == 0 {
            return Err(Error::new(
                Code::InvalidArg,
                format!("\"{}\" goes one way only: end 0 receives, end 1 sends", self.segment.name),
            ));
        }
        let headers = self.segment.region().many_at(at, size as usize)?;
        Ok(Ring { words: &words.rings[index], units: Mapped { headers, at }, size })
    }
}

/// A ring and the ends at it, for one call.
struct Way<'a> {
    ends: &'a [EndWords; 2],
    ring: Ring<'a, Mapped<'a>>,
}

/// Pushes records, and wakes nobody until it is told to.
pub struct Producer<'a, 'e> {
    object: Object<'a>,
    way: Way<'a>,
    end: &'e mut End,
}

impl Producer<'_, '_> {
    /// `None`: there is no room now.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE`, `ERR_PEER_DIED`, `ERR_CORRUPT`.
    pub fn try_push(&mut self, bytes: &[u8]) -> Result<Option<Put<()>>> {
        let Producer { object, way, end } = self;
        if bytes.len() as u64 > u64::from(way.ring.most()) {
            return Err(object.too_large_record(bytes.len() as u64, way.ring.most()));
        }
        let len = bytes.len() as u32;
        Ok(match object.room(end, way, len, Look::Once)? {
            Some(Put::Done(place)) => {
                object.segment.region().write(way.ring.units.bytes_at(place.unit), bytes)?;
                way.ring.commit(place, len, false, Then::Another);
                Some(Put::Done(()))
            }
            Some(Put::Ended) => Some(Put::Ended),
            None => None,
        })
    }

    /// Wakes the consumer, if it sleeps.
    pub fn wake(&self) {
        self.way.ring.words.empty.notify_one(self.object.agent);
    }
}

/// Pops records, and wakes nobody until it is told to.
pub struct Consumer<'a, 'e> {
    object: Object<'a>,
    way: Way<'a>,
    end: &'e mut End,
}

impl Consumer<'_, '_> {
    /// `None`: there is no record now. `take` says whether it has copied it; else it stays the first one.
    ///
    /// # Errors
    /// `ERR_PEER_DIED`, `ERR_CORRUPT`.
    pub fn try_pop(&mut self, take: impl FnOnce(Region<'_>, Bytes) -> bool) -> Result<Option<Got<bool>>> {
        let Consumer { object, way, end } = self;
        Ok(match object.first(end, way, Look::Once)? {
            Some(Got::Message(record)) => {
                let taken = take(object.segment.region(), way.bytes_of(record));
                if taken {
                    way.ring.release(record, Then::Another);
                }
                Some(Got::Message(taken))
            }
            Some(Got::Ended) => Some(Got::Ended),
            None => None,
        })
    }

    /// Wakes the producer, if it sleeps.
    pub fn wake(&self) {
        self.way.ring.words.full.notify_one(self.object.agent);
    }
}

impl Way<'_> {
    /// Whether this end has closed, or nobody is at the other one any more.
    fn takes_no_more(&self, end: &End, peers: &impl Peers) -> bool {
        let (mine, other) = (&self.ends[end.index], &self.ends[1 - end.index]);
        let has_left = || other.owner.load(Acquire) == 0 || other.is_dead(peers);
        if seeded(Fault::PushAfterClose) {
            return false;
        }
        mine.is_closed() || other.is_closed() && has_left()
    }

    fn bytes_of(&self, record: Record) -> Bytes {
        Bytes { offset: self.ring.units.bytes_at(record.unit), len: record.len, more: record.more }
    }
}
