//! Users of queues and channels. Each message carries its number in the ledger, and is compared
//! byte by byte.

use crossmem_core::{
    Agent, Chunk, Code, End, Got, Looked, Member, Object, Put, RecordsAt, Segment, Side, Spins, Wait,
};

use crate::ledger::Stream;
use crate::stage::{Outcome, check};

/// The size of a chunk in the scene's queues. A larger message lies in the arena.
pub const MESSAGE_BYTES: u64 = 24;
const LARGE: u32 = 1 << 31;

fn message(number: u32) -> Vec<u8> {
    let n = number & !LARGE;
    let more = if number & LARGE == 0 { n % 17 } else { 100 + n % 100 };
    let filler = (0..more).map(|i| (i.wrapping_mul(31) ^ more.wrapping_mul(7) ^ n) as u8);
    number.to_le_bytes().into_iter().chain(filler).collect()
}

fn number_of(bytes: &[u8]) -> Outcome<u32> {
    let number = bytes.first_chunk().map(|first| u32::from_le_bytes(*first));
    let whole = number.filter(|&number| bytes == message(number));
    Ok(whole.ok_or_else(|| format!("a message is not what was put: {bytes:?}"))? & !LARGE)
}

/// A participant of a queue.
pub struct QueueUser<'a> {
    pub object: Object<'a>,
    pub member: Member,
    pub stream: &'a Stream,
}

impl<'a> QueueUser<'a> {
    pub fn join(agent: &'a Agent, queue: &'a Segment, stream: &'a Stream) -> Outcome<QueueUser<'a>> {
        let object = Object::new(agent, queue);
        let member = object.join_queue()?;
        Ok(QueueUser { object, member, stream })
    }

    /// Puts a message. Returns false if there was no room.
    pub fn push(&mut self, large: bool, wait: Wait) -> Outcome<bool> {
        let number = self.stream.begin();
        let bytes = message(if large { number | LARGE } else { number });
        let put = self.object.push_message(&mut self.member, &bytes, wait)? == Looked::Got(Put::Done(()));
        self.stream.done_or_refused(number, put);
        Ok(put)
    }

    pub fn push_many(&mut self, count: usize) -> Outcome {
        let numbers: Vec<u32> = (0..count).map(|_| self.stream.begin()).collect();
        let messages: Vec<_> = numbers.iter().map(|&number| message(number)).collect();
        let put = self.object.push_messages(&mut self.member, messages.iter().map(Vec::as_slice))?;
        let Put::Done(done) = put else { return Err("the queue has ended".into()) };
        for (i, &number) in numbers.iter().enumerate() {
            self.stream.done_or_refused(number, i < done);
        }
        Ok(())
    }

    pub fn reserve(&mut self) -> Outcome<Chunk> {
        match self.object.reserve_message(&mut self.member, Wait::Try)? {
            Looked::Got(Put::Done(chunk)) => Ok(chunk),
            other => Err(format!("no room: {other:?}").into()),
        }
    }

    /// Writes a message to a reserved chunk. Returns the message's number and length.
    pub fn write(&self, queue: &Segment, chunk: Chunk) -> Outcome<(u32, u32)> {
        let number = self.stream.begin();
        let bytes = message(number);
        check(bytes.len() as u64 <= chunk.len, || format!("a chunk of {} bytes", chunk.len))?;
        write(queue, chunk.offset, &bytes);
        Ok((number, bytes.len() as u32))
    }

    /// Takes the next message, without counting it as got. Returns its chunk and number.
    pub fn take(&mut self, wait: Wait) -> Outcome<Option<(Chunk, u32)>> {
        let Looked::Got(Got::Message(chunk)) = self.object.take_message(&mut self.member, wait)? else {
            return Ok(None);
        };
        let number = read(|bytes| self.object.read_message(chunk, bytes), chunk.len)?;
        Ok(Some((chunk, number)))
    }

    /// Takes, counts and frees the next message. Returns false if there was none.
    pub fn get(&mut self, wait: Wait) -> Outcome<bool> {
        let Some((chunk, number)) = self.take(wait)? else { return Ok(false) };
        self.object.free_message(&self.member, chunk.index)?;
        self.stream.got(number);
        Ok(true)
    }

    /// Takes up to `most` messages in a batch. The batch ends at the first large message, which is
    /// then taken by itself.
    pub fn pop_many(&mut self, most: usize) -> Outcome {
        let (stream, mut large, mut seen) = (self.stream, None, Vec::new());
        self.object.pop_messages(&mut self.member, most, |region, chunk| {
            if chunk.spilled {
                large = Some(chunk);
                return false;
            }
            seen.push(look(stream, |bytes| region.copy_to(chunk.offset, bytes), chunk.len));
            true
        })?;
        if let Some(chunk) = large {
            seen.push(look(stream, |bytes| self.object.read_message(chunk, bytes), chunk.len));
            self.object.free_message(&self.member, chunk.index)?;
        }
        count(stream, seen)
    }

    pub fn leave(self) -> Outcome {
        Ok(self.object.leave_queue(self.member)?)
    }
}

/// The owner of an end of a channel.
pub struct ChannelUser<'a> {
    pub object: Object<'a>,
    pub end: End,
    pub stream: &'a Stream,
}

