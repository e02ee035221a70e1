import { timeDType } from './datetime.js'
import { type DTypeInfo, defineDType, refuse } from './dtype-info.js'
import { isNumericDType, numericDTypes } from './numbers.js'
import { smallFloat } from './small-floats.js'
import { byteStrings, strings } from './strings.js'
import type { NumericDType } from './types.js'

/** NumPy's `long`, which is C's. */
const [long, ulong]: [NumericDType, NumericDType] =
  process.platform === 'win32' ? ['int32', 'uint32'] : ['int64', 'uint64']

/**
 * What `numpy.dtype` reads in place of a code such as `f8`, in NumPy 1 and 2: names, and the
 * letters of the array interface's `typecode`
 * (https://numpy.org/doc/stable/reference/arrays.dtypes.html). Letters may follow a byte order;
 * names may not.
 */
const names: Record<string, NumericDType> = {
  byte: 'int8',
  ubyte: 'uint8',
  short: 'int16',
  ushort: 'uint16',
  intc: 'int32',
  uintc: 'uint32',
  int: 'int64',
  uint: 'uint64',
  int_: 'int64',
  int0: 'int64',
  uint0: 'uint64',
  intp: 'int64',
  uintp: 'uint64',
  long,
  ulong,
  longlong: 'int64',
  ulonglong: 'uint64',
  half: 'float16',
  single: 'float32',
  double: 'float64',
  float: 'float64',
  float_: 'float64',
  csingle: 'complex64',
  singlecomplex: 'complex64',
  cdouble: 'complex128',
  cfloat: 'complex128',
  complex: 'complex128',
  complex_: 'complex128',
  bool_: 'bool',
  bool8: 'bool',
}
const letters: Record<string, NumericDType> = {
  '?': 'bool',
  b: 'int8',
  B: 'uint8',
  h: 'int16',
  H: 'uint16',
  i: 'int32',
  I: 'uint32',
  l: long,
  L: ulong,
  q: 'int64',
  Q: 'uint64',
  p: 'int64',
  P: 'uint64',
  n: 'int64',
  N: 'uint64',
  e: 'float16',
  f: 'float32',
  d: 'float64',
  F: 'complex64',
  D: 'complex128',
}
const sizes = new Map(Object.values(numericDTypes).map(info => [(info.descr as string).slice(1), info]))

/** A kind and its size; `strtol` reads the number. */
const sized = /^([a-zA-Z])\s*\+?0*(\d*)$/
const timed = /^([Mm])(?:8(?:\[(.+)\])?)?$/
const timeName = /^(datetime64|timedelta64)(?:\[(.+)\])?$/

/** NumPy's limit of an element's length in bytes. */
export const MAX_ITEM_BYTES = 2 ** 31 - 1

/** Bytes of which nothing is known. No element of them can be read. */
function rawBytes(length: number): DTypeInfo {
  const refuseAll = (): never => {
    throw refuse('a dtype that says what the bytes are', `V${length}`)
  }
  return defineDType({
    name: `V${length}`,
    descr: `|V${length}`,
    Storage: Uint8Array as never,
    lanes: length,
    read: refuseAll,
    write: refuseAll,
    raw: `it is ${length} raw ${length === 1 ? 'byte' : 'bytes'}`,
  })
}

const sizedKinds: Record<string, { bytes: number; make: (length: number) => DTypeInfo }> = {
  S: { bytes: 1, make: byteStrings },
  a: { bytes: 1, make: byteStrings },
  U: { bytes: 4, make: strings },
  V: { bytes: 1, make: rawBytes },
}

/** The dtype of a type string without its byte order. */
function dtypeOfCode(code: string): DTypeInfo | undefined {
  if (Object.hasOwn(letters, code)) return numericDTypes[letters[code] as NumericDType] as DTypeInfo
  const [isTimed, kindOfTime, unit] = timed.exec(code) ?? []
  if (isTimed) return timeDType(kindOfTime === 'M' ? 'datetime64' : 'timedelta64', unit)
  const [, kind = '', size = ''] = sized.exec(code) ?? []
  if (Object.hasOwn(sizedKinds, kind)) {
    const { bytes, make } = sizedKinds[kind] as (typeof sizedKinds)[string]
    const length = Number(size)
    return length >= 1 && length * bytes <= MAX_ITEM_BYTES ? make(length) : undefined
  }
  // What ml_dtypes writes for its float8_e5m2.
  if (kind + size === 'f1') return smallFloat('float8_e5m2')
  return sizes.get(kind + size) as DTypeInfo | undefined
}

function dtypeOfName(name: string): DTypeInfo | undefined {
  if (Object.hasOwn(numericDTypes, name)) return numericDTypes[name as NumericDType] as DTypeInfo
  if (Object.hasOwn(names, name)) return numericDTypes[names[name] as NumericDType] as DTypeInfo
  return smallFloat(name)
}

/** A dtype, and whether its bytes are in the order that this machine doesn't have. */
export interface Spelled {
  info: DTypeInfo
  isSwapped: boolean
}

/**
 * Reads the dtype of one element, spelled in any way that `numpy.dtype` takes. The byte order is
 * `<` little, `>` big, `=` or none native, `|` not applicable
 * (https://numpy.org/doc/stable/reference/arrays.interface.html, "typestr").
 */
export function readSpelling(spelling: string): Spelled | undefined {
  const byteOrder = '<>=|'.includes(spelling.charAt(0)) ? spelling.charAt(0) : ''
  const code = spelling.slice(byteOrder.length)
  const [isTime, kind, unit] = timeName.exec(code) ?? []
  const info =
    dtypeOfCode(code) ?? (isTime ? timeDType(kind as 'datetime64', unit) : undefined) ?? dtypeOfName(spelling)
  // One byte has no byte order, so '>u1' is as good as '|u1'.
  return info && { info, isSwapped: byteOrder === '>' && info.Storage.BYTES_PER_ELEMENT > 1 }
}

/**
 * Checks that `value` is a dtype of numbers in the machine's own byte order, by name or type code,
 * and returns its name.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG
 */
export function checkNumericDType(value: unknown): NumericDType {
  const spelled = typeof value === 'string' ? readSpelling(value) : undefined
  const name = spelled?.info.name
  if (isNumericDType(name) && !spelled?.isSwapped) return name
  throw refuse(`a dtype of numbers (one of ${Object.keys(numericDTypes).join(', ')})`, value)
}

// Types that NumPy has and crossmem doesn't, by the letter of the type code.
const foreign: Record<string, string> = {
  O: 'it holds Python objects, which only Python can read, by running code that the file names',
  S: "its byte strings have no length from 1 to 2^31 - 1, as 'S8' has",
  a: "its byte strings have no length from 1 to 2^31 - 1, as 'S8' has",
  U: "its strings have no length from 1 to 2^29 - 1, as 'U8' has",
  T: 'its strings lie elsewhere in the memory of Python',
  V: 'its raw bytes have no length',
  M: "its unit is none of NumPy's",
  m: "its unit is none of NumPy's",
}
const longDoubles = ['f12', 'f16', 'c24', 'c32', 'g', 'G', 'longdouble', 'clongdouble']

/** Why a spelling is none of a dtype that crossmem has. */
export function whyUnknown(spelling: string): string {
  const code = spelling.replace(/^[<>=|]/, '')
  if (longDoubles.includes(code)) return 'JavaScript has no long double'
  const isCode = /^[A-Za-z][\d\s+]*(\[|$)/.test(code)
  return (isCode && foreign[code.charAt(0)]) || 'crossmem knows no such type'
}
