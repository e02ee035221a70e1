// The .npy format: 6 bytes of magic, two of version, the header's length, a Python dict, then the
// bare elements. Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
// (NumPy's NEP 1).

import { CrossmemError } from '../errors.js'
import {
  checkShape,
  type DType,
  type DTypeInfo,
  dtypeInfo,
  MAX_DIMS,
  type Order,
  type Swapped,
  shapeProblem,
  sizeOf,
} from '../nd/index.js'
import { isMap, show } from '../util/index.js'
import { printDescr, printTuple, readDescr } from './descr.js'
import { type PythonLiteral, PythonTuple, parsePythonLiteral } from './python-literal.js'

/** The contents of an .npy header. */
export interface NpyHeader {
  version: '1.0' | '2.0' | '3.0'
  info: DTypeInfo
  /** What of an element is big-endian. */
  swapped: readonly Swapped[]
  shape: number[]
  order: Order
  /** The number of elements: the product of the shape, 1 for a scalar. */
  size: number
  /**
   * The offset of the elements in bytes. NumPy aligns it to 64, before 1.14 to 16; other writers
   * may not.
   */
  dataOffset: number
  /** The length of all elements in bytes. */
  dataBytes: number
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] // "\x93NUMPY"
const ALIGNMENT = 64
const MAX_HEADER_BYTES = 65_536
/** As many bytes as it takes to know how long a header is. */
export const PREFIX = 12
/** The most bytes that a file's header takes. */
export const LONGEST_HEADER = PREFIX + MAX_HEADER_BYTES

// By version: the bytes of the length field, and the encoding of the dict.
const versions = {
  '1.0': { lengthBytes: 2, encoding: 'latin1' },
  '2.0': { lengthBytes: 4, encoding: 'latin1' },
  '3.0': { lengthBytes: 4, encoding: 'utf8' },
} as const

/**
 * Makes the header of an .npy file, byte for byte as NumPy writes it: version 1.0, or 3.0 if the
 * name of a field isn't Latin-1. The elements start behind it; its length is a multiple of 64.
 * Default of `order`: 'C'.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no shape, see {@link checkShape}. ERR_TOO_LARGE:
 *   the names of fields take more than 64 KiB
 */
export function encodeNpyHeader({
  dtype,
  shape,
  order = 'C',
}: {
  dtype: DType
  shape: readonly number[]
  order?: Order
}): Uint8Array {
  const { descr, itemBytes } = dtypeInfo(dtype)
  const dims = checkShape(shape, itemBytes)
  const fortranOrder = order === 'F' ? 'True' : 'False'
  const dict = `{'descr': ${printDescr(descr)}, 'fortran_order': ${fortranOrder}, 'shape': ${printTuple(dims.map(String))}, }`
  // Room for the growing axis to become any 64-bit number, so that appending can rewrite the header
  // in place.
  const growing = dims.at(order === 'F' ? -1 : 0)
  const room = growing === undefined ? 0 : 21 - String(growing).length
  return pad(dict, room)
}

/** Puts magic, version and length before the dict, and spaces behind it. */
function pad(dict: string, room: number): Uint8Array {
  const isLatin1 = /^[\0-\xff]*$/.test(dict)
  const text = Buffer.from(dict, isLatin1 ? 'latin1' : 'utf8')
  const start = isLatin1 ? 10 : 12
  const unpadded = start + text.length + room + 1
  const total = unpadded + ALIGNMENT - (unpadded % ALIGNMENT) // NumPy pads by 64 where 0 would do
  const length = total - start
  if (length >= MAX_HEADER_BYTES) throw tooLong(length)
  const header = new Uint8Array(total).fill(0x20)
  header.set(MAGIC)
  header.set([isLatin1 ? 1 : 3, 0, length & 0xff, length >> 8], MAGIC.length)
  // The length of version 3.0 has two bytes more.
  header.fill(0, MAGIC.length + 4, start)
  header.set(text, start)
  header[header.length - 1] = 0x0a
  return header
}

/**
 * Reads the header of an .npy file, versions 1.0 to 3.0. Another process may change `bytes`
 * meanwhile, so each part is copied once, and the copy is checked. The elements may be big-endian,
 * or raw bytes.
 *
 * @param totalBytes the length of the whole file, if `bytes` is only its beginning
 * @throws {CrossmemError} ERR_CORRUPT: it is no .npy file, or it is cut off. ERR_TOO_LARGE: its
 *   header takes more than 64 KiB. ERR_UNSUPPORTED: crossmem has no such dtype, or there are more
 *   than 64 dimensions
 */
