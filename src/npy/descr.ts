import { CrossmemError } from '../errors.js'
import { type DType, dtypes } from '../nd/index.js'
import { show } from '../util/index.js'

/** NumPy's `long`, which is C's. */
const [long, ulong]: [DType, DType] = process.platform === 'win32' ? ['int32', 'uint32'] : ['int64', 'uint64']

/**
 * What `numpy.dtype` reads in place of a code such as `f8`, in NumPy 1 and 2: names, and the
 * letters of the array interface's `typecode`
 * (https://numpy.org/doc/stable/reference/arrays.dtypes.html). Letters may follow a byte order;
 * names may not.
 */
const names: Record<string, DType> = {
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
const letters: Record<string, DType> = {
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
const sizes = new Map(Object.values(dtypes).map(({ name, descr }) => [descr.slice(1), name]))

/** A kind and its size in bytes; `strtol` reads the number. */
const sized = /^([a-z])\s*\+?0*(\d+)$/

/** The dtype of a type string without byte order. */
function dtypeOfCode(code: string): DType | undefined {
  if (Object.hasOwn(letters, code)) return letters[code]
  const [, kind, size] = sized.exec(code) ?? []
  return sizes.get(`${kind}${size}`)
}

function dtypeOfName(name: string): DType | undefined {
  if (Object.hasOwn(dtypes, name)) return name as DType
  return Object.hasOwn(names, name) ? names[name] : undefined
}

// Types that NumPy has and crossmem doesn't, by the letter of the type code.
const unsupported: Record<string, string> = {
  O: 'Python objects, which only Python can read',
  S: 'byte strings',
  a: 'byte strings',
  U: 'strings',
  T: 'strings',
  M: 'dates',
  m: 'time differences',
  V: 'structured or raw records',
}
const longDoubles = ['f12', 'f16', 'c24', 'c32']

/** A dtype, and whether its bytes are in the order that this machine doesn't have. */
export interface Descr {
  dtype: DType
  isSwapped: boolean
}

/**
 * Reads an .npy header's `descr`, spelled in any way that `numpy.dtype` takes. The byte order is
 * `<` little, `>` big, `=` or none native, `|` not applicable
 * (https://numpy.org/doc/stable/reference/arrays.interface.html, "typestr").
 *
 * @throws {CrossmemError} ERR_UNSUPPORTED: crossmem has no such dtype. ERR_CORRUPT: `descr` is
 *   neither a string nor a list
 */
export function readDescr(descr: unknown): Descr {
  if (Array.isArray(descr))
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      'a structured dtype is not supported: save its fields one by one',
    )
  if (typeof descr !== 'string')
    throw new CrossmemError('ERR_CORRUPT', `dtype ${show(descr)} is no type string`)
  const byteOrder = '<>=|'.includes(descr.charAt(0)) ? descr.charAt(0) : ''
  const code = descr.slice(byteOrder.length)
  const dtype = dtypeOfCode(code) ?? dtypeOfName(descr)
  // One byte has no byte order, so '>u1' is as good as '|u1'.
  if (dtype) return { dtype, isSwapped: byteOrder === '>' && dtypes[dtype].itemBytes > 1 }
  const what = unsupported[code.charAt(0)]
  const why = longDoubles.includes(code)
    ? 'JavaScript has no long double'
    : what
      ? `it holds ${what}`
      : 'crossmem knows no such type'
  throw unusable(descr, `${why}; convert it with astype() first`)
}

/**
 * The dtype of a `descr` whose elements can be used as they lie in memory.
 *
 * @throws {CrossmemError} as `readDescr`. ERR_UNSUPPORTED: it is big-endian
 */
export function dtypeFromDescr(descr: unknown): DType {
  const { dtype, isSwapped } = readDescr(descr)
  if (!isSwapped) return dtype
  throw unusable(
    descr,
    "it is big-endian, and crossmem shares memory in the machine's own order; convert it with astype(), or save it to a file, which NDArray.load() converts",
  )
}

const unusable = (descr: unknown, why: string) =>
  new CrossmemError('ERR_UNSUPPORTED', `dtype ${show(descr)} is not supported: ${why}`)
