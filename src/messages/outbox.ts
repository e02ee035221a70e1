import { CrossmemError } from '../errors.js'
import { attempts, clearPad, pad, transfers } from '../native/index.js'
import {
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  loopIsStarved,
  loopTurn,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import { checkMany, type Packed, type Packing, type Parcel } from './packing.js'
import type { Sink } from './transport.js'

const { NOT_YET, ENDED } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const { TRY, IN_TURN } = attempts
const { bytes } = pad
const isStarved = loopIsStarved

/** Puts values into a sink, in the order of the calls. */
export class Outbox<T> {
  readonly #sink: Sink
  readonly #packing: Packing<T>

  constructor(sink: Sink, packing: Packing<T>) {
    this.#sink = sink
    this.#packing = packing
  }

  /**
   * Returns whether it was put. While puts of this environment wait, it isn't: it would overtake
   * them.
   */
  tryPut(value: T): boolean {
    const message = this.#packing.pack(value)
    return this.#isIdle && putInto(this.#sink, message, TRY) === true
  }

  /** Returns `undefined` if it was put at once. */
  put(value: T, options: WaitOptions | undefined): Promise<unknown> | undefined {
    checkBeforeAttempt(options)
    const { object, channel } = this.#sink
    const message = this.#packing.pack(value)
    if (this.#isIdle && putInto(this.#sink, message, IN_TURN)) return isStarved() ? loopTurn() : undefined
    return object.wait(this.#spec(this.#packing.keep(message)), options, channel)
  }

  putSync(value: T, options: SyncWaitOptions | undefined): void {
    checkBeforeAttemptSync(options)
    const { object, channel } = this.#sink
    const message = this.#packing.pack(value)
    if (putInto(this.#sink, message, IN_TURN)) return
    object.waitSync(this.#spec(this.#packing.keep(message)), options, channel)
  }

  /** Puts as many of the first values as there is room for now. Returns how many. */
  tryPutMany(values: readonly T[]): number {
    checkMany(values)
    const parcel = this.#packing.packMany(values)
    return this.#isIdle ? this.#putMany(parcel, 0) : 0
  }

  async putMany(values: readonly T[], options: WaitOptions | undefined): Promise<void> {
    checkBeforeAttempt(options)
    checkMany(values)
    const { object, channel } = this.#sink
    const parcel = this.#packing.packMany(values)
    const { count } = parcel
    let done = 0
    while (done < count) {
      if (this.#isIdle) done += this.#putMany(parcel, done)
      if (done === count) break
      parcel.keep()
      await object.wait(this.#spec(parcel.at(done)), options, channel)
      done++
    }
    if (isStarved()) await loopTurn()
  }

  putManySync(values: readonly T[], options: SyncWaitOptions | undefined): void {
    checkBeforeAttemptSync(options)
    checkMany(values)
    const { object, channel } = this.#sink
    const parcel = this.#packing.packMany(values)
    const { count } = parcel
    let done = 0
    while (done < count) {
      done += this.#putMany(parcel, done)
      if (done === count) return
      parcel.keep()
      object.waitSync(this.#spec(parcel.at(done)), options, channel)
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

  /** Puts messages, from index `first` on, while there is room. Returns how many. */
  #putMany(parcel: Parcel, first: number): number {
    const { fast, most } = this.#sink
    const { count } = parcel
    let done = fast ? fast.pushMany(parcel, first) : first
    for (;;) {
      const spread = parcel.spread(done, most)
      if (spread === 0) {
        if (done === count || !this.#putBehind(parcel.at(done), done > first)) return done - first
        done++
        continue
      }
      const put = this.#sink.putMany(spread)
      if (put === ENDED) {
        if (done > first) return done - first
        throw hasEnded(this.#sink.object.name)
      }
      done += put
      if (put < spread || done === count) return done - first
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
}

export const hasEnded = (name: string): CrossmemError =>
  new CrossmemError('ERR_ENDED', `"${name}" has ended: nothing can be put in any more`)

/** Puts a message in. Returns `undefined` if there is no room yet. */
export function putInto(sink: Sink, message: Packed, mode: number): true | undefined {
  if (typeof message === 'number') {
    if (message > sink.most) return isPut(sink, sink.putLarge(bytes.subarray(0, message), mode))
    return isPut(sink, sink.put(message, mode))
  }
  // If this environment is registered as a sleeper, only a call into the addon removes it.
  if ((mode === TRY || mode === IN_TURN) && sink.fast?.push(message)) return true
  const { length } = message
  if (length > sink.most) return isPut(sink, sink.putLarge(message, mode))
  clearPad()
  bytes.set(message)
  return isPut(sink, sink.put(length, mode))
}

export function isPut(sink: Sink, status: number): true | undefined {
  if (status === NOT_YET) return undefined
  if (status === ENDED) throw hasEnded(sink.object.name)
  return true
}
