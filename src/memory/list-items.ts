// What an item of a list can be, as Python's `struct` formats and codes have it.

import { CrossmemError } from '../errors.js'
import { isUint8Array, show } from '../util/index.js'
import { WORD } from './list-layout.js'

/** An item of a {@link ShareableList}. */
export type ListItem = number | bigint | boolean | string | Uint8Array | null

/** What to make of what a format reads: the codes of Python. */
export const codes = { plain: 0, text: 1, bytes: 2, none: 3 } as const

const format = new BigInt64Array(1)
const formatBytes = Buffer.from(format.buffer)

/** A format of up to 8 characters as it lies in memory: one word. */
export function packFormat(text: string): bigint {
  formatBytes.fill(0).write(text, 'latin1')
  return format[0] as bigint
}

/** The characters of a format. */
export function unpackFormat(word: bigint): string {
  format[0] = word
  return Buffer.from(withoutPadding(formatBytes)).toString('latin1')
}

/** The formats of items of 8 bytes. */
export const formats = {
  int: packFormat('q'),
  float: packFormat('d'),
  bool: packFormat('xxxxxxx?'),
  none: packFormat('xxxxxx?x'),
} as const

/** An item as it lies in memory: 8 bytes as one number, or text and bytes of any length. */
export interface Packed {
  code: number
  /** Of an item of 8 bytes. The format of others tells their room. */
  format?: bigint
  word?: bigint
  bytes?: Uint8Array
  /** The bytes that Python gives a new list for it. */
  room: number
}

/** The longest room that a format of 8 characters can tell: '9999992s'. */
const MOST_ROOM = 9_999_992

const scratch = new DataView(new ArrayBuffer(WORD))

/**
 * An item as it will lie in memory.
 *
 * @param isFloat whether a whole number stays a float
 * @throws {CrossmemError} ERR_INVALID_ARG: no list can hold it. ERR_TOO_LARGE: it is longer than
 *   any item can be
 */
export function pack(item: unknown, isFloat = false): Packed {
  if (item === null) return ofWord(formats.none, 0n, codes.none)
  if (typeof item === 'boolean') return ofWord(formats.bool, item ? 1n << 56n : 0n)
  if (typeof item === 'number') return packNumber(item, isFloat)
  if (typeof item === 'bigint') return packInt(item)
  if (typeof item === 'string') return packText(item)
  if (isUint8Array(item)) return packBytes(item)
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `an item of a ShareableList is a number, a bigint, a boolean, a string, a Uint8Array or null, not ${show(item)}`,
  )
}

const ofWord = (format: bigint, word: bigint, code: number = codes.plain): Packed => ({
  code,
  format,
  word,
  room: WORD,
})

function packNumber(item: number, isFloat: boolean): Packed {
  if (Number.isSafeInteger(item) && !Object.is(item, -0) && !isFloat) return packInt(BigInt(item))
  scratch.setFloat64(0, item)
  return ofWord(formats.float, scratch.getBigInt64(0))
}

function packInt(item: bigint): Packed {
  if (BigInt.asIntN(64, item) === item) return ofWord(formats.int, item)
  throw new CrossmemError('ERR_INVALID_ARG', `${item} doesn't fit in the 64 bits of an item`)
}

function packText(item: string): Packed {
  if (/\p{Surrogate}/u.test(item)) {
    throw new CrossmemError('ERR_INVALID_ARG', `${show(item)} has half a surrogate pair in it`)
  }
  const bytes = Buffer.from(item)
  // Python counts characters. Where that is too little for the bytes, it cuts them off.
  return packRow(item, bytes, codes.text, Math.max(roomFor([...item].length), roundUp(bytes.length)))
}

// A copy: what the caller does with its own bytes meanwhile doesn't matter.
const packBytes = (item: Uint8Array): Packed =>
  packRow(item, Uint8Array.from(item), codes.bytes, roomFor(item.length))

function packRow(item: unknown, bytes: Uint8Array, code: number, room: number): Packed {
  if (bytes.at(-1) === 0) {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `${show(item)} ends in a zero byte, and readers of a ShareableList drop zero bytes at the end; put another byte behind it`,
    )
  }
  if (room > MOST_ROOM) {
    throw new CrossmemError(
      'ERR_TOO_LARGE',
      `an item of a ShareableList has room for ${MOST_ROOM} bytes at most, and this one needs ${room}; use a SharedMemory`,
    )
  }
  return { code, bytes, room }
}

const roomFor = (length: number): number => WORD * (Math.floor(length / WORD) + 1)
const roundUp = (length: number): number => WORD * Math.ceil(length / WORD)

/** The number, boolean or null that 8 bytes mean; `undefined` if the format is none of theirs. */
export function unpackWord(format: bigint, word: bigint): ListItem | undefined {
  switch (format) {
    case formats.int: {
      const number = Number(word)
      return Number.isSafeInteger(number) ? number : word
    }
    case formats.float:
      scratch.setBigInt64(0, word)
      return scratch.getFloat64(0)
    case formats.bool:
      return word >> 56n !== 0n
    default:
      return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text that bytes mean; `undefined` if they aren't UTF-8. */
export function unpackText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes without the zeros at their end. */
export function withoutPadding(bytes: Uint8Array): Uint8Array {
  const last = bytes.findLastIndex(byte => byte !== 0)
  return bytes.subarray(0, last + 1)
}

/**
 * Whether two items are the same: numbers and bigints by their value, bytes by each byte, others as
 * `===`.
 */
export function isSame(a: ListItem, b: ListItem): boolean {
  if (isUint8Array(a) && isUint8Array(b)) return Buffer.compare(a, b) === 0
  const areNumbers = [a, b].every(item => typeof item === 'number' || typeof item === 'bigint')
  // biome-ignore lint/suspicious/noDoubleEquals: 1 and 1n are the same int.
  return areNumbers ? a == b : a === b
}
