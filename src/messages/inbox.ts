import { CrossmemError } from '../errors.js'
import { attempts, PAD_MESSAGES, pad, transfers } from '../native/index.js'
import { checkCount, isUint8Array } from '../util/index.js'
import {
  checkBeforeAttempt,
  loopIsStarved,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import type { Source } from './transport.js'

const { ELSEWHERE, ENDED, NOT_YET } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const { TRY, IN_TURN } = attempts
const { bytes, elsewhere, lengths } = pad
const isStarved = loopIsStarved

/**
 * Takes values out of a source, in the order of the calls. All messages of a call are copied before
 * the first is decoded: a codec is the user's code and may use the same queue.
 */
export class Inbox<T> {
  readonly #source: Source
  readonly #decode: (message: Uint8Array) => T
  /** Messages that were taken behind one that can't be decoded. */
  #backlog: Uint8Array[] = []

  constructor(source: Source, decode: (message: Uint8Array) => T) {
    this.#source = source
    this.#decode = decode
  }

  /** Returns `undefined` if no message is there, or the queue has ended. */
  tryGet(): T | undefined {
    const message = this.#attempt(TRY)
    return typeof message === 'object' ? this.#decode(message) : undefined
  }

  async get(options: WaitOptions | undefined): Promise<T> {
    checkBeforeAttempt(options)
    const { object, channel } = this.#source
    const now = object.isIdle(channel) && !isStarved() ? this.#take(IN_TURN) : undefined
    return this.#decode(now ?? (await object.wait(this.#spec, options, channel)))
  }

  getSync(options: SyncWaitOptions | undefined): T {
    checkBeforeAttempt(options)
    const { object, channel } = this.#source
    return this.#decode(this.#take(IN_TURN) ?? object.waitSync(this.#spec, options, channel))
  }

  /** Returns at most `max` of the messages that are there now. */
  tryGetMany(max: number): T[] {
    return this.#decodeAll(this.#takeMany(checkCount('max', max, 1)))
  }

  /** Waits for at least one message, and returns at most `max`. */
  async getMany(max: number, options: WaitOptions | undefined): Promise<T[]> {
    checkBeforeAttempt(options)
    const most = checkCount('max', max, 1)
    const { object, channel } = this.#source
    const now = object.isIdle(channel) && !isStarved() ? this.#takeMany(most) : []
    if (now.length > 0) return this.#decodeAll(now)
    return this.#decodeAll(await object.wait(this.#specOfMany(most), options, channel))
  }

  getManySync(max: number, options: SyncWaitOptions | undefined): T[] {
    checkBeforeAttempt(options)
    const most = checkCount('max', max, 1)
    const { object, channel } = this.#source
    const now = this.#takeMany(most)
    if (now.length > 0) return this.#decodeAll(now)
    return this.#decodeAll(object.waitSync(this.#specOfMany(most), options, channel))
  }

  get #spec(): WaitSpec<Uint8Array> {
    return { attempt: mode => this.#take(mode), doing: this.#doing }
  }

  #specOfMany(most: number): WaitSpec<Uint8Array[]> {
    return {
      attempt: mode => {
        const first = this.#take(mode)
        return first && this.#takeMany(most, [first])
      },
      doing: this.#doing,
    }
  }

  get #doing(): string {
    return `getting from "${this.#source.object.name}"`
  }

  #take(mode: number): Uint8Array | undefined {
    const message = this.#attempt(mode)
    if (message === ENDED) throw isDrained(this.#source.object.name)
    return message === NOT_YET ? undefined : message
  }

  #attempt(mode: number): Uint8Array | typeof NOT_YET | typeof ENDED {
    const earlier = this.#backlog.shift()
    if (earlier) return earlier
    // If this environment is registered as a sleeper, only a call into the addon removes it.
    const fast = mode === TRY || mode === IN_TURN ? this.#source.fast?.pop() : undefined
    if (fast) return fast
    const taken = this.#source.take(mode)
    if (taken === NOT_YET || taken === ENDED) return taken
    return taken === ELSEWHERE ? this.#source.takeElsewhere() : bytes.slice(0, taken)
  }

  #takeMany(most: number, taken: Uint8Array[] = []): Uint8Array[] {
    taken.push(...this.#backlog.splice(0, most - taken.length))
    const { fast } = this.#source
    while (fast && taken.length < most && fast.popMany(most - taken.length, taken) > 0);
    try {
      this.#takeByCalls(taken, most)
    } catch (error) {
      // An error behind messages that were taken must not lose them.
      if (taken.length === 0) throw error
    }
    return taken
  }

  #takeByCalls(taken: Uint8Array[], most: number): void {
    while (taken.length < most) {
      elsewhere[0] = 0
      const count = this.#source.takeMany(Math.min(most - taken.length, PAD_MESSAGES))
      // The last message may have been too large for the rest of the pad.
      const isElsewhere = count > 0 && elsewhere[0] !== 0
      if (count > 0) spread(isElsewhere ? count - 1 : count, taken)
      if (isElsewhere) taken.push(this.#source.takeElsewhere())
      else if (count < PAD_MESSAGES) break
    }
    // A record that is too large for the pad was left in the ring.
    if (taken.length > 0) return
    const message = this.#attempt(TRY)
    if (typeof message === 'object') taken.push(message)
  }

  #decodeAll(messages: Uint8Array[]): T[] {
    const values: T[] = []
    for (const [at, message] of messages.entries()) {
      try {
        values.push(this.#decode(message))
      } catch (error) {
        // The error is reported when this message comes to the front. The messages behind it stay
        // in the backlog.
        const isFirst = at === 0
        this.#backlog.unshift(...messages.slice(isFirst ? 1 : at))
        if (isFirst) throw error
        return values
      }
    }
    return values
  }
}

/** Copies `count` messages from the pad. */
function spread(count: number, to: Uint8Array[]): void {
  let end = 0
  for (let i = 0; i < count; i++) end += lengths[i] as number
  // One copy serves all of them.
  const { buffer } = bytes.slice(0, end)
  let at = 0
  for (let i = 0; i < count; i++) {
    const length = lengths[i] as number
    to.push(new Uint8Array(buffer, at, length))
    at += length
  }
}

export const isDrained = (name: string): CrossmemError =>
  new CrossmemError('ERR_ENDED', `"${name}" has ended: everything that was put in was taken out`)

/** Copies a message into the caller's memory. Returns its length. */
export function copyInto(message: Uint8Array, to: Uint8Array): number {
  if (message.byteLength > to.byteLength) {
    throw new CrossmemError(
      'ERR_TOO_LARGE',
      `the message has ${message.byteLength} bytes, more than the ${to.byteLength} there is room for; it is this error's cause`,
      { cause: message },
    )
  }
  to.set(message)
  return message.byteLength
}

/** Checks the memory that a message is to be copied into. */
export function checkRoom(buffer: unknown): Uint8Array {
  if (isUint8Array(buffer)) return buffer
  throw new CrossmemError('ERR_INVALID_ARG', 'the buffer to copy into is a Uint8Array')
}

/** The codec of byte queues: a message is its bytes. */
export const asBytes = (message: Uint8Array): Uint8Array => message
