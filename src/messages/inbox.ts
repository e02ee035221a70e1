import { CrossmemError } from '../errors.js'
import { bytes, elsewhere, lengths, PAD_MESSAGES, transfers } from '../native/index.js'
import { checkCount } from '../util/index.js'
import {
  checkBeforeAttempt,
  IN_TURN,
  type SyncWaitOptions,
  TRY,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import type { Source } from './transport.js'

const { ELSEWHERE, ENDED, NOT_YET } = transfers

/**
 * Takes values out of a source, in the order of the calls. Messages are copied first and decoded when the taking is over: a codec is
 * the user's code, and may use any queue.
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

  /** `undefined`: nothing is there now, or ever will be. */
  tryGet(): T | undefined {
    const message = this.#look(TRY)
    return typeof message === 'object' ? this.#decode(message) : undefined
  }

  async get(options: WaitOptions | undefined): Promise<T> {
    checkBeforeAttempt(options)
    const { object, channel } = this.#source
    const now = object.isIdle(channel) ? this.#take(IN_TURN) : undefined
    return this.#decode(now ?? (await object.wait(this.#spec, options, channel)))
  }

  getSync(options: SyncWaitOptions | undefined): T {
    checkBeforeAttempt(options)
    const { object, channel } = this.#source
    return this.#decode(this.#take(IN_TURN) ?? object.waitSync(this.#spec, options, channel))
  }

  /** At most `max` that are there now. */
  tryGetMany(max: number): T[] {
    return this.#decodeAll(this.#takeMany(checkCount('max', max, 1)))
  }

  /** At most `max`, at least one. */
  async getMany(max: number, options: WaitOptions | undefined): Promise<T[]> {
    checkBeforeAttempt(options)
    const most = checkCount('max', max, 1)
    const { object, channel } = this.#source
    const now = object.isIdle(channel) ? this.#takeMany(most) : []
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
    const message = this.#look(mode)
    if (message === ENDED) throw isDrained(this.#source.object.name)
    return message === NOT_YET ? undefined : message
  }

  #look(mode: number): Uint8Array | typeof NOT_YET | typeof ENDED {
    const earlier = this.#backlog.shift()
    if (earlier) return earlier
    // Who is among the sleepers leaves them by a call.
    const fast = mode === TRY || mode === IN_TURN ? this.#source.fast?.pop() : undefined
    if (fast) return fast
    const taken = this.#source.take(mode)
    if (taken === NOT_YET || taken === ENDED) return taken
    return taken === ELSEWHERE ? this.#source.takeElsewhere() : bytes.slice(0, taken)
  }

  #takeMany(most: number, taken: Uint8Array[] = []): Uint8Array[] {
    taken.push(...this.#backlog.splice(0, most - taken.length))
    const { fast } = this.#source
    for (let message = fast; fast && taken.length < most && message; ) {
      const popped = fast.pop()
      if (popped) taken.push(popped)
      else message = undefined
    }
    try {
      this.#takeByCalls(taken, most)
    } catch (error) {
      // What was taken is not lost by what comes behind it.
      if (taken.length === 0) throw error
    }
    return taken
  }

  #takeByCalls(taken: Uint8Array[], most: number): void {
    while (taken.length < most) {
      elsewhere[0] = 0
      const count = this.#source.takeMany(Math.min(most - taken.length, PAD_MESSAGES))
      // The last one may not have fitted.
      const isElsewhere = count > 0 && elsewhere[0] !== 0
      if (count > 0) spread(isElsewhere ? count - 1 : count, taken)
      if (isElsewhere) taken.push(this.#source.takeElsewhere())
      else if (count < PAD_MESSAGES) break
    }
    // A record that is too large for the pad stays where it is.
    if (taken.length > 0) return
    const message = this.#look(TRY)
    if (typeof message === 'object') taken.push(message)
  }

  #decodeAll(messages: Uint8Array[]): T[] {
    const values: T[] = []
    for (const [at, message] of messages.entries()) {
      try {
        values.push(this.#decode(message))
      } catch (error) {
        // It is said when it is that one's turn; those behind it wait for theirs.
        const isFirst = at === 0
        this.#backlog.unshift(...messages.slice(isFirst ? 1 : at))
        if (isFirst) throw error
        return values
      }
    }
    return values
  }
}

/** Copies so many messages off the pad. */
function spread(count: number, to: Uint8Array[]): void {
  let end = 0
  for (let i = 0; i < count; i++) end += lengths[i] as number
  // One copy for all of them.
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

/** Copies a message into memory of the caller's. */
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

/** Memory to copy a message into. */
export function checkRoom(buffer: unknown): Uint8Array {
  if (buffer instanceof Uint8Array) return buffer
  throw new CrossmemError('ERR_INVALID_ARG', 'the buffer to copy into is a Uint8Array')
}

/** Bytes as they are. */
export const asBytes = (message: Uint8Array): Uint8Array => message
