//! A ring of records with one producer and one consumer.
//!
//! A record is a header of 8 bytes, `{ position: 24 | flags: 8 | length: 32 }`, and its bytes,
//! padded to a multiple of 8. It is never split: if it doesn't fit before the end of the ring, a
//! `PAD` fills the ring to there. The position is that of the header, modulo 2^24, so that bytes
//! that no producer wrote are noticed.
//!
//! | died | seen by other agents | by the next agent in that role |
//! | --- | --- | --- |
//! | producer, before the store to `tail` | nothing | nothing: it writes over it |
//! | producer, after it | the record, whole | the same |
//! | consumer, before the store to `head` | nothing | the record, again |
//! | consumer, after it | room | the next record |
//!
//! After Lamport's queue of 1983. The private copy of the other side's position is rtrb's
//! `cached_head` and `cached_tail`.

use super::index_ring::Corrupt;
use crate::fail;
use crate::faults::{Fault, seeded};
use crate::layout::{POSITION_MASK, RingWords, UNIT};
use crate::sync::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

/// Not a record: padding to the end of the ring.
const PAD: u8 = 1;
/// The message goes on in the next record.
const MORE: u8 = 2;

/// The other side's position, as last seen. The current one may be further on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u32);

impl Seen {
    /// For an agent that takes a role, whether as producer or as consumer.
    pub(crate) fn first(words: &RingWords) -> Seen {
        Seen(words.head.load(Acquire))
    }
}

/// A record's header, unpacked.
#[derive(Clone, Copy)]
struct Header {
    position: u32,
    flags: u8,
    len: u32,
}

impl Header {
    fn of(word: u64) -> Header {
        Header { position: (word >> 40) as u32, flags: (word >> 32) as u8, len: word as u32 }
    }

    fn word(self) -> u64 {
        u64::from(self.position) << 40 | u64::from(self.flags) << 32 | u64::from(self.len)
    }
}

/// Units of a record of `len` bytes.
fn units(len: u32) -> u32 {
    1 + len.div_ceil(UNIT)
}

/// The headers of records, by unit. The bytes of a record follow its header.
pub(crate) trait Units {
    fn header(&self, unit: u32) -> u64;
    fn set_header(&self, unit: u32, header: u64);
}

/// A ring of `size` units, a power of two from 4 to 2^31.
#[derive(Clone, Copy)]
pub(crate) struct Ring<'m, U> {
    pub words: &'m RingWords,
    pub units: U,
    pub size: u32,
}

/// The caller's next step after a push, a pop or a free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// `notify_ordered`.
    Notify,
    /// Another push or pop, and `notify` in the end.
    Another,
}

impl Then {
    pub(super) fn order(self) -> Ordering {
        if self == Then::Notify { SeqCst } else { Release }
    }
}

/// Room for a record that is not published yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// `tail` when it was found.
    from: u32,
    /// The position of its header.
    position: u32,
    /// The unit of its header in the ring.
    pub unit: u32,
    /// Bytes that fit.
    pub len: u32,
}

/// The first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The unit of its header in the ring.
    pub unit: u32,
    /// Its bytes.
    pub len: u32,
    /// The message goes on in the next record.
    pub more: bool,
    /// `head` when it was found.
    from: u32,
    /// The position behind it.
    end: u32,
}

