import { padOffsets } from './protocol.js'
import { nativeQueues } from './queues.js'
import { shared } from './shared.js'

// Memory over which this environment and the addon hand each other messages, so that a call passes
// numbers only.

const { ELSEWHERE_AT, LENGTHS_AT, BYTES_AT } = padOffsets

/** The most bytes of messages that fit on the pad. */
export const PAD_BYTES = 1 << 16
/** The most messages that fit on the pad. */
export const PAD_MESSAGES = padOffsets.MESSAGES

/** Code that is writing to the pad or reading from it, and can go on with other memory. */
export interface PadUser {
  leave(): void
}

interface Pad {
  /**
   * Of a message that isn't on the pad: its offset in the segment, its length, its flags, its
   * chunk.
   */
  readonly elsewhere: Float64Array
  /** The lengths of the messages on the pad. */
  readonly lengths: Uint32Array
  /** The bytes of these messages, one behind the other. */
  readonly bytes: Uint8Array
  /** While a value is written to the pad, or read from it: what does that. */
  user: PadUser | undefined
}

/** All copies of this module have one pad. */
export const pad: Pad = shared('pad', () => {
  const buffer = nativeQueues.usePad(new ArrayBuffer(BYTES_AT + PAD_BYTES))
  return {
    elsewhere: new Float64Array(buffer, ELSEWHERE_AT, 4),
    lengths: new Uint32Array(buffer, LENGTHS_AT, PAD_MESSAGES),
    bytes: new Uint8Array(buffer, BYTES_AT),
    user: undefined,
  }
})

/**
 * Makes the pad free. It is called before each use: while a value is written, its getters run, and
 * they may put and get messages.
 */
export function clearPad(): void {
  const { user } = pad
  if (!user) return
  pad.user = undefined
  user.leave()
}
