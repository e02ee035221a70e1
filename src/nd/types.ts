// The types of dtypes, and of what their elements are in JavaScript. Nothing here runs.

/** NumPy's fixed-size numbers, under NumPy's names. */
export type NumericDType =
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

/** The floating-point formats of ml_dtypes (<https://github.com/jax-ml/ml_dtypes>). */
export type SmallFloatDType =
  | 'bfloat16'
  | 'float8_e3m4'
  | 'float8_e4m3'
  | 'float8_e4m3b11fnuz'
  | 'float8_e4m3fn'
  | 'float8_e4m3fnuz'
  | 'float8_e5m2'
  | 'float8_e5m2fnuz'
  | 'float8_e8m0fnu'
  | 'float6_e2m3fn'
  | 'float6_e3m2fn'
  | 'float4_e2m1fn'

/** NumPy's units of time. */
export type TimeUnit = 'Y' | 'M' | 'W' | 'D' | 'h' | 'm' | 's' | 'ms' | 'us' | 'ns' | 'ps' | 'fs' | 'as'

type Timed<Name extends string> = Name | `${Name}[${TimeUnit}]` | `${Name}[${number}${TimeUnit}]`

/** Moments: a number of units, such as `datetime64[ns]` or `datetime64[25s]`, since 1970. */
export type DatetimeDType = Timed<'datetime64'>
/** Spans of time, such as `timedelta64[s]`. */
export type TimedeltaDType = Timed<'timedelta64'>
/** Byte strings of at most that many bytes, such as `S8`. */
export type BytesDType = `S${number}`
/** Strings of at most that many code points, such as `U5`. */
export type StringDType = `U${number}`

/**
 * A field of a {@link StructDType}: its name, the dtype of its elements, and the shape of the array
 * that it is, unless it is a single element. `['', 'V4']` is a gap of four bytes.
 */
export type StructField =
  | readonly [name: FieldName, dtype: DType]
  | readonly [name: FieldName, dtype: DType, shape: readonly number[]]
  | readonly [gap: '', bytes: RawDType]

/** A name, or NumPy's title and name. */
type FieldName = string | readonly [title: string, name: string]

/** Records: the fields in the order in which they lie in memory, as NumPy's `dtype.descr`. */
export type StructDType = readonly StructField[]

/** Bytes of which nothing else is known. No array has this dtype. */
export type RawDType = `V${number}`

/** The element types of arrays, under NumPy's names; a list of fields is a type of records. */
export type DType =
  | NumericDType
  | SmallFloatDType
  | DatetimeDType
  | TimedeltaDType
  | BytesDType
  | StringDType
  | StructDType

type ComplexDType = 'complex64' | 'complex128'

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
  bfloat16: Uint16Array
  time: BigInt64Array
  string: Uint32Array
  bytes: Uint8Array
}

type StorageKind<D extends DType> = D extends NumericDType | 'bfloat16'
  ? D
  : D extends DatetimeDType | TimedeltaDType
    ? 'time'
    : D extends StringDType
      ? 'string'
      : 'bytes'

/**
 * The typed array that holds elements of `D`. A bool is one byte, 0 or 1. A complex number takes
 * two slots, the real part first. float16 is a Float16Array in runtimes that have it (Node 24 and
 * later), else a Uint16Array of the raw bits; bfloat16 and smaller floats are raw bits in every
 * runtime. Times are numbers of units in a BigInt64Array. Strings are their code points in a
 * Uint32Array, byte strings and records their bytes.
 */
export type StorageOf<D extends DType = DType> = StorageByDType[StorageKind<D>]

/** Any built-in typed array. */
export type TypedArray = StorageOf<NumericDType> | Uint8ClampedArray

/** The dtype of a typed array, unless another one is given. */
export type DTypeOf<T extends TypedArray> = T extends Uint8Array | Uint8ClampedArray
  ? 'uint8'
  : T extends Uint16Array
    ? 'uint16'
    : {
        [D in Exclude<NumericDType, 'bool' | 'float16' | ComplexDType>]: T extends StorageByDType[D]
          ? D
          : never
      }[Exclude<NumericDType, 'bool' | 'float16' | ComplexDType>]

