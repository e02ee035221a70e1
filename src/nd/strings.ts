import { CrossmemError } from '../errors.js'
import { isUint8Array, show } from '../util/index.js'
import { type DTypeInfo, defineDType, refuse } from './dtype-info.js'
import { pythonBytes, pythonString } from './python-string.js'

const NUL = 0
const MAX_ASCII = 0x7f
const MAX_CODE_POINT = 0x10ffff
const REPLACEMENT = 0xfffd

/** Where an element ends without the NULs that pad it. */
function endOf(data: Uint8Array | Uint32Array, at: number, length: number): number {
  let end = at + length
  while (end > at && data[end - 1] === NUL) end--
  return end
}

/**
 * NumPy's `Sn`: at most `length` bytes, padded with NULs. They are read as a Buffer of their own,
 * without the padding. Text is taken if it is ASCII, since nothing says how other text is encoded.
 */
export const byteStrings = (length: number): DTypeInfo =>
  defineDType({
    name: `S${length}`,
    descr: `|S${length}`,
    Storage: Uint8Array as never,
    lanes: length,
    isPadded: false,
    read: (data: Uint8Array, at: number) => Buffer.from(data.subarray(at, endOf(data, at, length))),
    write(data: Uint8Array, at: number, value: unknown) {
      const bytes = typeof value === 'string' ? ascii(value) : value
      if (!isUint8Array(bytes)) throw refuse('bytes or a string', value)
      if (bytes.length > length) throw tooLong(`S${length}`, 'bytes', bytes.length, value)
      data.set(bytes, at)
      data.fill(NUL, at + bytes.length, at + length)
    },
    print: (value: Buffer) => pythonBytes(value.toString('latin1')),
  })

function ascii(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++)
    if (text.charCodeAt(i) > MAX_ASCII)
      throw refuse('ASCII text, or bytes in an encoding of your choice such as Buffer.from(text)', text)
  return Buffer.from(text, 'latin1')
}

/**
 * NumPy's `Un`: at most `length` code points of 32 bits (UCS-4), padded with NULs. A number that is
 * no code point is read as U+FFFD.
 */
export const strings = (length: number): DTypeInfo =>
  defineDType({
    name: `U${length}`,
    descr: `<U${length}`,
    Storage: Uint32Array as never,
    lanes: length,
    isPadded: false,
    read(data: Uint32Array, at: number) {
      const end = endOf(data, at, length)
      let text = ''
      for (let i = at; i < end; i++) {
        const codePoint = data[i] as number
        text += String.fromCodePoint(codePoint <= MAX_CODE_POINT ? codePoint : REPLACEMENT)
      }
      return text
    },
    write(data: Uint32Array, at: number, value: unknown) {
      if (typeof value !== 'string') throw refuse('a string', value)
      const codePoints = codePointsIn(value)
      if (codePoints > length) throw tooLong(`U${length}`, 'code points', codePoints, value)
      let next = at
      for (const character of value) data[next++] = character.codePointAt(0) as number
      data.fill(NUL, next, at + length)
    },
    print: pythonString,
  })

/** How many code points a string has; half of a surrogate pair counts as one. */
export function codePointsIn(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

const tooLong = (dtype: string, units: string, length: number, value: unknown) =>
  new CrossmemError(
    'ERR_INVALID_ARG',
    `${show(value)} has ${length} ${units}, too many for ${dtype}; cut it, or use the dtype ${dtype.charAt(0)}${length}`,
  )
