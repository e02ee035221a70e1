//! A user of an object of any kind, which makes any call that the kind has.

use std::ops::RangeInclusive;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use crossmem_core::{
    Agent, ArrayGuard, CONSUMER, Chunk, End, Got, Kind, Looked, Member, Object, PRODUCER, Put, QueueWait,
    RecordsAt, Region, RequestRef, Segment, Side, Spins, Wait, Wanted,
};

use super::behind::Behind;
use super::scribble::Scribbler;
use super::world::{GUARD, heard};

const BYTES: [u8; 128] = [7; 128];

pub struct User<'a> {
    agent: &'a Agent,
    segment: &'a Segment,
    object: Object<'a>,
    /// Its memberships of a queue.
    members: Vec<Member>,
    /// The ends of a channel that it owns.
    ends: Vec<End>,
    /// Its requests for named locks.
    requests: Vec<RequestRef>,
    behind: Behind,
}

impl<'a> User<'a> {
    pub fn new(agent: &'a Agent, segment: &'a Segment) -> User<'a> {
        User {
            agent,
            segment,
            object: Object::new(agent, segment),
            members: Vec::new(),
            ends: Vec::new(),
            requests: Vec::new(),
            behind: Behind::of(segment.region()),
        }
    }

    /// Makes a call of the object's kind, or now and then of another kind.
    pub fn act(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let kinds = super::world::KINDS;
        let kind = if input.ratio(1, 24)? { *input.choose(&kinds)? } else { self.segment.kind };
        match kind {
            Kind::SharedMemory | Kind::ShareableList => self.inspect(input),
            Kind::NDArray => self.update(input),
            Kind::Mutex | Kind::RLock | Kind::Value | Kind::SharedArray => self.lock(input),
            Kind::RwLock => self.read_and_write(input),
            Kind::Semaphore => self.take_permits(input),
            Kind::Condition | Kind::SharedMap => self.wait_for_condition(input),
            Kind::Event => self.wait_for_event(input),
            Kind::Barrier => self.meet(input),
            Kind::LockManager => self.request(input),
            Kind::SpscQueue | Kind::Pipe => self.talk(input),
            Kind::MpmcQueue | Kind::Queue | Kind::JoinableQueue | Kind::Pool => self.queue(input),
            Kind::RecordQueue => self.records(input),
        }
    }

    /// Follows the input for up to `steps` steps. Each makes a call, or overwrites one of these
    /// parts of the segment.
    pub fn act_on(
        &mut self,
        input: &mut Unstructured<'_>,
        steps: usize,
        scribbler: &Scribbler,
        spans: &[RangeInclusive<u64>],
    ) {
        for _ in 0..steps {
            let done = match input.int_in_range(0..=3).unwrap_or(0) {
                0 => scribbler.scribble(input, spans),
                _ => self.act(input),
            };
            if input.is_empty() || done.is_err() {
                break;
            }
        }
    }

    /// Releases what the user still has.
    pub fn leave(mut self) {
        for member in self.members.drain(..) {
            heard(self.object.leave_queue(member));
        }
        for (i, end) in self.ends.drain(..).enumerate() {
            heard(self.object.release_end(end, i == 0));
        }
        drop(self.behind);
    }

    /// Makes calls that change nothing.
    fn inspect(&self, input: &mut Unstructured<'_>) -> Result<()> {
        heard(self.object.params());
        heard(self.object.holders());
        heard(self.object.sleeps(input.int_in_range(0..=8192)?));
        let _ = self.segment.company(self.agent);
        let mut copy = [0; 64];
        heard(self.segment.region().copy_to(input.arbitrary()?, &mut copy));
        Ok(())
    }

    fn update(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let at = if input.ratio(1, 8)? { input.arbitrary()? } else { GUARD };
        let Some(Some(guard)) = heard(ArrayGuard::find(self.agent, self.segment.region(), at)) else {
            return Ok(());
        };
        match input.int_in_range(0..=4)? {
            0 => drop(guard.enter(self.agent, wait(input)?)),
            1 => drop(heard(guard.leave(self.agent))),
            2 => drop(heard(guard.give_up(self.agent))),
            3 => guard.give_up_entering(self.agent),
            _ => {
                let mut copy = vec![0; input.int_in_range(0..=100)?];
                let from = input.int_in_range(0..=2 * GUARD)?;
                heard(guard.copy_to(self.agent, from, &mut copy, Duration::ZERO));
            }
        }
        Ok(())
    }

    fn lock(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=6)? {
            0 | 1 => drop(heard(object.lock(wait(input)?))),
            2 => drop(heard(object.unlock(input.arbitrary()?))),
            3 => drop(heard(object.mark_consistent())),
            4 => drop(heard(object.give_up_lock())),
            5 => drop(heard(object.is_locked())),
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    fn read_and_write(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=6)? {
            0 => drop(heard(object.read(wait(input)?))),
            1 => drop(heard(object.write(wait(input)?))),
            2 => drop(heard(object.end_read())),
            3 => drop(heard(object.end_write(input.arbitrary()?))),
            4 => drop(heard(object.mark_written_consistent())),
            5 => drop(heard(object.give_up_entering())),
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    fn take_permits(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=6)? {
            0 => drop(heard(object.acquire(wait(input)?))),
            1 => drop(heard(object.release(input.arbitrary()?, input.arbitrary()?))),
            2 => drop(heard(object.consume())),
            3 => drop(heard(object.permits())),
            4 => drop(heard(object.permits_held())),
            5 => drop(heard(object.give_up_acquiring())),
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    fn wait_for_condition(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=6)? {
            0 => drop(heard(object.enter_condition())),
            1 => drop(heard(object.wait_condition(small(input)?, wait(input)?))),
            2 => drop(heard(object.settle_condition())),
            3 => drop(heard(object.leave_condition(small(input)?))),
            4 => drop(heard(object.notify_condition(input.arbitrary()?))),
            5 => drop(heard(object.give_up_condition())),
            _ => self.lock(input)?,
        }
        Ok(())
    }

    fn wait_for_event(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=6)? {
            0 => drop(heard(object.set_event())),
            1 => drop(heard(object.clear_event())),
            2 => drop(heard(object.event_is_set())),
            3 => drop(heard(object.event_times())),
            4 => drop(heard(object.wait_event(small(input)?, wait(input)?))),
            5 => drop(heard(object.give_up_event())),
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    fn meet(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=8)? {
            0 => drop(heard(object.arrive(wait(input)?))),
            1 => drop(heard(object.wait_meeting(small(input)?.into(), wait(input)?))),
            2 => drop(heard(object.complete_meeting(small(input)?.into()))),
            3 => drop(heard(object.abort_meeting(input.arbitrary()?))),
            4 => drop(heard(object.reset_barrier())),
            5 => drop(heard(object.waiting_at_barrier())),
            6 => drop(heard(object.barrier_is_broken())),
            7 => drop(heard(object.give_up_barrier())),
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    fn request(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        match input.int_in_range(0..=5)? {
            0 | 1 => {
                let len = if input.ratio(1, 8)? { 128 } else { input.int_in_range(0..=2)? };
                let name = &BYTES[..len];
                let (shared, if_available, steal) =
                    (input.arbitrary()?, input.arbitrary()?, input.arbitrary()?);
                let entered = heard(object.request(&Wanted { name, shared, if_available, steal }));
                self.requests.extend(entered.flatten().map(|entered| entered.request));
            }
            2 => {
                let request = match self.requests.pop() {
                    Some(request) if !input.ratio(1, 8)? => request,
                    _ => RequestRef { cell: small(input)?, ticket: small(input)?.into() },
                };
                heard(object.end_request(request, input.arbitrary()?));
            }
            3 => drop(heard(object.request_news(input.arbitrary()?))),
            4 => drop(heard(object.query_requests())),
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    /// Makes one call to a channel.
    fn talk(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (object, region) = (self.object, self.segment.region());
        let index = usize::from(input.arbitrary::<bool>()?);
        if self.ends.len() < 2 {
            let wanted = if self.ends.is_empty() { PRODUCER } else { CONSUMER };
            self.ends.extend(heard(object.take_end(wanted)));
        }
        let Some(last) = self.ends.len().checked_sub(1) else { return self.inspect(input) };
        let end = &mut self.ends[index.min(last)];
        match input.int_in_range(0..=13)? {
            0 | 1 => {
                let bytes = &BYTES[..input.int_in_range(0..=64)?];
                heard(object.push_record(end, bytes, index == 0, wait(input)?));
            }
            2 => {
                let len = if input.ratio(1, 8)? { input.arbitrary()? } else { small(input)?.into() };
                if let Some(Looked::Got(Put::Done(place))) =
                    heard(object.reserve_record(end, len, wait(input)?))
                {
                    write_inside(region, place.offset, place.len.into());
                }
            }
            3 => drop(heard(object.commit_record(end, small(input)?, index == 0))),
            4 => drop(heard(object.push_records(end, [&BYTES[..3], &BYTES[..24]].into_iter()))),
            5 | 6 => {
                if let Some(Looked::Got(Got::Message(found))) = heard(object.peek_record(end, wait(input)?)) {
                    read_inside(region, found.offset, found.len.into());
                    let mut copy = vec![0; found.len as usize];
                    object.read_record(found, &mut copy).expect("a record inside the segment");
                }
            }
            7 => drop(heard(object.release_record(end))),
            8 => {
                let popped = object.pop_record(end, wait(input)?, |region, found| {
                    read_inside(region, found.offset, found.len.into());
                    index == 0
                });
                heard(popped);
            }
            9 => {
                let popped = object.pop_records(end, 3, |region, found| {
                    read_inside(region, found.offset, found.len.into());
                    true
                });
                heard(popped);
            }
            10 => {
                heard(object.bytes_towards(index));
                heard(object.end_is_closed(index));
                heard(object.most_bytes(end));
                heard(object.wake_peer(index, input.arbitrary()?));
            }
            11 => drop(heard(object.give_up_channel(index, input.arbitrary()?))),
            12 => {
                let end = self.ends.swap_remove(index.min(last));
                heard(object.release_end(end, input.ratio(1, 4)?));
            }
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    /// Makes one call to a queue.
    fn records(&self, input: &mut Unstructured<'_>) -> Result<()> {
        let object = self.object;
        let side = if input.arbitrary()? { Side::Consumers } else { Side::Producers };
        match input.int_in_range(0..=8)? {
            0 | 1 => drop(heard(object.put_records(&BYTES[..12 * input.int_in_range(0..=4)?], wait(input)?))),
            2 | 3 => {
                let mut copy = BYTES;
                heard(object.get_records(&mut copy[..36], wait(input)?));
            }
            4 => {
                let entered = heard(object.enter_records(side, wait(input)?, &mut Spins::default()));
                if let Some(Looked::Got(RecordsAt::Slots(slots))) = entered {
                    write_inside(self.segment.region(), slots.offset, slots.bytes);
                }
            }
            5 => drop(heard(object.advance_records(side, small(input)?))),
            6 => drop(heard(object.leave_records(side))),
            7 => drop(heard(object.give_up_records(side))),
            _ => {
                heard(object.wake_records(side));
                heard(object.count_records());
                heard(object.records_have_ended());
                if input.ratio(1, 8)? {
                    heard(object.leave_records(Side::Producers));
                    heard(object.end_records());
                }
            }
        }
        Ok(())
    }

    fn queue(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (object, region) = (self.object, self.segment.region());
        if self.members.is_empty() || self.members.len() < 3 && input.ratio(1, 8)? {
            self.members.extend(heard(object.join_queue()));
        }
        let Some(last) = self.members.len().checked_sub(1) else { return self.inspect(input) };
        let which = input.int_in_range(0..=last)?;
        let member = &mut self.members[which];
        match input.int_in_range(0..=14)? {
            0 | 1 => {
                let len = if input.ratio(1, 16)? { BYTES.len() } else { input.int_in_range(0..=24)? };
                heard(object.push_message(member, &BYTES[..len], wait(input)?));
            }
            2 => drop(heard(object.push_messages(member, [&BYTES[..3], &BYTES[..24]].into_iter()))),
            3 => {
                if let Some(Looked::Got(Put::Done(chunk))) =
                    heard(object.reserve_message(member, wait(input)?))
                {
                    write_inside(region, chunk.offset, chunk.len);
                    if input.arbitrary()? {
                        heard(object.commit_message(member, chunk.index, small(input)?));
                    }
                }
            }
            4..=6 => {
                if let Some(Looked::Got(Got::Message(chunk))) =
                    heard(object.take_message(member, wait(input)?))
                {
                    self.read(chunk);
                }
            }
            7 => {
                let popped = object.pop_messages(member, 3, |region, chunk| {
                    if !chunk.spilled {
                        read_inside(region, chunk.offset, chunk.len);
                    }
                    !chunk.spilled
                });
                heard(popped);
            }
            8 => drop(heard(object.free_message(member, input.int_in_range(0..=6)?))),
            9 => drop(heard(object.put_message_back(member, input.int_in_range(0..=6)?))),
            10 => drop(heard(object.abandon_message(member, input.int_in_range(0..=6)?))),
            11 => drop(heard(object.cancel_message(member, input.int_in_range(0..=6)?))),
            12 => {
                heard(object.join_messages(member, wait(input)?));
                heard(object.unfinished_messages(member));
                heard(object.queue_size(member));
                heard(object.queue_has_ended());
            }
            13 => {
                let waits = [QueueWait::Message, QueueWait::Room, QueueWait::Finish];
                heard(object.give_up_queue(*input.choose(&waits)?));
                if input.ratio(1, 8)? {
                    heard(object.end_queue());
                }
                if input.ratio(1, 4)? {
                    heard(object.leave_queue(self.members.swap_remove(which)));
                }
            }
            _ => self.inspect(input)?,
        }
        Ok(())
    }

    fn read(&self, chunk: Chunk) {
        if !chunk.spilled {
            read_inside(self.segment.region(), chunk.offset, chunk.len);
        }
        let mut copy = vec![0; chunk.len.min(200) as usize];
        heard(self.object.read_message(chunk, &mut copy));
    }
}

fn small(input: &mut Unstructured<'_>) -> Result<u32> {
    Ok(if input.ratio(1, 8)? { input.arbitrary()? } else { input.int_in_range(0..=70)? })
}

/// A way to wait that doesn't sleep.
fn wait(input: &mut Unstructured<'_>) -> Result<Wait> {
    Ok(match input.int_in_range(0..=7)? {
        0..=4 => Wait::Try,
        5 => Wait::InTurn,
        6 => Wait::Arm { again: input.arbitrary()? },
        _ => Wait::For(Duration::ZERO),
    })
}

fn read_inside(region: Region<'_>, offset: u64, len: u64) {
    let mut copy = vec![0; usize::try_from(len).expect("bytes of a segment")];
    region.copy_to(offset, &mut copy).expect("a message inside the segment");
}

fn write_inside(region: Region<'_>, offset: u64, len: u64) {
    let end = offset.checked_add(len).filter(|end| *end <= region.len() as u64);
    assert!(end.is_some(), "{len} bytes at {offset} of {}", region.len());
}
