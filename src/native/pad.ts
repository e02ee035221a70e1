import { padOffsets } from './protocol.js'
import { nativeQueues } from './queues.js'

// Memory over which this environment and the addon hand each other messages, so that a call passes
// numbers only.

const { ELSEWHERE_AT, LENGTHS_AT, BYTES_AT } = padOffsets

/** The most bytes of messages that fit on the pad. */
export const PAD_BYTES = 1 << 16
/** The most messages that fit on the pad. */
export const PAD_MESSAGES = padOffsets.MESSAGES

// If another copy of this module made the pad, the addon returns that one.
const buffer = nativeQueues.usePad(new ArrayBuffer(BYTES_AT + PAD_BYTES))

export const pad = {
  /**
   * Of a message that isn't on the pad: its offset in the segment, its length, its flags, its
   * chunk.
   */
  elsewhere: new Float64Array(buffer, ELSEWHERE_AT, 4),
  /** The lengths of the messages on the pad. */
  lengths: new Uint32Array(buffer, LENGTHS_AT, PAD_MESSAGES),
  /** The bytes of these messages, one behind the other. */
  bytes: new Uint8Array(buffer, BYTES_AT),
} as const
