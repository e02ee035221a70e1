//! The numbers that Rust and JavaScript both know, stated once. The addon exports each module here
//! as an object of numbers, with which JavaScript's literals are compared.

use napi_derive::napi;

/// The numbers that JavaScript shares with its reactor, each of 32 bits.
#[napi]
pub mod waits {
    /// How many pending waits keep the process alive.
    #[napi]
    pub const KEPT: u32 = 0;
    /// How many listeners are called at each tick: one for each set of sleepers.
    #[napi]
    pub const LISTENERS: u32 = 1;
    /// 1: the reactor knows that a wait is pending.
    #[napi]
    pub const HEEDS_PENDING: u32 = 2;
    /// 1: the reactor keeps the process alive.
    #[napi]
    pub const HEEDS_KEPT: u32 = 3;
    /// How many numbers there are.
    #[napi]
    pub const NUMBERS: u32 = 4;
}

/// How an attempt is made: the last argument of every call that may have to wait. A positive number
/// is a time: the caller sleeps for at most so many milliseconds.
#[napi]
pub mod mode {
    /// Enters the set of sleepers and returns: the reactor calls when it is time for another
    /// attempt.
    #[napi]
    pub const ARM: i32 = -1;
    /// As `ARM`, for a wait that was armed before.
    #[napi]
    pub const ARM_AGAIN: i32 = -2;
    /// Makes one attempt, and lets agents that wait already go first.
    #[napi]
    pub const IN_TURN: i32 = -3;
    /// Makes one attempt, whether or not others wait.
    #[napi]
    pub const TRY: i32 = 0;
    /// Added to the time of a wait that has slept before and has not given up.
    #[napi]
    pub const CONTINUED: i32 = 1_000_000;
}

/// What an attempt answers: at a lock, a permit, an event, a notification, the update of an array,
/// or the end of all messages.
#[napi]
pub mod answer {
    /// It isn't available.
    #[napi]
    pub const NOT_YET: u32 = 0;
    /// The caller has it.
    #[napi]
    pub const GOT: u32 = 1;
    /// The caller has it, and the holder before it died.
    #[napi]
    pub const GOT_AFTER_DEATH: u32 = 2;
    /// This agent holds it already.
    #[napi]
    pub const HELD_HERE: u32 = 3;
}

/// What an arrival at a barrier answers.
#[napi]
pub mod arrival {
    /// The meeting before isn't over.
    #[napi]
    pub const NOT_YET: u32 = 0;
    /// The caller waits for the others.
    #[napi]
    pub const WAITING: u32 = 1;
    /// The caller came last, and has to end the meeting.
    #[napi]
    pub const LEADING: u32 = 2;
    /// The barrier is broken.
    #[napi]
    pub const BROKEN: u32 = 3;
}

/// How a meeting at a barrier ended.
#[napi]
pub mod meeting {
    /// It goes on.
    #[napi]
    pub const NOT_YET: u32 = 0;
    /// All parties met.
    #[napi]
    pub const MET: u32 = 1;
    /// It was broken off.
    #[napi]
    pub const BROKEN_OFF: u32 = 2;
}

/// What became of a request for a named lock.
#[napi]
pub mod fate {
    /// It waits.
    #[napi]
    pub const PENDING: u32 = 0;
    /// It holds the lock.
    #[napi]
    pub const GRANTED: u32 = 1;
    /// It holds the lock, and the holder before it died.
    #[napi]
    pub const GRANTED_AFTER_DEATH: u32 = 2;
    /// Its lock was stolen, and it is over.
    #[napi]
    pub const STOLEN: u32 = 3;
}

/// What an attempt at bytes of a file answers, unless it is the number of the lock, from 1 on.
#[napi]
pub mod file {
    /// Another process or handle holds some of them.
    #[napi]
    pub const HELD_ELSEWHERE: i32 = 0;
    /// This handle holds some of them.
    #[napi]
    pub const HELD_HERE: i32 = -1;
}

