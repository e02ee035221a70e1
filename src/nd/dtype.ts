import { getFloat16, setFloat16 } from '@petamoriken/float16'
import { CrossmemError } from '../errors.js'
import { show, typedArrayName } from '../util/index.js'

/** The element types of arrays: NumPy's fixed-size numbers, under NumPy's names. */
export type DType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'complex64'
  | 'complex128'

type ComplexDType = 'complex64' | 'complex128'
type BigDType = 'int64' | 'uint64'

/** The runtime's Float16Array; `never` while the TypeScript `lib` in use doesn't declare one. */
type NativeFloat16Array = typeof globalThis extends { Float16Array: { prototype: infer Native } }
  ? Native
  : never

interface StorageByDType {
  bool: Uint8Array
  int8: Int8Array
  uint8: Uint8Array
  int16: Int16Array
  uint16: Uint16Array
  int32: Int32Array
  uint32: Uint32Array
  int64: BigInt64Array
  uint64: BigUint64Array
  float16: Uint16Array | NativeFloat16Array
  float32: Float32Array
  float64: Float64Array
  complex64: Float32Array
  complex128: Float64Array
}

/**
 * The typed array that holds elements of `D`. A bool is one byte, 0 or 1. A complex number takes
 * two slots, the real part first. float16 is a Float16Array in runtimes that have it (Node 24 and
 * later), else a Uint16Array of the raw bits.
 */
export type StorageOf<D extends DType = DType> = StorageByDType[D]

/** Any built-in typed array. */
export type TypedArray = StorageOf | Uint8ClampedArray

/** The dtype of a typed array, unless another one is given. */
export type DTypeOf<T extends TypedArray> = T extends Uint8Array | Uint8ClampedArray
  ? 'uint8'
  : T extends Uint16Array
    ? 'uint16'
    : {
        [D in Exclude<DType, 'bool' | 'float16' | `complex${string}`>]: T extends StorageByDType[D]
          ? D
          : never
      }[Exclude<DType, 'bool' | 'float16' | `complex${string}`>]

/** One element as a JavaScript value. A complex number is a pair. */
export type Scalar = number | bigint | boolean | [re: number, im: number]

/** The JavaScript value of one element of `D`. */
export type ScalarOf<D extends DType = DType> = D extends 'bool'
  ? boolean
  : D extends BigDType
    ? bigint
    : D extends ComplexDType
      ? [re: number, im: number]
      : number

/**
 * A value that can be stored in an element of `D`: {@link ScalarOf}, or a number that means the
 * same.
 */
export type ScalarInput<D extends DType = DType> = D extends 'bool'
  ? boolean | 0 | 1
  : D extends BigDType
    ? bigint | number
    : D extends ComplexDType
      ? readonly [re: number, im: number] | number
      : number

interface StorageConstructor<S> {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  readonly prototype: S
  new (length: number): S
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): S
}

/** The properties of a dtype. */
export interface DTypeInfo<D extends DType = DType> {
  readonly name: D
  /** NumPy's type string as a .npy header has it, such as `<f4`. */
  readonly descr: string
  /** The length of one element in bytes. */
  readonly itemBytes: number
  /** How many slots of the typed array one element takes: 2 for complex numbers, else 1. */
  readonly lanes: 1 | 2
  readonly Storage: StorageConstructor<StorageOf<D>>
  /** Reads the element at index `i`, in elements. `i` isn't checked. */
  read(data: StorageOf<D>, i: number): ScalarOf<D>
  /**
   * Stores an element. An integer that is too large wraps around, as in any typed array.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: `value` is no scalar of this dtype
   */
  write(data: StorageOf<D>, i: number, value: ScalarInput<D>): void
}

type Slots<T> = { [slot: number]: T }
type Codec<T> = {
  read(data: Slots<T>, i: number): Scalar
  write(data: Slots<T>, i: number, value: unknown): void
}

const refuse = (expected: string, value: unknown) =>
  new CrossmemError('ERR_INVALID_ARG', `expected ${expected}, got ${show(value)}`)

const isNumber = (value: unknown): value is number => typeof value === 'number'

const numbers: Codec<number> = {
  read: (data, i) => data[i] as number,
  write(data, i, value) {
    if (!isNumber(value)) throw refuse('a number', value)
    data[i] = value
  },
}

const booleans: Codec<number> = {
  read: (data, i) => data[i] !== 0,
  write(data, i, value) {
    if (value !== true && value !== false && value !== 0 && value !== 1)
      throw refuse('true, false, 0 or 1', value)
    data[i] = Number(value)
  },
}

const bigints: Codec<bigint> = {
  read: (data, i) => data[i] as bigint,
  write(data, i, value) {
    if (typeof value === 'bigint') data[i] = value
    else if (Number.isSafeInteger(value)) data[i] = BigInt(value as number)
    else throw refuse('a bigint or a safe integer', value)
  },
}

