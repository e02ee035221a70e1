import { CrossmemError } from '../errors.js'
import { hot } from '../native.js'
import type { SharedObject } from '../shared-object.js'
import { checkBeforeLook, type SyncWaitOptions, type WaitOptions } from '../wait.js'
import { POLITELY } from '../wait-queue.js'
import { FastProducer, unlessHidden } from './fast-ring.js'
import { hasEnded } from './outbox.js'
import { bytes, ENDED, elsewhere, NOT_YET, PAD_BYTES } from './pad.js'
import { forRoom, view } from './transport.js'

/** Sends messages from one end of a pipe, large ones in parts. */
export class PipeWriter {
  readonly #object: SharedObject
  readonly #end: number
  /** Most bytes of a part. */
  readonly #most: number
  readonly #fast: FastProducer | undefined
  /** A message that goes in parts is on its way: others wait until it has gone. */
  #large: Promise<void> | undefined

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
    const isIdle = !this.#large && this.#object.isIdle(forRoom(this.#end))
    if (isSmall && isIdle && this.#put(message, false, POLITELY)) return
    const kept = isReused ? message.slice() : message
    while (this.#large) await this.#large
    if (isSmall) return this.#wait(kept, false, options)
    const sent = this.#sendParts(kept, options)
    this.#large = sent.then(
      () => this.#done(),
      () => this.#done(),
    )
    return sent
  }

  sendSync(message: Uint8Array, options: SyncWaitOptions | undefined): void {
    if (this.#large) {
      throw new CrossmemError(
        'ERR_BUSY',
        `a large message is being sent to "${this.#object.name}"; await that first`,
      )
    }
    checkBeforeLook(options)
    if (message.length <= this.#most && this.#put(message, false, POLITELY)) return
    let limits = options
    for (const { part, more } of this.#parts(message)) {
      this.#object.waitSync(
        { attempt: how => this.#put(part, more, how), doing: this.#doing },
        limits,
        forRoom(this.#end),
      )
      limits = undefined
    }
  }

  #done(): void {
    this.#large = undefined
  }

  async #sendParts(message: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    let limits = options
    for (const { part, more } of this.#parts(message)) {
      await this.#wait(part, more, limits)
      // Half a message is of no use to anybody.
      limits = options?.unref ? { unref: true } : undefined
    }
  }

  /** Parts that a reader can take out while the next ones are written. */
  *#parts(message: Uint8Array): Generator<{ part: Uint8Array; more: boolean }> {
    if (message.length <= this.#most) return yield { part: message, more: false }
    const length = Math.max(1, this.#most >> 1)
    for (let at = 0; at < message.length; at += length) {
      yield { part: message.subarray(at, at + length), more: at + length < message.length }
    }
  }

  async #wait(part: Uint8Array, more: boolean, options: WaitOptions | undefined): Promise<void> {
    const wanted = { attempt: (how: number) => this.#put(part, more, how), doing: this.#doing }
    await this.#object.wait(wanted, options, forRoom(this.#end))
  }

  get #doing(): string {
    return `sending to "${this.#object.name}"`
  }

  #put(part: Uint8Array, more: boolean, how: number): true | undefined {
    if (!more && this.#fast?.push(part)) return true
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
