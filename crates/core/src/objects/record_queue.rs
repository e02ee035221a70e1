//! Queues of records: each call checks the kind, runs the protocol of `crate::queues`, and words
//! its errors.

use super::looked::Looked;
use super::object::Object;
use super::put_got::{Got, Put};
use crate::error::{Code, Error, Result};
use crate::faults::{Fault, seeded};
use crate::layout::{RecordGeometry, RecordQueueWords};
use crate::locks::{Refused, STUCK_TIMEOUT};
use crate::queues::{Corrupt, Entered, RecordRing, Side};
use crate::wait::{Spins, Wait};

/// Records that lie side by side in the segment, or free slots for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Offset of the first one.
    pub offset: u64,
    /// How many there are, up to the end of the ring.
    pub here: u32,
    /// Bytes of those, by the queue's header at that moment.
    pub bytes: u64,
    /// How many there are with those that follow at the beginning of the ring.
    pub count: u32,
}

/// The answer of an attempt to get an end of a queue of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordsAt {
    /// The caller has the end, and these slots.
    Slots(Slots),
    /// The queue has ended: nothing can be put, or nothing is left. The caller doesn't have the
    /// end.
    Ended,
}

impl<'a> Object<'a> {
    fn record_ring(&self) -> Result<(RecordRing<'a>, RecordGeometry)> {
        let words: &RecordQueueWords = self.words()?;
        let geometry = RecordGeometry::of(&self.params()?).map_err(|_| self.corrupt())?;
        // The header may have been overwritten since it was checked.
        if geometry.size > self.segment.region().len() as u64 {
            return Err(self.corrupt());
        }
        Ok((RecordRing { words, capacity: geometry.capacity }, geometry))
    }