impl<'a> ChannelUser<'a> {
    pub fn take(
        agent: &'a Agent,
        channel: &'a Segment,
        end: usize,
        stream: &'a Stream,
    ) -> Outcome<ChannelUser<'a>> {
        let object = Object::new(agent, channel);
        let end = object.take_end(end)?;
        Ok(ChannelUser { object, end, stream })
    }

    pub fn push(&mut self) -> Outcome<bool> {
        let number = self.stream.begin();
        let put = self.object.push_record(&mut self.end, &message(number), false, Wait::Try)?
            == Looked::Got(Put::Done(()));
        self.stream.done_or_refused(number, put);
        Ok(put)
    }

    pub fn push_many(&mut self, count: usize) -> Outcome {
        let numbers: Vec<u32> = (0..count).map(|_| self.stream.begin()).collect();
        let records: Vec<_> = numbers.iter().map(|&number| message(number)).collect();
        let pushed = self.object.push_records(&mut self.end, records.iter().map(Vec::as_slice))?;
        check(pushed == Put::Done(count), || format!("{pushed:?} of {count} records"))?;
        for number in numbers {
            self.stream.done(number);
        }
        Ok(())
    }

    /// Reserves more bytes than it writes. Returns the message's number and length.
    pub fn reserve_and_write(&mut self, channel: &Segment) -> Outcome<(u32, u32)> {
        let number = self.stream.begin();
        let bytes = message(number);
        match self.object.reserve_record(&mut self.end, bytes.len() as u64 + 20, Wait::Try)? {
            Looked::Got(Put::Done(place)) => write(channel, place.offset, &bytes),
            other => return Err(format!("no room: {other:?}").into()),
        }
        Ok((number, bytes.len() as u32))
    }

    /// The number of the first record, which stays in the ring.
    pub fn peek(&mut self) -> Outcome<Option<u32>> {
        let Looked::Got(Got::Message(record)) = self.object.peek_record(&mut self.end, Wait::Try)? else {
            return Ok(None);
        };
        read(|bytes| self.object.read_record(record, bytes), record.len).map(Some)
    }

    /// Pops and counts the first record. Returns false if there was none.
    pub fn pop(&mut self) -> Outcome<bool> {
        let Some(number) = self.peek()? else { return Ok(false) };
        self.object.release_record(&mut self.end)?;
        self.stream.got(number);
        Ok(true)
    }

    /// As `pop`, when the other end's owner is gone: after the last record, the call must report
    /// that the owner died or closed its end.
    pub fn pop_from_the_gone(&mut self) -> Outcome<bool> {
        match self.object.peek_record(&mut self.end, Wait::Try) {
            Ok(Looked::Got(Got::Message(_))) => self.pop(),
            Ok(Looked::Got(Got::Ended)) => Ok(false),
            Err(e) if e.code == Code::PeerDied => Ok(false),
            other => Err(format!("the end of the other owner is not reported: {other:?}").into()),
        }
    }

    pub fn pop_many(&mut self, most: usize) -> Outcome {
        let (stream, mut seen) = (self.stream, Vec::new());
        let popped = self.object.pop_records(&mut self.end, most, |region, record| {
            seen.push(look(stream, |bytes| region.copy_to(record.offset, bytes), record.len));
            true
        })?;
        check(popped == Got::Message(most), || format!("{popped:?} of {most} records"))?;
        count(stream, seen)
    }

    pub fn release(self, close: bool) -> Outcome {
        Ok(self.object.release_end(self.end, close)?)
    }
}

