import { CrossmemError } from '../errors.js'
import { clearPad, PAD_BYTES, PAD_MESSAGES, pad } from '../native/index.js'
import { isUint8Array, show } from '../util/index.js'

const { bytes, lengths } = pad
const isBytes = isUint8Array

/** A message: how many bytes it has at the beginning of the pad, or its bytes elsewhere. */
export type Packed = number | Uint8Array

/** How values become messages. */
export interface Packing<T> {
  /** Makes a message of a value. It is valid until the next call. */
  pack(value: T): Packed
  /** Makes a message of each value. If one is refused, all are. */
  packMany(values: readonly T[]): Parcel
  /** Keeps a message valid while other code runs. */
  keep(message: Packed): Uint8Array
}

/** Messages that are to be put in, in order. */
export interface Parcel {
  readonly count: number
  /** One of the messages. It is valid until the next call. */
  at(index: number): Uint8Array
  /**
   * Lays messages on the pad, from index `first` on: as many as fit, up to the first that has more
   * than `most` bytes. Returns how many.
   */
  spread(first: number, most: number): number
  /** Keeps the messages valid while other code runs. */
  keep(): void
}

/** The packing of byte queues: a message is its bytes, which stay the caller's. */
export const asTheyAre = (name: string, limit: number): Packing<Uint8Array> => ({
  pack: checkBytes,
  packMany: messages => new Pieces(each(messages, message => checkLength(checkBytes(message), limit, name))),
  keep: message => message as Uint8Array,
})

/** Values as a codec encodes them. It may overwrite its bytes at the next call. */
export const encoded = <T>(encode: (value: T) => Uint8Array): Packing<T> => ({
  pack: encode,
  packMany: values => new Pieces(each(values, value => new Uint8Array(encode(value)))),
  keep: message => new Uint8Array(message as Uint8Array),
})

/** By index: `map` leaves out the holes of an array. */
function each<T>(values: readonly T[], messageOf: (value: T) => Uint8Array): Uint8Array[] {
  const messages = new Array<Uint8Array>(values.length)
  for (let i = 0; i < values.length; i++) messages[i] = messageOf(values[i] as T)
  return messages
}

export function checkBytes(message: Uint8Array): Uint8Array {
  if (isBytes(message)) return message
  throw new CrossmemError('ERR_INVALID_ARG', `a message is a Uint8Array, not ${typeof message}`)
}

function checkLength(message: Uint8Array, limit: number, name: string): Uint8Array {
  const { length } = message
  if (length <= limit) return message
  throw new CrossmemError(
    'ERR_TOO_LARGE',
    `${length} bytes are more than the ${limit} of a message of "${name}"; nothing was put`,
  )
}

/** Messages with memory of their own each. */
class Pieces implements Parcel {
  readonly #messages: readonly Uint8Array[]

  constructor(messages: readonly Uint8Array[]) {
    this.#messages = messages
  }

  get count(): number {
    return this.#messages.length
  }

  at(index: number): Uint8Array {
    return this.#messages[index] as Uint8Array
  }

  spread(first: number, most: number): number {
    clearPad()
    let used = 0
    let count = 0
    for (let at = first; at < this.count && count < PAD_MESSAGES; at++, count++) {
      const message = this.at(at)
      const { length } = message
      if (length > most || used + length > PAD_BYTES) break
      lengths[count] = length
      bytes.set(message, used)
      used += length
    }
    return count
  }

  keep(): void {}
}

/** Messages that lie one behind the other. */
export class Strip implements Parcel {
  #bytes: Uint8Array
  readonly #ends: readonly number[]
  #isOnPad: boolean
  #isKept = false

  /**
   * @param memory the messages, which are valid until the next call; without it, they lie on the
   *   pad
   */
  constructor(ends: readonly number[], memory?: Uint8Array) {
    this.#bytes = memory ?? bytes
    this.#ends = ends
    this.#isOnPad = !memory
  }

  get count(): number {
    return this.#ends.length
  }

  at(index: number): Uint8Array {
    return this.#bytes.subarray(this.#start(index), this.#ends[index])
  }

  spread(first: number, most: number): number {
    // Those behind the first ones would have to move to where they lie themselves.
    if (first > 0 && this.#isOnPad) this.keep()
    const start = this.#start(first)
    let end = start
    let count = 0
    for (let at = first; at < this.count && count < PAD_MESSAGES; at++, count++) {
      const next = this.#ends[at] as number
      if (next - end > most || next - start > PAD_BYTES) break
      lengths[count] = next - end
      end = next
    }
    if (!this.#isOnPad && count > 0) {
      clearPad()
      bytes.set(this.#bytes.subarray(start, end))
    }
    return count
  }

  keep(): void {
    if (this.#isKept) return
    this.#bytes = this.#bytes.slice(0, this.#ends.at(-1))
    this.#isOnPad = false
    this.#isKept = true
  }

  #start(index: number): number {
    return index === 0 ? 0 : (this.#ends[index - 1] as number)
  }
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkMany(values: unknown): void {
  if (Array.isArray(values)) return
  throw new CrossmemError('ERR_INVALID_ARG', `messages are an array, not ${show(values)}`)
}