export function decodeNpyHeader(bytes: Uint8Array, totalBytes: number = bytes.byteLength): NpyHeader {
  const { version, encoding, start, end: dataOffset } = readPrefix(bytes)
  if (dataOffset > bytes.byteLength)
    throw corrupt(`its header needs ${dataOffset} bytes of ${bytes.byteLength}`)

  const { descr, order, dims } = readDict(decodeText(bytes.slice(start, dataOffset), encoding))
  const { info, swapped } = readDescr(descr)
  if (dims.length > MAX_DIMS)
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `the array has ${dims.length} dimensions; ${MAX_DIMS} are supported`,
    )
  const shape = dims.map(Number)
  const problem = shapeProblem(shape, info.itemBytes)
  if (problem) throw corrupt(`its shape ${show(shape)} can't be: ${problem}`)

  const size = sizeOf(shape)
  const dataBytes = size * info.itemBytes
  if (dataOffset + dataBytes > totalBytes)
    throw corrupt(`it is cut off: ${dataOffset + dataBytes} bytes expected, ${totalBytes} there`)
  return { version, info, swapped, shape, order, size, dataOffset, dataBytes }
}

/**
 * The length of the header that begins with these bytes, of which the first {@link PREFIX} matter.
 *
 * @throws {CrossmemError} as `decodeNpyHeader`
 */
export const headerBytes = (bytes: Uint8Array): number => readPrefix(bytes).end

/** Version, and where the dict begins and ends. */
function readPrefix(bytes: Uint8Array) {
  const prefix = bytes.slice(0, PREFIX)
  if (!MAGIC.every((byte, i) => prefix[i] === byte)) throw corrupt('it does not begin with \\x93NUMPY')
  const version = `${prefix[6]}.${prefix[7]}`
  if (!isVersion(version)) throw corrupt(`its format version is ${version}, and 1.0, 2.0 and 3.0 exist`)

  const { lengthBytes, encoding } = versions[version]
  const start = MAGIC.length + 2 + lengthBytes
  if (prefix.length < start) throw corrupt('it ends within the header')
  const field = new DataView(prefix.buffer, MAGIC.length + 2)
  const length = lengthBytes === 2 ? field.getUint16(0, true) : field.getUint32(0, true)
  if (length > MAX_HEADER_BYTES) throw tooLong(length)
  return { version, encoding, start, end: start + length }
}

/** Reads the three entries of the header's dict. Only their kinds are checked. */
function readDict(text: string): { descr: PythonLiteral; order: Order; dims: bigint[] } {
  const dict = parsePythonLiteral(text)
  if (!isMap(dict)) throw corrupt('its header is no dict')
  const keys = [...dict.keys()].sort()
  if (keys.join() !== 'descr,fortran_order,shape')
    throw corrupt(`its header has the keys ${show(keys)}, not descr, fortran_order and shape`)

  const descr = dict.get('descr') as PythonLiteral
  const fortranOrder = dict.get('fortran_order')
  const shape = dict.get('shape')
  if (typeof fortranOrder !== 'boolean') throw corrupt('fortran_order is neither True nor False')
  if (!(shape instanceof PythonTuple) || !shape.items.every(dim => typeof dim === 'bigint'))
    throw corrupt('shape is no tuple of integers')
  return {
    descr,
    order: fortranOrder ? 'F' : 'C',
    dims: shape.items as bigint[],
  }
}

function decodeText(copy: Uint8Array, encoding: 'latin1' | 'utf8'): string {
  if (encoding === 'latin1')
    return Buffer.from(copy.buffer, copy.byteOffset, copy.byteLength).toString('latin1')
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(copy)
  } catch (cause) {
    throw corrupt('its header is not UTF-8', cause)
  }
}

const isVersion = (version: string): version is keyof typeof versions => Object.hasOwn(versions, version)

const tooLong = (length: number) =>
  new CrossmemError('ERR_TOO_LARGE', `the .npy header takes ${length} bytes, and 65536 are allowed`)

const corrupt = (why: string, cause?: unknown) =>
  new CrossmemError('ERR_CORRUPT', `not a valid .npy: ${why}`, cause ? { cause } : undefined)
