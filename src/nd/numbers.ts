import { getFloat16, setFloat16 } from '@petamoriken/float16'
import { type DTypeInfo, defineDType, refuse } from './dtype-info.js'
import { printScalar } from './print.js'
import type { NumericDType, Scalar, StorageOf } from './types.js'

type Slots<T> = { [slot: number]: T }
type Codec<T> = {
  read(data: Slots<T>, at: number): Scalar
  write(data: Slots<T>, at: number, value: unknown): void
  lanes?: number
  print?(value: unknown): string
}

const isNumber = (value: unknown): value is number => typeof value === 'number'

const numbers: Codec<number> = {
  read: (data, at) => data[at] as number,
  write(data, at, value) {
    if (!isNumber(value)) throw refuse('a number', value)
    data[at] = value
  },
}

const booleans: Codec<number> = {
  read: (data, at) => data[at] !== 0,
  write(data, at, value) {
    if (value !== true && value !== false && value !== 0 && value !== 1)
      throw refuse('true, false, 0 or 1', value)
    data[at] = Number(value)
  },
}

const bigints: Codec<bigint> = {
  read: (data, at) => data[at] as bigint,
  write(data, at, value) {
    if (typeof value === 'bigint') data[at] = value
    else if (Number.isSafeInteger(value)) data[at] = BigInt(value as number)
    else throw refuse('a bigint or a safe integer', value)
  },
}

const complexes: Codec<number> = {
  lanes: 2,
  read: (data, at) => [data[at] as number, data[at + 1] as number],
  write(data, at, value) {
    const [re, im, ...rest]: unknown[] = Array.isArray(value) ? value : [value, 0]
    if (!isNumber(re) || !isNumber(im) || rest.length > 0) throw refuse('a number or [re, im]', value)
    data[at] = re
    data[at + 1] = im
  },
}

// Memory for one half-precision number, to convert between its bits and a JavaScript number.
const half = new DataView(new ArrayBuffer(2))

const halfBits: Codec<number> = {
  read(data, at) {
    half.setUint16(0, data[at] as number)
    return getFloat16(half, 0)
  },
  write(data, at, value) {
    if (!isNumber(value)) throw refuse('a number', value)
    setFloat16(half, 0, value)
    data[at] = half.getUint16(0)
  },
}

const NativeFloat16 = (globalThis as { Float16Array?: typeof Uint16Array }).Float16Array

const halves: Codec<number> = {
  ...(NativeFloat16 ? numbers : halfBits),
  print: value => printScalar(value, 4),
}

const define = <D extends NumericDType, T>(
  name: D,
  descr: string,
  Storage: { prototype: StorageOf<D> },
  codec: Codec<T>,
) => defineDType({ name, descr, Storage: Storage as never, ...codec }) as unknown as DTypeInfo<D>

// All are little-endian, as every platform that crossmem is built for.
/** The dtypes of numbers by name. */
export const numericDTypes: { readonly [D in NumericDType]: DTypeInfo<D> } = {
  bool: define('bool', '|b1', Uint8Array, booleans),
  int8: define('int8', '|i1', Int8Array, numbers),
  uint8: define('uint8', '|u1', Uint8Array, numbers),
  int16: define('int16', '<i2', Int16Array, numbers),
  uint16: define('uint16', '<u2', Uint16Array, numbers),
  int32: define('int32', '<i4', Int32Array, numbers),
  uint32: define('uint32', '<u4', Uint32Array, numbers),
  int64: define('int64', '<i8', BigInt64Array, bigints),
  uint64: define('uint64', '<u8', BigUint64Array, bigints),
  float16: define('float16', '<f2', NativeFloat16 ?? Uint16Array, halves),
  float32: define('float32', '<f4', Float32Array, numbers),
  float64: define('float64', '<f8', Float64Array, numbers),
  complex64: define('complex64', '<c8', Float32Array, complexes),
  complex128: define('complex128', '<c16', Float64Array, complexes),
}

/** Whether it is the name of a dtype of numbers. */
export const isNumericDType = (value: unknown): value is NumericDType =>
  typeof value === 'string' && Object.hasOwn(numericDTypes, value)
