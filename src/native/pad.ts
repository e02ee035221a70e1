import { nativeQueues } from './queues.js'

// Memory over which this environment and the addon hand each other messages, so that a call needs numbers only. Its layout is
// that of `pad.rs`.

const LENGTHS_AT = 32
const BYTES_AT = 4096

/** Bytes of messages that fit on the pad. */
export const PAD_BYTES = 1 << 16
/** Messages that fit on the pad. */
export const PAD_MESSAGES = (BYTES_AT - LENGTHS_AT) / 4

// Another copy of this module may have made it.
const buffer = nativeQueues.usePad(new ArrayBuffer(BYTES_AT + PAD_BYTES))

/** Of a message that isn't on the pad: where it is in the segment, its bytes, its flags, its chunk. */
export const elsewhere = new Float64Array(buffer, 0, 4)
/** The lengths of the messages on the pad. */
export const lengths = new Uint32Array(buffer, LENGTHS_AT, PAD_MESSAGES)
/** Their bytes, one behind the other. */
export const bytes = new Uint8Array(buffer, BYTES_AT)

/** A flag: a reader had it before, or it goes on in the next record. */
export const AGAIN_OR_MORE = 1
/** A flag: it is in a segment of its own. */
export const SPILLED = 2

/** What the calls of `hot` say when they don't say how much. */
export const NOT_YET = -1
export const ENDED = -2
export const ELSEWHERE = -3
