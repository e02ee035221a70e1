import { CrossmemError } from '../errors.js'
import { hot } from '../native.js'
import type { SharedObject } from '../shared-object.js'
import { checkBeforeLook, type SyncWaitOptions, type WaitOptions } from '../wait.js'
import { POLITELY, TRY, type Wanted } from '../wait-queue.js'
import { FastProducer, unlessHidden } from './fast-ring.js'
import { hasEnded } from './outbox.js'
import { bytes, ENDED, elsewhere, NOT_YET, PAD_BYTES } from './pad.js'
import { forRoom, view } from './transport.js'

/** Sends messages from one end of a pipe, in the order of the calls, large ones in parts. */
export class PipeWriter {
  readonly #object: SharedObject
  readonly #end: number
  readonly #fast: FastProducer | undefined
  /** Most bytes of a record. */
  readonly #most: number
  /** Parts of a large message are in, and others are to follow. */
  #isHalfDone = false

  constructor(object: SharedObject, end: number, most: number) {
    this.#object = object
    this.#end = end
    this.#most = most
    this.#fast = unlessHidden(() => new FastProducer(object, 1 - end))
  }

  /** @param isReused whether the bytes are overwritten after this call */
  async send(message: Uint8Array, options: WaitOptions | undefined, isReused: boolean): Promise<void> {
    checkBeforeLook(options)
    const isSmall = message.length <= this.#most
    if (isSmall && this.#isIdle && this.#put(message, false, POLITELY)) return
    // Half a message that changes is worse than none.
    const kept = isReused || !isSmall ? message.slice() : message
    await this.#object.wait(this.#sending(kept), options, forRoom(this.#end))
  }

  sendSync(message: Uint8Array, options: SyncWaitOptions | undefined): void {
    checkBeforeLook(options)
    const isSmall = message.length <= this.#most
    if (this.#isHalfDone || !(isSmall || this.#isIdle)) {
      throw new CrossmemError(
        'ERR_BUSY',
        `a large message to "${this.#object.name}" would come between others; await those first`,
      )
    }
    if (isSmall && this.#put(message, false, POLITELY)) return
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

  /** Puts in the whole message, or part after part; once the first one is in, the others follow. */
  #sending(message: Uint8Array): Wanted<true> & { isHalfDone(): boolean } {
    const { length } = message
    // Parts that a reader can take out while the next ones are written.
    const partLength = length <= this.#most ? length : Math.max(1, this.#most >> 1)
    let sent = 0
    return {
      attempt: how => {
        for (;;) {
          const end = Math.min(sent + partLength, length)
          try {
            if (!this.#put(message.subarray(sent, end), end < length, how)) return undefined
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

  #put(part: Uint8Array, more: boolean, how: number): true | undefined {
    // Who is among the sleepers leaves them by a call.
    const isFast = !more && (how === TRY || how === POLITELY)
    if (isFast && this.#fast?.push(part)) return true
    const { handle } = this.#object
    let status: number
    if (part.length <= PAD_BYTES) {
      bytes.set(part)
      status = (more ? hot.pushPart : hot.pushRecord)(handle, this.#end, part.length, how)
    } else {
      status = hot.reserveRecord(handle, this.#end, part.length, how)
      if (status >= 0) {
        view(this.#object, elsewhere[0] as number, part.length).set(part)
        hot.commitRecord(handle, this.#end, part.length, Number(more))
      }
    }
    if (status === ENDED) throw hasEnded(this.#object.name)
    return status === NOT_YET ? undefined : true
  }
}

/** Whether nothing can be sent any more. */
const isOver = (error: unknown): boolean =>
  error instanceof CrossmemError &&
  ['ERR_ENDED', 'ERR_PEER_DIED', 'ERR_CLOSED', 'ERR_CORRUPT'].includes(error.code)