impl<U: Units> Ring<'_, U> {
    /// Most bytes of a record.
    pub(crate) fn most(&self) -> u32 {
        (self.size / 2 - 1).saturating_mul(UNIT)
    }

    fn at(&self, position: u32) -> u32 {
        position & (self.size - 1)
    }

    /// The common case of `reserve`: there was room when the producer last looked, and the end of
    /// the ring is not in the way. Where this is `None`, `reserve` decides.
    #[inline]
    pub(crate) fn reserve_near(&self, seen: Seen, len: usize) -> Option<Place> {
        let tail = self.words.tail.load(Relaxed); // Only this side writes it.
        let unit = self.at(tail);
        let room = self.size.checked_sub(tail.wrapping_sub(seen.0))?;
        let most = room.min(self.size - unit).min(self.size / 2) as usize;
        // Less: there is a header, too.
        let fits = len.div_ceil(UNIT as usize) < most;
        fits.then_some(Place { from: tail, position: tail, unit, len: len as u32 })
    }

    /// The producer finds room for a record of `len` bytes, at most `most()`. `None`: not yet.
    pub(crate) fn reserve(&self, seen: &mut Seen, len: u32) -> Result<Option<Place>, Corrupt> {
        if let Some(place) = self.reserve_near(*seen, len as usize) {
            return Ok(Some(place));
        }
        let tail = self.words.tail.load(Relaxed); // Only this side writes it.
        let to_end = self.size - self.at(tail);
        let pad = if units(len) > to_end { to_end } else { 0 };
        let is_room = |seen: &Seen| {
            let used = tail.wrapping_sub(seen.0);
            used <= self.size && units(len) + pad <= self.size - used
        };
        if !is_room(seen) && !seeded(Fault::PushWithoutRoom) {
            // Acquire: pairs with the Release in `release`; the records before it have been read.
            *seen = Seen(self.words.head.load(Acquire));
            if tail.wrapping_sub(seen.0) > self.size {
                return Err(Corrupt);
            }
            if !is_room(seen) {
                return Ok(None);
            }
        }
        if pad > 0 {
            self.units.set_header(self.at(tail), header(tail, PAD, 0));
        }
        let position = tail.wrapping_add(pad);
        Ok(Some(Place { from: tail, position, unit: self.at(position), len }))
    }

    /// Publishes the first `len` bytes that were written to a place.
    #[inline]
    pub(crate) fn commit(&self, place: Place, len: u32, more: bool, then: Then) {
        let flags = if more { MORE } else { 0 };
        if seeded(Fault::PushBeforeHeader) {
            self.words.tail.store(place.position.wrapping_add(units(len)), then.order());
            fail::point("ring.pushed");
        }
        self.units.set_header(place.unit, header(place.position, flags, len));
        fail::point("ring.written");
        // Release: pairs with the Acquire in `front`; a consumer that sees the record sees all of
        // it.
        let order = if seeded(Fault::RelaxedPush) { Relaxed } else { then.order() };
        self.words.tail.store(place.position.wrapping_add(units(len)), order);
        fail::point("ring.pushed");
    }

    /// The common case of `front`: the record was there when the consumer last looked, and no
    /// padding is before it. Where this is `None`, `front` decides.
    #[inline]
    pub(crate) fn front_near(&self, seen: Seen) -> Option<Record> {
        let head = self.words.head.load(Relaxed); // Only this side writes it.
        let ready = seen.0.wrapping_sub(head);
        if ready == 0 || ready > self.size {
            return None;
        }
        let unit = self.at(head);
        let Header { position, flags, len } = Header::of(self.units.header(unit));
        let most = ready.min(self.size - unit).min(self.size / 2);
        let is_sound = position == head & POSITION_MASK && flags & PAD == 0 && len.div_ceil(UNIT) < most;
        let end = head.wrapping_add(units(len));
        is_sound.then_some(Record { unit, len, more: flags & MORE != 0, from: head, end })
    }

    /// The consumer finds the first record. `None`: there is none yet.
    pub(crate) fn front(&self, seen: &mut Seen) -> Result<Option<Record>, Corrupt> {
        if let Some(record) = self.front_near(*seen) {
            return Ok(Some(record));
        }
        let from = self.words.head.load(Relaxed); // Only this side writes it.
        let mut head = from;
        if seen.0 == head || seen.0.wrapping_sub(head) > self.size {
            *seen = Seen(self.words.tail.load(Acquire));
        }
        let mut ready = seen.0.wrapping_sub(head);
        if ready > self.size {
            return Err(Corrupt);
        }
        if ready == 0 {
            return Ok(None);
        }
        let mut first = self.header_at(head)?;
        if first.flags & PAD != 0 {
            let pad = self.size - self.at(head);
            if pad >= ready {
                return Err(Corrupt);
            }
            head = head.wrapping_add(pad);
            ready -= pad;
            first = self.header_at(head)?;
        }
        let unit = self.at(head);
        let fits = first.len <= self.most() && units(first.len) <= ready.min(self.size - unit);
        if !fits && !seeded(Fault::RecordLengthTrusted) || first.flags & PAD != 0 {
            return Err(Corrupt);
        }
        let end = head.wrapping_add(units(first.len));
        Ok(Some(Record { unit, len: first.len, more: first.flags & MORE != 0, from, end }))
    }

    fn header_at(&self, position: u32) -> Result<Header, Corrupt> {
        let header = Header::of(self.units.header(self.at(position)));
        if header.position == position & POSITION_MASK || seeded(Fault::RecordPositionTrusted) {
            Ok(header)
        } else {
            Err(Corrupt)
        }
    }

    /// The consumer has read the record that `front` gave.
    #[inline]
    pub(crate) fn release(&self, record: Record, then: Then) {
        fail::point("ring.read");
        // Release: pairs with the Acquire in `reserve`; the bytes are the producer's again.
        let order = if seeded(Fault::RelaxedPop) { Relaxed } else { then.order() };
        self.words.head.store(record.end, order);
        fail::point("ring.popped");
    }

    /// Whether nothing was pushed since that place was found.
    pub(crate) fn is_next(&self, place: &Place) -> bool {
        self.words.tail.load(Relaxed) == place.from
    }

    /// Whether nothing was popped since that record was found.
    pub(crate) fn is_first(&self, record: &Record) -> bool {
        self.words.head.load(Relaxed) == record.from
    }

    /// Units in use, at about one instant.
    pub(crate) fn used(&self) -> u32 {
        let tail = self.words.tail.load(Acquire);
        tail.wrapping_sub(self.words.head.load(Acquire)).min(self.size)
    }
}

fn header(position: u32, flags: u8, len: u32) -> u64 {
    Header { position: position & POSITION_MASK, flags, len }.word()
}

#[cfg(all(test, not(loom)))]
mod tests;