/** One element as a JavaScript value. A complex number is a pair. */
export type Scalar = number | bigint | boolean | string | Buffer | [re: number, im: number] | RecordValue

/** An element of a struct: the value of each field, by its name. */
export interface RecordValue {
  [field: string]: FieldValue
}
type FieldValue = Scalar | FieldValue[]

interface ScalarByKind {
  bool: boolean
  int: bigint
  moment: bigint
  complex: [re: number, im: number]
  bytes: Buffer
  string: string
  number: number
}

interface InputByKind {
  bool: boolean | 0 | 1
  int: bigint | number
  moment: bigint | number | Date
  complex: readonly [re: number, im: number] | number
  bytes: Uint8Array | string
  string: string
  number: number
}

type ScalarKind<D> = D extends readonly unknown[]
  ? never
  : D extends 'bool'
    ? 'bool'
    : D extends DatetimeDType
      ? 'moment'
      : D extends 'int64' | 'uint64' | TimedeltaDType
        ? 'int'
        : D extends ComplexDType
          ? 'complex'
          : D extends BytesDType
            ? 'bytes'
            : D extends StringDType
              ? 'string'
              : 'number'

/** The JavaScript value of one element of `D`. */
export type ScalarOf<D extends DType = DType> =
  | { [K in D & string]: ScalarByKind[ScalarKind<K>] }[D & string]
  | RecordOf<D>

/**
 * A value that can be stored in an element of `D`: {@link ScalarOf}, or one that means the same: a
 * number, a Date for a moment, ASCII text for a byte string.
 */
export type ScalarInput<D extends DType = DType> =
  | { [K in D & string]: InputByKind[ScalarKind<K>] }[D & string]
  | RecordInputOf<D>

type NameIn<F> = F extends { 0: readonly [string, infer Name extends string] }
  ? Name
  : F extends { 0: infer Name extends string }
    ? Name extends ''
      ? never
      : Name
    : never
type ShapeIn<F> = F extends { 2: infer Shape extends readonly number[] } ? Shape : []
type DTypeIn<F> = F extends { 1: infer D extends DType } ? D : never

/** The names of a struct's fields. */
export type FieldNameOf<D extends DType> = D extends StructDType ? NameIn<D[number]> : never

type FieldNamed<D extends DType, Name> = D extends StructDType
  ? Extract<D[number], { 0: Name | readonly [string, Name] }>
  : never

/** The dtype of a field, by its name. */
export type FieldDTypeOf<D extends DType, Name extends string> = [FieldNamed<D, Name>] extends [never]
  ? DType
  : DTypeIn<FieldNamed<D, Name>>

/** `T` in arrays inside each other, one level an axis. */
type Shaped<T, Shape extends readonly number[]> = number extends Shape['length']
  ? T | Shaped<T, Shape>[]
  : Shape extends readonly [number, ...infer Rest extends readonly number[]]
    ? Shaped<T, Rest>[]
    : T
type ShapedInput<T, Shape extends readonly number[]> = number extends Shape['length']
  ? T | ArrayLike<ShapedInput<T, Shape>>
  : Shape extends readonly [number, ...infer Rest extends readonly number[]]
    ? ArrayLike<ShapedInput<T, Rest>>
    : T

type RecordOf<D extends DType> = D extends StructDType ? Fields<D> : never
type Fields<D extends StructDType> =
  string extends NameIn<D[number]>
    ? RecordValue
    : { [F in D[number] as NameIn<F>]: Shaped<ScalarOf<DTypeIn<F>>, ShapeIn<F>> }

type RecordInputOf<D extends DType> = D extends StructDType ? FieldInputs<D> : never
type FieldInputs<D extends StructDType> =
  string extends NameIn<D[number]>
    ? object
    : { readonly [F in D[number] as NameIn<F>]: ShapedInput<ScalarInput<DTypeIn<F>>, ShapeIn<F>> }
