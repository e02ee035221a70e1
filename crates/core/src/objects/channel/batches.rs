//! Many records in one call, with one wake-up.

use super::way::{Bytes, End, Way};
use crate::error::Result;
use crate::faults::{Fault, seeded};
use crate::objects::object::Object;
use crate::objects::put_got::{Got, Put, pop_all, put_all};
use crate::queues::{Place, Record, Seen, Then};
use crate::region::Region;
use crate::wait::{Attempt, Sleepers};

/// Pushes records; only `wake` wakes the consumer.
pub struct Producer<'a, 'e> {
    object: Object<'a>,
    way: Way<'a>,
    end: &'e mut End,
}

impl Producer<'_, '_> {
    /// Pushes a record. `None` if there is no room now.
    ///
    /// # Errors
    /// `ERR_TOO_LARGE`, `ERR_PEER_DIED`, `ERR_CORRUPT`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "where the caller knows the length, the copy is a few moves")]
    pub fn try_push(&mut self, bytes: &[u8]) -> Result<Option<Put<()>>> {
        let Producer { object, way, end } = self;
        let near = way.ring.reserve_near(end.pushed, bytes.len()).filter(|_| !way.is_closed());
        let found = match near {
            Some(place) => Some(Put::Done(place)),
            None => object.room_for(end, way, bytes.len())?,
        };
        Ok(match found {
            Some(Put::Done(place)) => {
                object.segment.region().write(way.ring.units.bytes_at(place.unit), bytes)?;
                way.ring.commit(place, place.len, false, Then::Another);
                Some(Put::Done(()))
            }
            Some(Put::Ended) => Some(Put::Ended),
            None => None,
        })
    }

    /// Wakes the consumer if it sleeps.
    pub fn wake(&self) {
        if !seeded(Fault::PushedBatchRingsNobody) {
            self.way.ring.words.empty.notify_one(self.object.peers());
        }
    }
}

/// Pops records; only `wake` wakes the producer.
pub struct Consumer<'a, 'e> {
    object: Object<'a>,
    way: Way<'a>,
    end: &'e mut End,
}

impl Consumer<'_, '_> {
    /// Passes the first record to `take`, which returns whether it copied the record; if not, the
    /// record stays the first one. `None` if there is no record now.
    ///
    /// # Errors
    /// `ERR_PEER_DIED`, `ERR_CORRUPT`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `try_push`")]
    pub fn try_pop(&mut self, take: impl FnOnce(Region<'_>, Bytes) -> bool) -> Result<Option<Got<bool>>> {
        let Consumer { object, way, end } = self;
        let found = match way.ring.front_near(end.popped) {
            Some(record) => Some(Got::Message(record)),
            None => object.first_now(end, way)?,
        };
        Ok(match found {
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

    /// Wakes the producer if it sleeps.
    pub fn wake(&self) {
        if !seeded(Fault::PoppedBatchRingsNobody) {
            self.way.ring.words.full.notify_one(self.object.peers());
        }
    }
}

impl<'a> Object<'a> {
    /// As `room`, for one attempt with a record of any size.
    #[inline(never)]
    fn room_for(&self, end: &mut End, way: &Way<'_>, len: usize) -> Result<Option<Put<Place>>> {
        if len as u64 > u64::from(way.ring.most()) {
            return Err(self.too_large_record(len as u64, way.ring.most()));
        }
        self.room(end, way, len as u32, Attempt::Once)
    }

    /// As `first`, for one attempt.
    #[inline(never)]
    fn first_now(&self, end: &mut End, way: &Way<'_>) -> Result<Option<Got<Record>>> {
        self.first(end, way, Attempt::Once)
    }

    /// Pushes as many of these records as there is room for now, and returns how many.
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
    /// `ERR_LOST_OWNERSHIP`, `ERR_INVALID_ARG` (this end only pops).
    pub fn producer<'e>(&self, end: &'e mut End) -> Result<Producer<'a, 'e>> {
        let way = self.way_out(end)?;
        end.pushed = Seen::first(way.ring.words);
        Ok(Producer { object: *self, way, end })
    }

    /// The popping side of an end, for many records.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`, `ERR_INVALID_ARG` (this end only pushes).
    pub fn consumer<'e>(&self, end: &'e mut End) -> Result<Consumer<'a, 'e>> {
        let way = self.way_in(end)?;
        end.popped = Seen::first(way.ring.words);
        Ok(Consumer { object: *self, way, end })
    }

    /// Pops at most `most` records that are there now. Passes each to `take`, which returns whether
    /// it copied the record; if not, the record stays the first one.
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
        let popped = pop_all(most, false, || consumer.try_pop(&mut take))?;
        if popped != Got::Ended {
            consumer.wake();
        }
        Ok(popped)
    }
}