/// Bytes of a record in the scene's queue of records.
pub const RECORD_BYTES: usize = 20;

fn record(number: u32) -> [u8; RECORD_BYTES] {
    let first = number.to_le_bytes();
    std::array::from_fn(|i| first.get(i).copied().unwrap_or((i as u32 * 31 + number * 7) as u8))
}

/// A user of a queue of records.
pub struct RecordUser<'a> {
    pub object: Object<'a>,
    pub queue: &'a Segment,
    pub stream: &'a Stream,
}

impl RecordUser<'_> {
    /// Puts `count` records, or as many as there is room for. Returns false if there was none.
    pub fn put(&self, count: u32, wait: Wait) -> Outcome<bool> {
        let numbers: Vec<u32> = (0..count).map(|_| self.stream.begin()).collect();
        let bytes: Vec<u8> = numbers.iter().flat_map(|&number| record(number)).collect();
        let put = match self.object.put_records(&bytes, wait)? {
            Looked::Got(Put::Done(put)) => put,
            _ => 0,
        };
        for (i, &number) in (0..).zip(&numbers) {
            self.stream.done_or_refused(number, i < put);
        }
        Ok(put > 0)
    }

    /// Takes and counts a record. Returns false if there was none.
    pub fn get(&self, wait: Wait) -> Outcome<bool> {
        let mut bytes = [0; RECORD_BYTES];
        let got = self.object.get_records(&mut bytes, wait)? == Looked::Got(Got::Message(1));
        if got {
            self.stream.got(record_number(bytes)?);
        }
        Ok(got)
    }

    /// The number of the first record, which stays in the queue. The caller has that end.
    pub fn hold(&self) -> Outcome<Option<u32>> {
        let held = self.object.enter_records(Side::Consumers, Wait::Try, &mut Spins::default())?;
        let Looked::Got(RecordsAt::Slots(slots)) = held else { return Ok(None) };
        let mut bytes = [0; RECORD_BYTES];
        self.queue.region().copy_to(slots.offset, &mut bytes)?;
        record_number(bytes).map(Some)
    }

    /// Takes the producers' end.
    pub fn enter_to_put(&self) -> Outcome {
        self.object.enter_records(Side::Producers, Wait::Try, &mut Spins::default())?;
        Ok(())
    }
}

fn record_number(bytes: [u8; RECORD_BYTES]) -> Outcome<u32> {
    let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    check(bytes == record(number), || format!("a record is not what was put: {bytes:?}"))?;
    Ok(number)
}

/// Copies a message, checks that it is whole, and returns its number.
fn read(copy: impl FnOnce(&mut [u8]) -> crossmem_core::Result<()>, len: impl Into<u64>) -> Outcome<u32> {
    let mut bytes = vec![0; len.into() as usize];
    copy(&mut bytes)?;
    number_of(&bytes)
}

/// As `read`, for a message that is about to be freed.
fn look(
    stream: &Stream,
    copy: impl FnOnce(&mut [u8]) -> crossmem_core::Result<()>,
    len: impl Into<u64>,
) -> Outcome<u32> {
    let number = read(copy, len)?;
    stream.disposing(number);
    Ok(number)
}

fn count(stream: &Stream, seen: Vec<Outcome<u32>>) -> Outcome {
    for number in seen {
        stream.got(number?);
    }
    Ok(())
}

fn write(segment: &Segment, offset: u64, bytes: &[u8]) {
    assert!(offset + bytes.len() as u64 <= segment.region().len() as u64);
    // SAFETY: the range is inside the segment, and reserved for the caller alone.
    unsafe {
        let to = segment.region().as_ptr().add(offset as usize);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
    }
}