    /// Takes an end of the queue at which there is room, or a record. The caller has it until
    /// `advance_records` or `leave_records`; meanwhile all others wait for it.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn enter_records(&self, side: Side, wait: Wait, spins: &mut Spins) -> Result<Looked<RecordsAt>> {
        let (ring, geometry) = self.record_ring()?;
        let entered = ring.enter(self.peers(), side, wait, spins);
        Ok(match entered.map_err(|Corrupt| self.corrupt())? {
            Err(Refused::Mine) => Looked::Mine,
            Err(Refused::NotYet) | Ok(None) => self.until(&ring.end(side).mutex.sleepers),
            Ok(Some(Entered::Ended)) => {
                ring.leave(self.peers(), side);
                Looked::Got(RecordsAt::Ended)
            }
            Ok(Some(Entered::Slots { first, count })) => {
                let here = count.min(geometry.capacity - first);
                let bytes = u64::from(here) * u64::from(geometry.record_bytes);
                let offset = geometry.record_at(first);
                Looked::Got(RecordsAt::Slots(Slots { offset, here, bytes, count }))
            }
        })
    }

    /// Publishes the first `count` slots of those that the caller got, or frees them after reading,
    /// and gives the end back.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`: the caller doesn't have that end. `ERR_OUT_OF_RANGE`: these are more
    /// slots than it got. `ERR_CORRUPT`.
    pub fn advance_records(&self, side: Side, count: u32) -> Result<()> {
        let (ring, _) = self.record_ring()?;
        if !ring.is_mine(self.peers(), side) {
            return Err(self.lost("that end"));
        }
        if count > ring.slots(side).map_err(|Corrupt| self.corrupt())? {
            return Err(Error::new(Code::OutOfRange, format!("there are not as many as {count} slots")));
        }
        ring.advance(self.peers(), side, count);
        self.leave_records(side)
    }

    /// Gives an end back. What was written there counts as not written, what was read as not read.
    ///
    /// # Errors
    /// `ERR_LOST_OWNERSHIP`: the caller doesn't have it.
    pub fn leave_records(&self, side: Side) -> Result<()> {
        let (ring, _) = self.record_ring()?;
        if ring.leave(self.peers(), side) { Ok(()) } else { Err(self.lost("that end")) }
    }

    /// Wakes a sleeper at an end, if it would find something there.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn wake_records(&self, side: Side) -> Result<()> {
        self.record_ring()?.0.wake_one(self.peers(), side);
        Ok(())
    }

    /// An agent that is armed at an end stops waiting.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn give_up_records(&self, side: Side) -> Result<()> {
        self.record_ring()?.0.give_up(self.peers(), side);
        Ok(())
    }

    /// Puts as many of these records as there is room for, and returns how many. The bytes are
    /// those of whole records.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG`, `ERR_CORRUPT`.
    pub fn put_records(&self, bytes: &[u8], wait: Wait) -> Result<Looked<Put<u32>>> {
        let (ring, geometry) = self.record_ring()?;
        let each = geometry.record_bytes as usize;
        if bytes.is_empty() || !bytes.len().is_multiple_of(each) {
            return Err(Error::new(
                Code::InvalidArg,
                format!("{} bytes are no records of {each} bytes", bytes.len()),
            ));
        }
        self.enter_records(Side::Producers, wait, &mut Spins::default())?.map(|at| match at {
            RecordsAt::Ended => Ok(Put::Ended),
            RecordsAt::Slots(slots) => {
                let count = slots.count.min((bytes.len() / each) as u32);
                let (here, wrapped) =
                    bytes[..count as usize * each].split_at(slots.here.min(count) as usize * each);
                self.segment.region().write(slots.offset, here)?;
                self.segment.region().write(geometry.records_at, wrapped)?;
                if seeded(Fault::RecordsPutInTwo) && !wrapped.is_empty() {
                    ring.advance(self.peers(), Side::Producers, slots.here);
                    self.advance_records(Side::Producers, count - slots.here)?;
                } else {
                    self.advance_records(Side::Producers, count)?;
                }
                Ok(Put::Done(count))
            }
        })
    }

    /// Takes records into `to`, as many as are there and fit. Returns how many.
    ///
    /// # Errors
    /// `ERR_CORRUPT`.
    pub fn get_records(&self, to: &mut [u8], wait: Wait) -> Result<Looked<Got<u32>>> {
        let (_, geometry) = self.record_ring()?;
        let each = geometry.record_bytes as usize;
        self.enter_records(Side::Consumers, wait, &mut Spins::default())?.map(|at| match at {
            RecordsAt::Ended => Ok(Got::Ended),
            RecordsAt::Slots(slots) => {
                let count = slots.count.min((to.len() / each) as u32);
                let (here, wrapped) =
                    to[..count as usize * each].split_at_mut(slots.here.min(count) as usize * each);
                self.segment.region().read(slots.offset, here)?;
                self.segment.region().read(geometry.records_at, wrapped)?;
                self.advance_records(Side::Consumers, count)?;
                Ok(Got::Message(count))
            }
        })
    }

    /// Ends the queue: nothing is put any more.
    ///
    /// # Errors
    /// `ERR_TIMEOUT`: a process that doesn't run has the producers' end.
    pub fn end_records(&self) -> Result<()> {
        let (ring, _) = self.record_ring()?;
        match ring.close(self.peers(), Wait::For(STUCK_TIMEOUT)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.stuck()),
            Err(_) => Err(Error::new(
                Code::Deadlock,
                format!("this thread is putting records into \"{}\"", self.segment.name),
            )),
        }
    }

    /// Whether the queue has ended.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn records_have_ended(&self) -> Result<bool> {
        Ok(self.record_ring()?.0.has_ended())
    }

    /// Records in the queue, at about one instant.
    ///
    /// # Errors
    /// `ERR_WRONG_KIND`, `ERR_CORRUPT`.
    pub fn count_records(&self) -> Result<u32> {
        Ok(self.record_ring()?.0.len())
    }
}

impl<T> Looked<T> {
    fn map<U>(self, got: impl FnOnce(T) -> Result<U>) -> Result<Looked<U>> {
        Ok(match self {
            Looked::Got(found) => Looked::Got(got(found)?),
            Looked::NotYet { sleepers } => Looked::NotYet { sleepers },
            Looked::Mine => Looked::Mine,
        })
    }
}
