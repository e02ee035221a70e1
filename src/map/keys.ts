import { CrossmemError } from '../errors.js'
import { isUint8Array, show } from '../util/index.js'

/** A key that is no list. */
export type KeyPart = string | number
/** A key of a {@link SharedMap}. */
export type MapKey = KeyPart | readonly KeyPart[]

// A key is written so that the order of its bytes is the order of keys: numbers by value, then
// strings by code points, then lists, which compare part by part. A part that is a number has a tag
// and 8 bytes; a string has a tag and UTF-8. In a list a string ends with 0, and a 0 inside is
// followed by 255.

/** The longest key of LMDB, in bytes. */
const MOST_KEY_BYTES = 1978

const NUMBER = 0x10
const STRING = 0x20
const LIST = 0x30
/** Ends a string in a list. */
const END = 0
const NOT_END = 0xff

const bits = new DataView(new ArrayBuffer(8))

/** The bytes behind all keys of entries. */
export const BEHIND_KEYS: Uint8Array = Buffer.of(LIST + 1)
/** The first bytes of all keys of entries. */
export const BEFORE_KEYS: Uint8Array = Buffer.of(NUMBER)

/** Writes and reads keys for LMDB. Bytes are keys that stand for themselves. */
export class KeyBytes {
  readonly writeKey = (key: unknown, target: Buffer, start: number): number => {
    if (typeof key === 'string') {
      const end = writeAscii(key, target, start)
      return end === 0 ? writeBytes(keyBytes(key), target, start) : end
    }
    return writeBytes(isUint8Array(key) ? key : keyBytes(key), target, start)
  }

  readonly readKey = (source: Buffer, start: number, end: number): MapKey | Uint8Array => {
    const tag = source[start] as number
    if (tag < NUMBER) return Uint8Array.prototype.slice.call(source, start, end)
    if (tag !== LIST) return readPart(source, start, end)[0]
    const parts: KeyPart[] = []
    for (let at = start + 1; at < end; ) {
      const [part, next] = readPart(source, at, end, true)
      parts.push(part)
      at = next
    }
    return parts
  }
}

/** Most keys are short and ASCII. Returns 0 for any other. */
function writeAscii(key: string, target: Buffer, start: number): number {
  const { length } = key
  if (length > 100) return 0
  target[start] = STRING
  let at = start + 1
  for (let i = 0; i < length; i++) {
    const code = key.charCodeAt(i)
    if (code > 0x7f) return 0
    target[at++] = code
  }
  return at
}

function writeBytes(bytes: Uint8Array, target: Buffer, start: number): number {
  target.set(bytes, start)
  return start + bytes.length
}

/**
 * The bytes of a key.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no key. ERR_TOO_LARGE: it has too many bytes
 */
export function keyBytes(key: unknown): Buffer {
  const bytes = Array.isArray(key) ? listBytes(key) : partBytes(key, false)
  if (bytes.length <= MOST_KEY_BYTES) return bytes
  throw new CrossmemError(
    'ERR_TOO_LARGE',
    `a key has at most ${MOST_KEY_BYTES} bytes, not ${bytes.length}; use a hash of it`,
  )
}

/**
 * The bytes with which all keys begin that begin with `prefix`: strings with these characters, or
 * lists with these parts.
 */
export const prefixBytes = (prefix: unknown): Buffer => keyBytes(prefix)

/** The first bytes behind all that begin with `bytes`. */
export function behind(bytes: Uint8Array): Buffer {
  // The first byte is a tag, so one is less than 255.
  const last = bytes.findLastIndex(byte => byte < 0xff)
  const end = Buffer.from(bytes.subarray(0, last + 1))
  end[last] = (end[last] as number) + 1
  return end
}

function listBytes(key: readonly unknown[]): Buffer {
  if (key.length === 0) throw notAKey(key)
  return Buffer.concat([Buffer.of(LIST), ...key.map(part => partBytes(part, true))])
}

function partBytes(part: unknown, isInList: boolean): Buffer {
  if (typeof part === 'number') return numberBytes(part)
  if (typeof part !== 'string' || /\p{Surrogate}/u.test(part)) throw notAKey(part)
  const text = Buffer.from(part)
  if (!isInList) return Buffer.concat([Buffer.of(STRING), text])
  const bytes = [STRING]
  for (const byte of text) {
    bytes.push(byte)
    if (byte === END) bytes.push(NOT_END)
  }
  bytes.push(END)
  return Buffer.from(bytes)
}

function numberBytes(value: number): Buffer {
  if (Number.isNaN(value)) throw notAKey(value)
  const bytes = Buffer.allocUnsafe(9)
  bytes[0] = NUMBER
  // -0 is the same key as 0.
  bytes.writeBigUInt64BE(sortable(value + 0), 1)
  return bytes
}

const SIGN = 1n << 63n
const ALL = (1n << 64n) - 1n

/** The bits of a number as an integer in the same order. */
function sortable(value: number): bigint {
  bits.setFloat64(0, value)
  const raw = bits.getBigUint64(0)
  return raw & SIGN ? raw ^ ALL : raw | SIGN
}

function unsorted(sorted: bigint): number {
  bits.setBigUint64(0, sorted & SIGN ? sorted ^ SIGN : sorted ^ ALL)
  return bits.getFloat64(0)
}

function readPart(source: Buffer, start: number, end: number, isInList = false): [KeyPart, number] {
  if (source[start] === NUMBER) {
    const high = BigInt(readUint32(source, start + 1)) << 32n
    return [unsorted(high | BigInt(readUint32(source, start + 5))), start + 9]
  }
  if (!isInList) return [Buffer.prototype.utf8Slice.call(source, start + 1, end), end]
  const bytes: number[] = []
  let at = start + 1
  for (; at < end; at++) {
    const byte = source[at] as number
    if (byte === END && source[at + 1] !== NOT_END) break
    bytes.push(byte)
    if (byte === END) at++
  }
  return [Buffer.from(bytes).toString(), at + 1]
}

// LMDB's buffer changes its length, so that Buffer's own methods refuse what lies in it.
const readUint32 = (source: Buffer, at: number): number =>
  (((source[at] as number) << 24) |
    ((source[at + 1] as number) << 16) |
    ((source[at + 2] as number) << 8) |
    (source[at + 3] as number)) >>>
  0

const notAKey = (key: unknown): CrossmemError =>
  new CrossmemError(
    'ERR_INVALID_ARG',
    `a key is a string without half surrogate pairs, a number, or a list of these that isn't empty, not ${show(key)}`,
  )
