//! The part of the layout that JavaScript knows: it works on these fields without a call into the
//! addon.

/// The fields that JavaScript reads and writes itself: where each lies, in bytes.
pub mod offsets {
    use std::mem::offset_of;

    use crate::layout::locks::MutexWords;
    use crate::layout::object;
    use crate::layout::queues::{self, ChannelWords, EndWords, RingWords};
    use crate::layout::record_queue::{RecordEndWords, RecordQueueWords};

    /// In a segment: the state of the object, behind its header.
    pub const STATE: u32 = object::WORDS as u32;
    /// In a segment: the owner word of the object's mutex.
    pub const MUTEX_OWNER: u32 = STATE + offset_of!(MutexWords, owner) as u32;
    /// In a segment: the elements of a value or an array.
    pub const ELEMENTS: u32 = object::DATA_OFFSET as u32;

    /// In a segment: the two ends of a channel.
    pub const ENDS: u32 = STATE + offset_of!(ChannelWords, ends) as u32;
    /// From one end to the next.
    pub const END_BYTES: u32 = size_of::<EndWords>() as u32;
    /// In an end: the owner word of the agent that has it.
    pub const END_OWNER: u32 = offset_of!(EndWords, owner) as u32;
    /// In an end: not 0 once it was closed.
    pub const END_CLOSED: u32 = offset_of!(EndWords, closed) as u32;

    /// In a segment: the two rings of a channel.
    pub const RINGS: u32 = STATE + offset_of!(ChannelWords, rings) as u32;
    /// From one ring to the next.
    pub const RING_BYTES: u32 = size_of::<RingWords>() as u32;
    /// In a ring: the position behind the last record that was pushed.
    pub const RING_TAIL: u32 = offset_of!(RingWords, tail) as u32;
    /// In a ring: the position behind the last record that was popped.
    pub const RING_HEAD: u32 = offset_of!(RingWords, head) as u32;
    /// In a ring: not 0 while the consumer sleeps.
    pub const RING_EMPTY: u32 = offset_of!(RingWords, empty) as u32;
    /// In a ring: not 0 while the producer sleeps.
    pub const RING_FULL: u32 = offset_of!(RingWords, full) as u32;
    /// In a segment: the records of the first ring, followed by those of the second.
    pub const RECORDS: u32 = STATE + size_of::<ChannelWords>() as u32;

    /// Positions in a ring count units of so many bytes. A record's header is one unit.
    pub const UNIT_BYTES: u32 = queues::UNIT;
    /// The bits of a position that a record's header has.
    pub const HEADER_POSITION: u32 = queues::POSITION_MASK;
    /// The size of the smallest ring.
    pub const LEAST_RING_BYTES: u32 = queues::LINE as u32;

    /// In a segment: the two ends of a queue of records.
    pub const RECORD_ENDS: u32 = STATE + offset_of!(RecordQueueWords, ends) as u32;
    /// From one end to the next.
    pub const RECORD_END_BYTES: u32 = size_of::<RecordEndWords>() as u32;
    /// In an end: the position.
    pub const RECORD_END_POSITION: u32 = offset_of!(RecordEndWords, position) as u32;
    /// In an end: the owner word of the agent that has it.
    pub const RECORD_END_OWNER: u32 =
        (offset_of!(RecordEndWords, mutex) + offset_of!(MutexWords, owner)) as u32;
    /// In a segment: not 0 once the queue has ended.
    pub const RECORDS_ENDED: u32 = STATE + offset_of!(RecordQueueWords, ended) as u32;
}

// JavaScript takes these for granted: each begins what it is part of.
const _: () = {
    assert!(offsets::END_OWNER == 0 && offsets::RING_TAIL == 0 && offsets::MUTEX_OWNER == offsets::STATE);
    assert!(offsets::RECORD_END_POSITION == 0);
};