/// What a call that carries messages answers, unless it is a length or a count, from 0 on.
#[napi]
pub mod transfer {
    /// There is no message, or no room.
    #[napi]
    pub const NOT_YET: i64 = -1;
    /// The queue has ended, or the other end was closed.
    #[napi]
    pub const ENDED: i64 = -2;
    /// The message doesn't fit on the pad: the caller has it, and the pad says where it is.
    #[napi]
    pub const ELSEWHERE: i64 = -3;
    /// This environment has that end of a queue of records already.
    #[napi]
    pub const HELD_HERE: i64 = -4;
    /// Added to a record's length when the message goes on in the next record.
    #[napi]
    pub const MORE: i64 = 1 << 32;
}

/// The waits that an object has, each with sleepers of its own.
#[napi]
pub mod channel {
    /// How many an object has at most.
    #[napi]
    pub const CHANNELS: u32 = 4;
    /// For a lock, or for the only thing to wait for.
    #[napi]
    pub const MAIN: u32 = 0;
    /// For a condition's notification.
    #[napi]
    pub const NOTIFIED: u32 = 1;
    /// For a message of a queue.
    #[napi]
    pub const MESSAGE: u32 = 0;
    /// For room in a queue.
    #[napi]
    pub const ROOM: u32 = 1;
    /// For the end of all messages of a queue.
    #[napi]
    pub const FINISH: u32 = 2;
    /// Added to the number of an end of a pipe or `SpscQueue`: for a record at that end.
    #[napi]
    pub const RECORD_AT: u32 = 0;
    /// Added to the number of an end of a pipe or `SpscQueue`: for room for what that end pushes.
    #[napi]
    pub const ROOM_AT: u32 = 2;
}

/// Who else has to do with an object, as bits.
#[napi]
pub mod company {
    /// The object still has its name.
    #[napi]
    pub const LINKED: u32 = 1;
    /// Another living agent has it open.
    #[napi]
    pub const OTHERS: u32 = 2;
}

/// The third parameter of a queue, as bits.
#[napi]
pub mod queue {
    /// A message whose reader died goes to the next reader.
    #[napi]
    pub const REDELIVER: u32 = crossmem_core::queue_flags::REDELIVER;
    /// A message that is too large for a chunk lies in the arena.
    #[napi]
    pub const SPILL: u32 = crossmem_core::queue_flags::SPILL;
    /// The queue has a list of structures.
    #[napi]
    pub const STRUCTURES: u32 = crossmem_core::queue_flags::STRUCTURES;
}

/// What became of a structure, unless it has a number, from 0 on.
#[napi]
pub mod structure {
    /// The queue has room for no other one.
    #[napi]
    pub const NO_ROOM: i32 = -1;
    /// Another process adds one.
    #[napi]
    pub const NOT_NOW: i32 = -2;
}

/// Where things lie in a segment, in bytes from its beginning.
#[napi]
pub mod segment {
    /// Fields of an object that is more than bytes, behind its header. Those of a mutex begin with
    /// the owner word.
    #[napi]
    pub const FIELDS: u32 = crossmem_core::offsets::STATE;
    /// Elements of a value or a shared array.
    #[napi]
    pub const DATA: u32 = crossmem_core::offsets::ELEMENTS;
    /// The numbers of a map.
    #[napi]
    pub const MAP_NUMBERS: u32 = crossmem_core::MAP_DATA_OFFSET as u32;
    /// The trailer of an ndarray begins at the first multiple of this behind the data, and is so
    /// long.
    #[napi]
    pub const PAGE: u32 = crossmem_core::PAGE as u32;
}

/// Where things lie in the segment of a channel, in bytes.
#[napi]
pub mod ring {
    use crossmem_core::offsets;

