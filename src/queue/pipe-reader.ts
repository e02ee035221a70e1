import { hot } from '../native.js'
import type { SharedObject } from '../shared-object.js'
import { checkBeforeLook, type SyncWaitOptions, type WaitOptions } from '../wait.js'
import { POLITELY, TRY } from '../wait-queue.js'
import { FastConsumer, unlessHidden } from './fast-ring.js'
import { isDrained } from './inbox.js'
import { AGAIN_OR_MORE, bytes, ELSEWHERE, ENDED, elsewhere, NOT_YET } from './pad.js'
import { copyRecord, forRecord } from './transport.js'

/** Added to a record's length when its message goes on in the next one. */
const MORE = 2 ** 32

/** Receives messages at one end of a pipe, and puts together those that came in parts. */
export class PipeReader {
  readonly #object: SharedObject
  readonly #end: number
  readonly #fast: FastConsumer | undefined
  /** Parts of a message that is not whole yet. */
  #parts: Uint8Array[] = []

  constructor(object: SharedObject, end: number) {
    this.#object = object
    this.#end = end
    this.#fast = unlessHidden(() => new FastConsumer(object, end))
  }

  tryReceive(): Uint8Array | undefined {
    return this.#take(TRY, false)
  }

  async receive(options: WaitOptions | undefined): Promise<Uint8Array> {
    checkBeforeLook(options)
    const channel = forRecord(this.#end)
    if (this.#object.isIdle(channel)) {
      const now = this.#take(POLITELY)
      if (now) return now
    }
    return this.#object.wait({ attempt: how => this.#take(how), doing: this.#doing }, options, channel)
  }

  receiveSync(options: SyncWaitOptions | undefined): Uint8Array {
    checkBeforeLook(options)
    const now = this.#take(POLITELY)
    if (now) return now
    const wanted = { attempt: (how: number) => this.#take(how), doing: this.#doing }
    return this.#object.waitSync(wanted, options, forRecord(this.#end))
  }

  get #doing(): string {
    return `receiving from "${this.#object.name}"`
  }

  #take(how: number, throwsAtEnd = true): Uint8Array | undefined {
    for (;;) {
      // Who is among the sleepers leaves them by a call.
      const fast = how === TRY || how === POLITELY ? this.#fast?.pop() : undefined
      if (fast) {
        this.#parts.push(fast)
        return this.#whole()
      }
      const taken = hot.popRecord(this.#object.handle, this.#end, how)
      if (taken === NOT_YET) return undefined
      if (taken === ENDED) {
        // What is not whole will never be.
        this.#parts = []
        if (throwsAtEnd) throw isDrained(this.#object.name)
        return undefined
      }
      const more = taken === ELSEWHERE ? (elsewhere[2] as number) & AGAIN_OR_MORE : taken >= MORE
      this.#parts.push(taken === ELSEWHERE ? this.#copy() : bytes.slice(0, taken % MORE))
      if (!more) return this.#whole()
    }
  }

  #copy(): Uint8Array {
    const part = copyRecord(this.#object)
    hot.releaseRecord(this.#object.handle, this.#end)
    return part
  }

  #whole(): Uint8Array {
    const [first, ...rest] = this.#parts as [Uint8Array, ...Uint8Array[]]
    this.#parts = []
    if (rest.length === 0) return first
    const whole = new Uint8Array(rest.reduce((length, part) => length + part.length, first.length))
    whole.set(first)
    let at = first.length
    for (const part of rest) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}
