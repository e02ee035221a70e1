import { CrossmemError, hasCode } from '../errors.js'
import { channelSink, forRoom, isPut, putInto, type Sink } from '../messages/index.js'
import { attempts, clearPad, nativeRecords, PAD_BYTES, pad } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import {
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  loopIsStarved,
  loopTurn,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'

// Bound here: what is imported is read through accessors of two modules at each use.
const { IN_TURN } = attempts
const { bytes } = pad
const isStarved = loopIsStarved

/** Sends messages from one end of a pipe, in the order of the calls, large ones in parts. */
export class PipeWriter {
  readonly #object: SharedObject
  readonly #end: number
  readonly #sink: Sink
  /** The most bytes of a record. */
  readonly #most: number
  /** Whether parts of a large message are sent and others have to follow. */
  #isHalfDone = false

  constructor(object: SharedObject, end: number, most: number) {
    this.#object = object
    this.#end = end
    this.#most = most
    this.#sink = channelSink(object, end, most)
  }

  /** @param isReused whether the bytes are overwritten after this call */
  async send(message: Uint8Array, options: WaitOptions | undefined, isReused: boolean): Promise<void> {
    checkBeforeAttempt(options)
    const isSmall = message.length <= this.#most
    if (isSmall && this.#isIdle && this.#put(message, false, IN_TURN)) {
      if (isStarved()) await loopTurn()
      return
    }
    // A large message is copied: the caller may change its bytes between two parts.
    const kept = isReused || !isSmall ? message.slice() : message
    await this.#object.wait(this.#sending(kept), options, forRoom(this.#end))
  }

  /**
   * Sends a message at once and lets a reader sleep that waits for it, until `rouse`. Returns
   * whether it did: else it sent nothing.
   */
  sendQuietly(message: Uint8Array): boolean {
    return message.length <= this.#most && this.#isIdle && this.#sink.fast?.push(message, false) === true
  }

  rouse(): void {
    this.#sink.fast?.wake()
  }

  sendSync(message: Uint8Array, options: SyncWaitOptions | undefined): void {
    checkBeforeAttemptSync(options)
    const isSmall = message.length <= this.#most
    if (this.#isHalfDone || !(isSmall || this.#isIdle)) {
      throw new CrossmemError(
        'ERR_BUSY',
        `a large message to "${this.#object.name}" would come between others; await those first`,
      )
    }
    if (isSmall && this.#put(message, false, IN_TURN)) return
    const sending = this.#sending(isSmall ? message : message.slice())
    try {
      this.#object.waitSync(sending, options, forRoom(this.#end))
    } catch (error) {
      if (!sending.isHalfDone() || isOver(error)) throw error
      this.#object.waitSync(sending, undefined, forRoom(this.#end))
    }
  }

  get #isIdle(): boolean {
    return this.#object.isIdle(forRoom(this.#end))
  }

  /**
   * Puts in the whole message, or its parts one by one. Once the first part is in, the others must
   * follow.
   */
  #sending(message: Uint8Array): WaitSpec<true> & { isHalfDone(): boolean } {
    const { length } = message
    // A part fits on the pad, so that a reader can take it out while the next one is written.
    const partLength = length <= this.#most ? length : Math.min(PAD_BYTES, this.#most >> 1)
    let sent = 0
    return {
      attempt: mode => {
        for (;;) {
          const end = Math.min(sent + partLength, length)
          try {
            if (!this.#put(message.subarray(sent, end), end < length, mode)) return undefined
          } catch (error) {
            this.#isHalfDone &&= !isOver(error)
            throw error
          }
          sent = end
          this.#isHalfDone = sent < length
          if (!this.#isHalfDone) return true
        }
      },
      doing: `sending to "${this.#object.name}"`,
      isHalfDone: () => sent > 0 && sent < length,
    }
  }

  #put(part: Uint8Array, more: boolean, mode: number): true | undefined {
    if (!more) return putInto(this.#sink, part, mode)
    clearPad()
    bytes.set(part)
    return isPut(this.#sink, nativeRecords.pushPart(this.#object.handle, this.#end, part.length, mode))
  }
}

/** Whether sending has become impossible. */
const isOver = (error: unknown): boolean =>
  hasCode(error, 'ERR_ENDED', 'ERR_PEER_DIED', 'ERR_CLOSED', 'ERR_CORRUPT')
