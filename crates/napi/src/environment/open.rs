//! A segment that this environment has open, and the roles that the environment has at its object.

use std::hash::Hasher;

use crossmem_core::{Agent, End, Kind, Member, Object, Segment, Side, Spins};

use crate::protocol::channel::CHANNELS;

/// A segment that JavaScript can reach, by its handle or by its buffer.
pub(crate) struct Open {
    pub segment: Segment,
    /// Offset of the array's trailer, once it was found.
    pub trailer: Option<u64>,
    /// The handle was collected without `close`: only the buffer keeps the segment open.
    pub handle_is_gone: bool,
    /// An `ArrayBuffer` over the bytes exists.
    pub has_buffer: bool,
    /// The end of the buffer closes the segment.
    pub closes_with_buffer: bool,
    /// By channel: the offset in the segment of the set of sleepers in which this environment is.
    pub sleeps: [Option<u64>; CHANNELS as usize],
    /// The ends of a pipe or `SpscQueue` that this environment has.
    pub ends: [Option<End>; 2],
    /// This environment as a participant of a queue.
    pub member: Option<Member>,
    /// How long blocking waits at a queue of records look before they sleep.
    pub spins: Spins,
}

impl Open {
    pub(super) fn new(segment: Segment) -> Open {
        Open {
            segment,
            trailer: None,
            handle_is_gone: false,
            has_buffer: false,
            closes_with_buffer: false,
            sleeps: [None; CHANNELS as usize],
            ends: [None, None],
            member: None,
            spins: Spins::default(),
        }
    }

    /// Gives back the roles that this environment has at the object. An error is harmless: once
    /// this agent has left, the others take back its roles.
    pub(super) fn release_roles(&mut self, agent: &Agent) {
        let object = Object::new(agent, &self.segment);
        for end in self.ends.iter_mut().filter_map(Option::take) {
            let _ = object.release_end(end, self.segment.kind == Kind::Pipe);
        }
        if let Some(member) = self.member.take() {
            let _ = object.leave_queue(member);
        }
        if self.segment.kind == Kind::RecordQueue {
            for side in [Side::Consumers, Side::Producers] {
                let _ = object.leave_records(side);
            }
        }
    }
}

/// A hasher for handles, which are consecutive numbers.
#[derive(Default)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash << 8 | u64::from(*byte));
    }
    fn write_u32(&mut self, number: u32) {
        // The map takes buckets from the low bits and tags from the high bits: this fills both.
        self.0 = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
