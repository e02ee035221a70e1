import { CrossmemError } from '../errors.js'
import { checkCount } from '../numbers.js'
import { checkBeforeLook, type SyncWaitOptions, type WaitOptions } from '../wait.js'
import { POLITELY, TRY } from '../wait-queue.js'
import { bytes, ELSEWHERE, ENDED, elsewhere, lengths, NOT_YET, PAD_MESSAGES } from './pad.js'
import type { Source } from './transport.js'

/** How bytes become values. */
export interface Reader<T> {
  /** The message at `start` to `end` of the pad. */
  fromPad(start: number, end: number): T
  /** A message that nobody else has. */
  fromCopy(message: Uint8Array): T
  /** So many messages that are on the pad. */
  allFromPad(count: number): T[]
}

/** Bytes as they are, copied. */
export const plainReader: Reader<Uint8Array> = {
  fromPad: (start, end) => bytes.slice(start, end),
  fromCopy: message => message,
  allFromPad: count => {
    let end = 0
    for (let i = 0; i < count; i++) end += lengths[i] as number
    // One copy for all of them.
    const { buffer } = bytes.slice(0, end)
    const messages = new Array<Uint8Array>(count)
    let at = 0
    for (let i = 0; i < count; i++) {
      const length = lengths[i] as number
      messages[i] = new Uint8Array(buffer, at, length)
      at += length
    }
    return messages
  },
}

/** Values, by their codec. */
export const decoder = <T>(decode: (message: Uint8Array) => T): Reader<T> => ({
  fromPad: (start, end) => decode(bytes.subarray(start, end)),
  fromCopy: decode,
  // A codec of the user's may use the pad meanwhile.
  allFromPad: count => plainReader.allFromPad(count).map(message => decode(message)),
})

/** Stands for a message that is `undefined`, where `undefined` means that there is none yet. */
const UNDEFINED = Symbol('undefined')
type Found<T> = T | typeof UNDEFINED

const found = <T>(value: T): Found<T> => (value === undefined ? UNDEFINED : value)
const value = <T>(found: Found<T>): T => (found === UNDEFINED ? undefined : found) as T

/** Takes values out of a source, in the order of the calls. */
export class Inbox<T> {
  readonly #source: Source
  readonly #reader: Reader<T>

  constructor(source: Source, reader: Reader<T>) {
    this.#source = source
    this.#reader = reader
  }

  /** `undefined`: nothing is there now, or ever will be. */
  tryGet(): T | undefined {
    const fast = this.#source.fast?.pop()
    if (fast) return this.#reader.fromCopy(fast)
    const taken = this.#source.take(TRY)
    return taken === NOT_YET || taken === ENDED ? undefined : this.#read(taken)
  }

  async get(options: WaitOptions | undefined): Promise<T> {
    checkBeforeLook(options)
    const { object, channel } = this.#source
    if (object.isIdle(channel)) {
      const now = this.#take(POLITELY)
      if (now !== undefined) return value(now)
    }
    return value(await object.wait({ attempt: how => this.#take(how), doing: this.#doing }, options, channel))
  }

  getSync(options: SyncWaitOptions | undefined): T {
    checkBeforeLook(options)
    const { object, channel } = this.#source
    const now = this.#take(POLITELY)
    if (now !== undefined) return value(now)
    return value(object.waitSync({ attempt: how => this.#take(how), doing: this.#doing }, options, channel))
  }

  /** At most `max` that are there now. */
  tryGetMany(max: number): T[] {
    return this.#takeMany(checkCount('max', max, 1)) ?? []
  }

  /** At most `max`, at least one. */
  async getMany(max: number, options: WaitOptions | undefined): Promise<T[]> {
    checkBeforeLook(options)
    const { object, channel } = this.#source
    const most = checkCount('max', max, 1)
    const now = object.isIdle(channel) ? this.#takeMany(most) : undefined
    if (now) return now
    return object.wait({ attempt: how => this.#takeSome(most, how), doing: this.#doing }, options, channel)
  }

  getManySync(max: number, options: SyncWaitOptions | undefined): T[] {
    const { object, channel } = this.#source
    const most = checkCount('max', max, 1)
    return object.waitSync(
      { attempt: how => this.#takeSome(most, how), doing: this.#doing },
      options,
      channel,
    )
  }

  get #doing(): string {
    return `getting from "${this.#source.object.name}"`
  }

  #take(how: number): Found<T> | undefined {
    const fast = this.#source.fast?.pop()
    if (fast) return found(this.#reader.fromCopy(fast))
    const taken = this.#source.take(how)
    if (taken === NOT_YET) return undefined
    if (taken === ENDED) throw isDrained(this.#source.object.name)
    return found(this.#read(taken))
  }

  #read(taken: number): T {
    if (taken !== ELSEWHERE) return this.#reader.fromPad(0, taken)
    return this.#reader.fromCopy(this.#source.takeElsewhere())
  }

  #takeSome(most: number, how: number): T[] | undefined {
    const many = this.#takeMany(most)
    if (many) return many
    const one = this.#take(how)
    return one === undefined ? undefined : [value(one)]
  }

  #takeMany(most: number): T[] | undefined {
    const taken: T[] = []
    const { fast } = this.#source
    while (fast && taken.length < most) {
      const message = fast.pop()
      if (!message) break
      taken.push(this.#reader.fromCopy(message))
    }
    while (taken.length < most) {
      elsewhere[0] = 0
      const count = this.#source.takeMany(Math.min(most - taken.length, PAD_MESSAGES))
      if (count <= 0) break
      // The last one may not have fitted.
      const isElsewhere = elsewhere[0] !== 0
      const large = isElsewhere ? this.#source.takeElsewhere() : undefined
      const onPad = isElsewhere ? count - 1 : count
      taken.push(...this.#reader.allFromPad(onPad))
      if (large) taken.push(this.#reader.fromCopy(large))
      if (count < PAD_MESSAGES && !isElsewhere) break
    }
    return taken.length > 0 ? taken : undefined
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