    /// The end that pops from ring 0.
    #[napi]
    pub const CONSUMER: u32 = crossmem_core::CONSUMER as u32;
    /// The other end.
    #[napi]
    pub const PRODUCER: u32 = crossmem_core::PRODUCER as u32;
    /// The first of two ends, which begins with its owner word.
    #[napi]
    pub const ENDS_AT: u32 = offsets::ENDS;
    /// Length of an end.
    #[napi]
    pub const END_BYTES: u32 = offsets::END_BYTES;
    /// Of an end: whether it was closed, 32 bits.
    #[napi]
    pub const CLOSED_AT: u32 = offsets::END_CLOSED;
    /// The first of two rings, which begins with `tail`, 32 bits.
    #[napi]
    pub const RINGS_AT: u32 = offsets::RINGS;
    /// Length of a ring's fields.
    #[napi]
    pub const RING_BYTES: u32 = offsets::RING_BYTES;
    /// Of a ring: `head`, 32 bits.
    #[napi]
    pub const HEAD_AT: u32 = offsets::RING_HEAD;
    /// Of a ring: the consumer that sleeps until there is a record, 32 bits.
    #[napi]
    pub const EMPTY_AT: u32 = offsets::RING_EMPTY;
    /// Of a ring: the producer that sleeps until there is room, 32 bits.
    #[napi]
    pub const FULL_AT: u32 = offsets::RING_FULL;
    /// The records of both rings.
    #[napi]
    pub const RECORDS_AT: u32 = offsets::RECORDS;
    /// Bytes of a unit, in which positions count; a record's header is one.
    #[napi]
    pub const UNIT: u32 = offsets::UNIT_BYTES;
    /// The bits of a position that a record's header has, above 8 bits of flags and 32 of length.
    #[napi]
    pub const POSITION: u32 = offsets::HEADER_POSITION;
    /// The least that a ring has room for.
    #[napi]
    pub const LEAST_BYTES: u32 = offsets::LEAST_RING_BYTES;
}

/// Where things lie in the segment of a queue of records, in bytes.
#[napi]
pub mod records {
    use crossmem_core::offsets;

    /// The end that takes records.
    #[napi]
    pub const CONSUMERS: u32 = crossmem_core::Side::Consumers as u32;
    /// The end that puts records.
    #[napi]
    pub const PRODUCERS: u32 = crossmem_core::Side::Producers as u32;
    /// The first of two ends, which begins with its position, 32 bits.
    #[napi]
    pub const ENDS_AT: u32 = offsets::RECORD_ENDS;
    /// Length of an end.
    #[napi]
    pub const END_BYTES: u32 = offsets::RECORD_END_BYTES;
    /// Of an end: the owner word of the agent that has it.
    #[napi]
    pub const OWNER_AT: u32 = offsets::RECORD_END_OWNER;
    /// Not 0 once the queue has ended, 32 bits.
    #[napi]
    pub const ENDED_AT: u32 = offsets::RECORDS_ENDED;
    /// The description of the records: a .npy header.
    #[napi]
    pub const DESCRIPTION_AT: u32 = crossmem_core::DESCRIPTION_OFFSET as u32;
}

/// The memory over which JavaScript and the addon hand each other messages, in bytes.
#[napi]
pub mod pad {
    /// Of a message that is not on the pad: its offset in the segment, its length, its flags, its
    /// chunk; `f64` each.
    #[napi]
    pub const ELSEWHERE_AT: u32 = 0;
    /// The lengths of the messages that are on the pad, `u32` each.
    #[napi]
    pub const LENGTHS_AT: u32 = 32;
    /// The bytes of these messages, one behind the other.
    #[napi]
    pub const BYTES_AT: u32 = 4096;
    /// How many messages there can be on the pad.
    #[napi]
    pub const MESSAGES: u32 = (BYTES_AT - LENGTHS_AT) / 4;
    /// A flag of a message: an earlier reader died with it.
    #[napi]
    pub const REDELIVERED: u32 = 1;
    /// A flag of a record: its message goes on in the next one.
    #[napi]
    pub const MORE: u32 = 1;
    /// A flag of a message: it lies in the arena.
    #[napi]
    pub const SPILLED: u32 = 2;
}
