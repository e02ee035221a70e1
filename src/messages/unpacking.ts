import { pad } from '../native/index.js'

const { bytes, lengths } = pad

/**
 * How messages become values, in two steps: the first leaves nothing on the pad and never throws,
 * and the second may run code of the user's.
 */
export interface Unpacking<T, Taken> {
  /** The first step, for a message of `length` bytes at the beginning of the pad. */
  onPad(length: number): Taken
  /** The same for the first `count` messages on the pad. */
  allOnPad(count: number, to: Taken[]): void
  /** The same for a message that has memory of its own. */
  own(message: Uint8Array): Taken
  /** The second step. */
  finish(taken: Taken): T
}

/** Copies messages, and then decodes the copies. */
export const decoded = <T>(decode: (message: Uint8Array) => T): Unpacking<T, Uint8Array> => ({
  onPad: length => bytes.slice(0, length),
  allOnPad: copyAll,
  own: message => message,
  finish: decode,
})

function copyAll(count: number, to: Uint8Array[]): void {
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

/** Decodes messages where they lie, by a codec that runs no code of the user's. */
export const decodedInPlace = <T>(
  onPad: (start: number, end: number) => T,
  own: (message: Uint8Array) => T,
): Unpacking<T, T | Failed> => ({
  onPad: length => {
    try {
      return onPad(0, length)
    } catch (error) {
      return new Failed(error)
    }
  },
  allOnPad: (count, to) => {
    let start = 0
    for (let i = 0; i < count; i++) {
      const end = start + (lengths[i] as number)
      try {
        to.push(onPad(start, end))
      } catch (error) {
        to.push(new Failed(error))
      }
      start = end
    }
  },
  own: message => {
    try {
      return own(message)
    } catch (error) {
      return new Failed(error)
    }
  },
  finish: taken => {
    if (taken instanceof Failed) throw taken.error
    return taken
  },
})

/** What a message became that can't be decoded. No value is one. */
class Failed {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/** The unpacking of byte queues: a message is its bytes. */
export const asBytes = decoded((message: Uint8Array) => message)
