import { CrossmemError } from '../errors.js'
import { attempts, clearPad, PAD_MESSAGES, pad, transfers } from '../native/index.js'
import { checkCount, isUint8Array } from '../util/index.js'
import {
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  loopIsStarved,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import type { Source } from './transport.js'
import type { Unpacking } from './unpacking.js'

const { ELSEWHERE, ENDED, NOT_YET } = transfers
// Bound here: what is imported is read through accessors of two modules at each use.
const { TRY, IN_TURN } = attempts
const { elsewhere } = pad
const isStarved = loopIsStarved

/** The result of an attempt that took no message. */
export const NO_MESSAGE = Symbol('no message')
const AT_THE_END = Symbol('the end')

type NotTaken = typeof NO_MESSAGE | typeof AT_THE_END

/**
 * Takes values out of a source, in the order of the calls. All messages of a call are taken before
 * code of the user's runs: a codec may use the same queue.
 */
export class Inbox<T, Taken = unknown> {
  readonly #source: Source
  readonly #unpacking: Unpacking<T, Taken>
  /** Messages that were taken behind one that can't be decoded. */
  #backlog: Taken[] = []

  constructor(source: Source, unpacking: Unpacking<T, Taken>) {
    this.#source = source
    this.#unpacking = unpacking
  }

  /** Returns `undefined` if no message is there, or the queue has ended. */
  tryGet(): T | undefined {
    const taken = this.#attempt(TRY)
    return isTaken(taken) ? this.#unpacking.finish(taken) : undefined
  }

  /** Returns what is there at once, or `NO_MESSAGE`: then `get` waits for it. */
  getNow(options: WaitOptions | undefined): T | typeof NO_MESSAGE {
    checkBeforeAttempt(options)
    const { object, channel } = this.#source
    if (!object.isIdle(channel) || isStarved()) return NO_MESSAGE
    const taken = this.#take(IN_TURN)
    return taken === NO_MESSAGE ? NO_MESSAGE : this.#unpacking.finish(taken)
  }

  /** Called after `getNow`. */
  async get(options: WaitOptions | undefined): Promise<T> {
    const { object, channel } = this.#source
    const [taken] = await object.wait(this.#spec, options, channel)
    return this.#unpacking.finish(taken)
  }

  getSync(options: SyncWaitOptions | undefined): T {
    checkBeforeAttemptSync(options)
    const { object, channel } = this.#source
    const now = this.#take(IN_TURN)
    const taken = now === NO_MESSAGE ? object.waitSync(this.#spec, options, channel)[0] : now
    return this.#unpacking.finish(taken)
  }

  /** Returns at most `max` of the messages that are there now. */
  tryGetMany(max: number): T[] {
    return this.#finishAll(this.#takeMany(checkCount('max', max, 1)))
  }

  /** Waits for at least one message, and returns at most `max`. */
  async getMany(max: number, options: WaitOptions | undefined): Promise<T[]> {
    checkBeforeAttempt(options)
    const most = checkCount('max', max, 1)
    const { object, channel } = this.#source
    const now = object.isIdle(channel) && !isStarved() ? this.#takeMany(most) : []
    if (now.length > 0) return this.#finishAll(now)
    return this.#finishAll(await object.wait(this.#specOfMany(most), options, channel))
  }

  getManySync(max: number, options: SyncWaitOptions | undefined): T[] {
    checkBeforeAttemptSync(options)
    const most = checkCount('max', max, 1)
    const { object, channel } = this.#source
    const now = this.#takeMany(most)
    if (now.length > 0) return this.#finishAll(now)
    return this.#finishAll(object.waitSync(this.#specOfMany(most), options, channel))
  }

  /** In an array: what was taken may be `undefined`, which a wait takes for failure. */
  get #spec(): WaitSpec<[Taken]> {
    return {
      attempt: mode => {
        const taken = this.#take(mode)
        return taken === NO_MESSAGE ? undefined : [taken]
      },
      doing: this.#doing,
    }
  }

  #specOfMany(most: number): WaitSpec<Taken[]> {
    return {
      attempt: mode => {
        const first = this.#take(mode)
        return first === NO_MESSAGE ? undefined : this.#takeMany(most, [first])
      },
      doing: this.#doing,
    }
  }

  get #doing(): string {
    return `getting from "${this.#source.object.name}"`
  }

  #take(mode: number): Taken | typeof NO_MESSAGE {
    const taken = this.#attempt(mode)
    if (taken === AT_THE_END) throw isDrained(this.#source.object.name)
    return taken as Taken | typeof NO_MESSAGE
  }

  #attempt(mode: number): Taken | NotTaken {
    if (this.#backlog.length > 0) return this.#backlog.shift() as Taken
    // If this environment is registered as a sleeper, only a call into the addon removes it.
    const fast = mode === TRY || mode === IN_TURN ? this.#source.fast?.pop() : undefined
    if (fast) return this.#unpacking.own(fast)
    clearPad()
    const taken = this.#source.take(mode)
    if (taken === NOT_YET) return NO_MESSAGE
    if (taken === ENDED) return AT_THE_END
    if (taken === ELSEWHERE) return this.#unpacking.own(this.#source.takeElsewhere())
    return this.#unpacking.onPad(taken)
  }

  #takeMany(most: number, taken: Taken[] = []): Taken[] {
    taken.push(...this.#backlog.splice(0, most - taken.length))
    const { fast } = this.#source
    const popped: Uint8Array[] = []
    const wanted = most - taken.length
    while (fast && popped.length < wanted && fast.popMany(wanted - popped.length, popped) > 0);
    for (const message of popped) taken.push(this.#unpacking.own(message))
    try {
      this.#takeByCalls(taken, most)
    } catch (error) {
      // An error behind messages that were taken must not lose them.
      if (taken.length === 0) throw error
    }
    return taken
  }

  #takeByCalls(taken: Taken[], most: number): void {
    while (taken.length < most) {
      clearPad()
      elsewhere[0] = 0
      const count = this.#source.takeMany(Math.min(most - taken.length, PAD_MESSAGES))
      // The last message may have been too large for the rest of the pad.
      const isElsewhere = count > 0 && elsewhere[0] !== 0
      if (count > 0) this.#unpacking.allOnPad(isElsewhere ? count - 1 : count, taken)
      if (isElsewhere) taken.push(this.#unpacking.own(this.#source.takeElsewhere()))
      else if (count < PAD_MESSAGES) break
    }
    // A record that is too large for the pad was left in the ring.
    if (taken.length > 0) return
    const message = this.#attempt(TRY)
    if (isTaken(message)) taken.push(message)
  }

  #finishAll(taken: Taken[]): T[] {
    const values: T[] = []
    for (let at = 0; at < taken.length; at++) {
      try {
        values.push(this.#unpacking.finish(taken[at] as Taken))
      } catch (error) {
        // The error is reported when this message comes to the front. The messages behind it stay
        // in the backlog.
        const isFirst = at === 0
        this.#backlog.unshift(...taken.slice(isFirst ? 1 : at))
        if (isFirst) throw error
        return values
      }
    }
    return values
  }
}

const isTaken = <Taken>(taken: Taken | NotTaken): taken is Taken =>
  taken !== NO_MESSAGE && taken !== AT_THE_END

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
