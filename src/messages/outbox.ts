import { CrossmemError } from '../errors.js'
import { attempts, PAD_BYTES, PAD_MESSAGES, pad, transfers } from '../native/index.js'
import { isUint8Array, show } from '../util/index.js'
import {
  checkBeforeAttempt,
  loopIsStarved,
  loopTurn,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import type { Sink } from './transport.js'

const { NOT_YET, ENDED } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const { TRY, IN_TURN } = attempts
const { bytes, lengths } = pad
const isStarved = loopIsStarved
const isBytes = isUint8Array

/** Makes bytes of a value. They may be valid only until the next call. */
export type Encode<T> = (value: T) => Uint8Array

/** The codec of byte queues: a message is its bytes. */
export function checkBytes(message: Uint8Array): Uint8Array {
  if (isBytes(message)) return message
  throw new CrossmemError('ERR_INVALID_ARG', `a message is a Uint8Array, not ${typeof message}`)
}

/** Puts values into a sink, in the order of the calls. */
export class Outbox<T> {
  readonly #sink: Sink
  readonly #encode: Encode<T>
  readonly #limit: number
  readonly #keep: (message: Uint8Array) => Uint8Array

  /** @param limit the most bytes of a message; a longer one is refused by the sink */
  constructor(sink: Sink, encode: Encode<T>, limit = Number.POSITIVE_INFINITY) {
    this.#sink = sink
    this.#encode = encode
    this.#limit = limit
    // A codec overwrites its bytes at the next call. Bytes that a caller passed stay the caller's.
    this.#keep = (encode as unknown) === checkBytes ? message => message : message => new Uint8Array(message)
  }

  /**
   * Returns whether it was put. While puts of this environment wait, it isn't: it would overtake
   * them.
   */
  tryPut(value: T): boolean {
    const message = this.#encode(value)
    return this.#isIdle && putInto(this.#sink, message, TRY) === true
  }

  async put(value: T, options: WaitOptions | undefined): Promise<void> {
    checkBeforeAttempt(options)
    const { object, channel } = this.#sink
    const message = this.#encode(value)
    if (this.#isIdle && putInto(this.#sink, message, IN_TURN)) {
      if (isStarved()) await loopTurn()
      return
    }
    await object.wait(this.#spec(this.#keep(message)), options, channel)
  }

  putSync(value: T, options: SyncWaitOptions | undefined): void {
    checkBeforeAttempt(options)
    const { object, channel } = this.#sink
    const message = this.#encode(value)
    if (putInto(this.#sink, message, IN_TURN)) return
    object.waitSync(this.#spec(this.#keep(message)), options, channel)
  }

  /** Puts as many of the first values as there is room for now. Returns how many. */
  tryPutMany(values: readonly T[]): number {
    const messages = this.#encodeAll(values)
    return this.#isIdle ? this.#putMany(messages, 0) : 0
  }

  async putMany(values: readonly T[], options: WaitOptions | undefined): Promise<void> {
    checkBeforeAttempt(options)
    const { object, channel } = this.#sink
    const messages = this.#encodeAll(values)
    let done = 0
    while (done < messages.length) {
      if (this.#isIdle) done += this.#putMany(messages, done)
      const next = messages[done]
      if (!next) break
      await object.wait(this.#spec(next), options, channel)
      done++
    }
    if (isStarved()) await loopTurn()
  }

  putManySync(values: readonly T[], options: SyncWaitOptions | undefined): void {
    checkBeforeAttempt(options)
    const { object, channel } = this.#sink
    const messages = this.#encodeAll(values)
    let done = 0
    while (done < messages.length) {
      done += this.#putMany(messages, done)
      const next = messages[done]
      if (!next) return
      object.waitSync(this.#spec(next), options, channel)
      done++
    }
  }

  get #isIdle(): boolean {
    return this.#sink.object.isIdle(this.#sink.channel)
  }

  #spec(message: Uint8Array): WaitSpec<true> {
    return {
      attempt: mode => putInto(this.#sink, message, mode),
      doing: `putting into "${this.#sink.object.name}"`,
    }
  }

  /** All are checked before the first is put. If one is refused, none is put. */
  #encodeAll(values: readonly T[]): Uint8Array[] {
    if (!Array.isArray(values)) {
      throw new CrossmemError('ERR_INVALID_ARG', `messages are an array, not ${show(values)}`)
    }
    const [encode, keep, limit] = [this.#encode, this.#keep, this.#limit]
    const messages = new Array<Uint8Array>(values.length)
    // By index: `map` leaves out the holes of an array.
    for (let i = 0; i < values.length; i++) {
      const message = encode(values[i] as T)
      if (message.length > limit) throw this.#tooLarge(message)
      messages[i] = keep(message)
    }
    return messages
  }

  #tooLarge({ length }: Uint8Array): CrossmemError {
    const { name } = this.#sink.object
    return new CrossmemError(
      'ERR_TOO_LARGE',
      `${length} bytes are more than the ${this.#limit} of a message of "${name}"; nothing was put`,
    )
  }

  /** Puts messages, from index `first` on, while there is room. Returns how many. */
  #putMany(messages: readonly Uint8Array[], first: number): number {
    const { fast } = this.#sink
    let done = fast ? fast.pushMany(messages, first) : first
    for (;;) {
      const count = this.#spread(messages, done)
      if (count === 0) {
        const large = messages[done]
        if (!large || !this.#putBehind(large, done > first)) return done - first
        done++
        continue
      }
      const put = this.#sink.putMany(count)
      if (put === ENDED) {
        if (done > first) return done - first
        throw hasEnded(this.#sink.object.name)
      }
      done += put
      if (put < count || done === messages.length) return done - first
    }
  }

  /**
   * Puts a message that is too large for the pad. An error behind messages that were put is
   * reported by the next call.
   */
  #putBehind(message: Uint8Array, isBehindOthers: boolean): boolean {
    try {
      return putInto(this.#sink, message, TRY) === true
    } catch (error) {
      if (isBehindOthers) return false
      throw error
    }
  }

  /** Copies as many messages onto the pad as fit. Returns how many. */
  #spread(messages: readonly Uint8Array[], first: number): number {
    const { most } = this.#sink
    let used = 0
    let count = 0
    for (let at = first; at < messages.length && count < PAD_MESSAGES; at++, count++) {
      const message = messages[at] as Uint8Array
      const { length } = message
      if (length > most || used + length > PAD_BYTES) break
      lengths[count] = length
      bytes.set(message, used)
      used += length
    }
    return count
  }
}

export const hasEnded = (name: string): CrossmemError =>
  new CrossmemError('ERR_ENDED', `"${name}" has ended: nothing can be put in any more`)

/** Puts a message in. Returns `undefined` if there is no room yet. */
export function putInto(sink: Sink, message: Uint8Array, mode: number): true | undefined {
  // If this environment is registered as a sleeper, only a call into the addon removes it.
  if ((mode === TRY || mode === IN_TURN) && sink.fast?.push(message)) return true
  const { length } = message
  if (length > sink.most) return isPut(sink, sink.putLarge(message, mode))
  bytes.set(message)
  return isPut(sink, sink.put(length, mode))
}

export function isPut(sink: Sink, status: number): true | undefined {
  if (status === NOT_YET) return undefined
  if (status === ENDED) throw hasEnded(sink.object.name)
  return true
}
