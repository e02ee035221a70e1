// The numbers that JavaScript and Rust both know. `crates/napi/src/protocol.rs` states them and
// says what each means; `__test__/native/protocol.test.ts` compares. They are literals here, so
// that calls need not ask the addon for them.

/**
 * How an attempt is made. A positive number is a time: the call sleeps for at most so many
 * milliseconds.
 */
export const attempts = {
  /** Makes one attempt, whether or not others wait. */
  TRY: 0,
  /** Makes one attempt, and lets agents that wait already go first. */
  IN_TURN: -3,
  /** Enters the sleepers and returns. */
  ARM: -1,
  /** As ARM, for a wait that was armed before. */
  ARM_AGAIN: -2,
  /** Added to the time of a wait that has slept before. */
  CONTINUED: 1_000_000,
} as const

/** The numbers that JavaScript shares with its reactor: their indexes, and how many there are. */
export const waits = { KEPT: 0, LISTENERS: 1, HEEDS_PENDING: 2, HEEDS_KEPT: 3, NUMBERS: 4 } as const

/**
 * The result of an attempt at a lock, a permit, an event, a notification, an update, or the end of
 * all tasks.
 */
export const answers = { NOT_YET: 0, GOT: 1, GOT_AFTER_DEATH: 2, HELD_HERE: 3 } as const

/** The result of an arrival at a barrier. */
export const arrivals = { NOT_YET: 0, WAITING: 1, LEADING: 2, BROKEN: 3 } as const

/** How a meeting at a barrier ended. */
export const meetings = { NOT_YET: 0, MET: 1, BROKEN_OFF: 2 } as const

/** The state of a request for a named lock. */
export const fates = { PENDING: 0, GRANTED: 1, GRANTED_AFTER_DEATH: 2, STOLEN: 3 } as const

/** The result of an attempt at bytes of a file, unless it is the number of the lock, from 1 on. */
export const fileAnswers = { HELD_ELSEWHERE: 0, HELD_HERE: -1 } as const

/** The result of a call that carries messages, unless it is a length or a count, from 0 on. */
export const transfers = { NOT_YET: -1, ENDED: -2, ELSEWHERE: -3, HELD_HERE: -4, MORE: 2 ** 32 } as const

/** The waits of an object, each with sleepers of its own. */
export const channels = {
  CHANNELS: 4,
  MAIN: 0,
  NOTIFIED: 1,
  MESSAGE: 0,
  ROOM: 1,
  FINISH: 2,
  RECORD_AT: 0,
  ROOM_AT: 2,
} as const

/** Bits: the object still has its name; another living agent has it open. */
export const company = { LINKED: 1, OTHERS: 2 } as const

/** Bits of a queue's third parameter. */
export const queueFlags = { REDELIVER: 1, SPILL: 2, STRUCTURES: 4 } as const

/** What became of a structure, unless it has a number, from 0 on. */
export const structureAnswers = { NO_ROOM: -1, NOT_NOW: -2 } as const

/** Offsets in a segment, in bytes. */
export const segmentOffsets = { FIELDS: 64, DATA: 256, MAP_NUMBERS: 12_288, PAGE: 4096 } as const

/** Offsets in the segment of a channel, in bytes, and what a record's header has. */
export const ringOffsets = {
  CONSUMER: 0,
  PRODUCER: 1,
  ENDS_AT: 64,
  END_BYTES: 64,
  CLOSED_AT: 8,
  RINGS_AT: 192,
  RING_BYTES: 384,
  HEAD_AT: 128,
  EMPTY_AT: 256,
  FULL_AT: 260,
  RECORDS_AT: 960,
  UNIT: 8,
  POSITION: 0x00ff_ffff,
  LEAST_BYTES: 64,
} as const

/** Offsets in the segment of a queue of records, in bytes, and the numbers of its ends. */
export const recordQueueOffsets = {
  CONSUMERS: 0,
  PRODUCERS: 1,
  ENDS_AT: 64,
  END_BYTES: 192,
  OWNER_AT: 8,
  ENDED_AT: 448,
  DESCRIPTION_AT: 512,
} as const

/** Offsets on the pad, in bytes, and how many messages it holds at most. */
export const padOffsets = { ELSEWHERE_AT: 0, LENGTHS_AT: 32, BYTES_AT: 4096, MESSAGES: 1016 } as const

/** Bits of a message that isn't on the pad. */
export const messageFlags = { REDELIVERED: 1, MORE: 1, SPILLED: 2 } as const