const complexes: Codec<number> = {
  read: (data, i) => [data[2 * i] as number, data[2 * i + 1] as number],
  write(data, i, value) {
    const [re, im, ...rest]: unknown[] = Array.isArray(value) ? value : [value, 0]
    if (!isNumber(re) || !isNumber(im) || rest.length > 0) throw refuse('a number or [re, im]', value)
    data[2 * i] = re
    data[2 * i + 1] = im
  },
}

// Memory for one half-precision number, to convert between its bits and a JavaScript number.
const half = new DataView(new ArrayBuffer(2))

const halfBits: Codec<number> = {
  read(data, i) {
    half.setUint16(0, data[i] as number)
    return getFloat16(half, 0)
  },
  write(data, i, value) {
    if (!isNumber(value)) throw refuse('a number', value)
    setFloat16(half, 0, value)
    data[i] = half.getUint16(0)
  },
}

const NativeFloat16 = (globalThis as { Float16Array?: StorageConstructor<StorageOf<'float16'>> }).Float16Array

function define<D extends DType>(
  name: D,
  descr: string,
  Storage: StorageConstructor<StorageOf<D>>,
  codec: Codec<number> | Codec<bigint>,
): DTypeInfo<D> {
  const lanes = codec === complexes ? 2 : 1
  const itemBytes = lanes * Storage.BYTES_PER_ELEMENT
  return {
    name,
    descr,
    itemBytes,
    lanes,
    Storage,
    ...(codec as unknown as Pick<DTypeInfo<D>, 'read' | 'write'>),
  }
}

// All are little-endian, as every platform that crossmem is built for.
/** The dtypes by name. */
export const dtypes: { readonly [D in DType]: DTypeInfo<D> } = {
  bool: define('bool', '|b1', Uint8Array, booleans),
  int8: define('int8', '|i1', Int8Array, numbers),
  uint8: define('uint8', '|u1', Uint8Array, numbers),
  int16: define('int16', '<i2', Int16Array, numbers),
  uint16: define('uint16', '<u2', Uint16Array, numbers),
  int32: define('int32', '<i4', Int32Array, numbers),
  uint32: define('uint32', '<u4', Uint32Array, numbers),
  int64: define('int64', '<i8', BigInt64Array, bigints),
  uint64: define('uint64', '<u8', BigUint64Array, bigints),
  float16: define('float16', '<f2', NativeFloat16 ?? Uint16Array, NativeFloat16 ? numbers : halfBits),
  float32: define('float32', '<f4', Float32Array, numbers),
  float64: define('float64', '<f8', Float64Array, numbers),
  complex64: define('complex64', '<c8', Float32Array, complexes),
  complex128: define('complex128', '<c16', Float64Array, complexes),
}

/**
 * Checks that `value` is the name of a dtype, and returns it.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG
 */
export function checkDType(value: unknown): DType {
  if (typeof value === 'string' && Object.hasOwn(dtypes, value)) return value as DType
  throw refuse(`a dtype (one of ${Object.keys(dtypes).join(', ')})`, value)
}

const dtypeByTag: Record<string, DType> = {
  Uint8ClampedArray: 'uint8',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int32Array: 'int32',
  Uint32Array: 'uint32',
  BigInt64Array: 'int64',
  BigUint64Array: 'uint64',
  Float16Array: 'float16',
  Float32Array: 'float32',
  Float64Array: 'float64',
}

/** Every built-in typed array has its own; subclasses such as Buffer inherit it. */
const isPlain = (data: object): boolean =>
  Object.hasOwn(Object.getPrototypeOf(data) ?? {}, 'BYTES_PER_ELEMENT')

/**
 * A typed array as the storage of `dtype`, over the same memory: itself, or a new one if it comes
 * from another realm (vm, Jest), or has the raw bits of float16 where the runtime has Float16Array.
 * `undefined` if it is another typed array, or a subclass, which would pass its own `subarray` on.
 */
export function asStorage<D extends DType>(dtype: D, data: unknown): StorageOf<D> | undefined {
  const { Storage }: DTypeInfo<D> = dtypes[dtype]
  const tag = typedArrayName(data)
  if (tag !== Storage.name && !(dtype === 'float16' && tag === 'Uint16Array')) return undefined
  const found = data as StorageOf<D>
  if (Object.getPrototypeOf(found) === Storage.prototype) return found
  return isPlain(found) ? new Storage(found.buffer, found.byteOffset, found.length) : undefined
}

/**
 * The dtype of a typed array's elements. Buffer and Uint8ClampedArray are uint8.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no built-in typed array
 */
export function dtypeOfTypedArray(value: unknown): DType {
  const dtype = dtypeByTag[typedArrayName(value) ?? '']
  if (dtype === undefined) throw refuse('a typed array', value)
  return dtype
}
