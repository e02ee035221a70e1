import type { DType, NumericDType, RawDType, StructDType, TimeUnit } from './types.js'

// How a dtype may be given, and which dtype is meant. Nothing here runs.

type ByteOrder = '<' | '=' | '|'

interface Codes {
  b1: 'bool'
  i1: 'int8'
  u1: 'uint8'
  i2: 'int16'
  u2: 'uint16'
  i4: 'int32'
  u4: 'uint32'
  i8: 'int64'
  u8: 'uint64'
  f2: 'float16'
  f4: 'float32'
  f8: 'float64'
  c8: 'complex64'
  c16: 'complex128'
  M8: 'datetime64'
  m8: 'timedelta64'
  '?': 'bool'
  b: 'int8'
  B: 'uint8'
  h: 'int16'
  H: 'uint16'
  i: 'int32'
  I: 'uint32'
  l: 'int64'
  L: 'uint64'
  q: 'int64'
  Q: 'uint64'
  f: 'float32'
  d: 'float64'
}
type TimeCode = `${'M8' | 'm8'}[${TimeUnit}]` | `${'M8' | 'm8'}[${number}${TimeUnit}]`
type Code = keyof Codes | TimeCode | `S${number}` | `U${number}`

/**
 * NumPy's type strings, such as `<f8`, in the machine's own byte order; and the letters that
 * Python's `array`, `multiprocessing` and `struct` have: `'i'`, `'d'`, `'B'` … On Windows, `'l'`
 * and `'L'` have 32 bits.
 */
export type TypeCode = Code | `${ByteOrder}${Code}`

type Shape = number | readonly number[]
type Format = DTypeLike | readonly [DTypeLike, Shape]
type Name = string | readonly [title: string, name: string]

/** A field as NumPy's list form has it: its name, its dtype, and the shape if it is an array. */
export type StructFieldLike =
  | readonly [name: Name, dtype: Format]
  | readonly [name: Name, dtype: Format, shape: Shape]
  | readonly [gap: '', bytes: RawDType | `|${RawDType}`]

/** NumPy's dict form of a dtype of records. */
export interface StructLayout {
  /** The name of each field. */
  readonly names: readonly string[]
  /** The dtype of each field; `[dtype, shape]` if it is an array. */
  readonly formats: readonly Format[]
  /**
   * Where each field begins in an element, in bytes. Default: one after another, or where they are
   * aligned.
   */
  readonly offsets?: readonly number[]
  /** The length of an element in bytes. Default: that of the fields. */
  readonly itemsize?: number
  /** NumPy's titles: other names of the fields. */
  readonly titles?: readonly (string | null)[]
  /** Whether fields lie where a C compiler puts them, also in records inside. Default: false. */
  readonly aligned?: boolean
}

/**
 * How a dtype can be given: its name, NumPy's type string, or the fields of records in NumPy's list
 * or dict form.
 */
export type DTypeLike = DType | TypeCode | readonly StructFieldLike[] | StructLayout

type DTypeOfCode<C> = C extends keyof Codes
  ? Codes[C]
  : C extends `M8[${infer Unit}]`
    ? Extract<`datetime64[${Unit}]`, DType>
    : C extends `m8[${infer Unit}]`
      ? Extract<`timedelta64[${Unit}]`, DType>
      : Extract<C, DType>

type ShapeFrom<S> = S extends number ? readonly [S] : S

type FieldFrom<N, F, S = never> = F extends readonly [infer Inner extends DTypeLike, infer Own extends Shape]
  ? readonly [N, DTypeFrom<Inner>, ShapeFrom<Own>]
  : F extends DTypeLike
    ? [S] extends [never]
      ? readonly [N, DTypeFrom<F>]
      : readonly [N, DTypeFrom<F>, ShapeFrom<S>]
    : never

type FieldOf<F> = F extends readonly [infer N, infer Format, infer S]
  ? FieldFrom<N, Format, S>
  : F extends readonly ['', unknown]
    ? readonly ['', RawDType]
    : F extends readonly [infer N, infer Format]
      ? FieldFrom<N, Format>
      : never

type StructOf<Names, Formats> = Names extends readonly string[]
  ? Extract<
      readonly (
        | { [I in keyof Names]: I extends keyof Formats ? FieldFrom<Names[I], Formats[I]> : never }[number]
        | readonly ['', RawDType]
      )[],
      StructDType
    >
  : never

/** The dtype that is meant by what was given. Types that say too little mean any dtype. */
export type DTypeFrom<L> = L extends DType
  ? L
  : L extends `${ByteOrder}${infer C}`
    ? DTypeOfCode<C>
    : L extends string
      ? DTypeOfCode<L>
      : L extends readonly unknown[]
        ? StructFieldLike extends L[number]
          ? StructDType
          : Extract<readonly FieldOf<L[number]>[], StructDType>
        : StructLayout extends L
          ? StructDType
          : L extends { readonly names: infer Names; readonly formats: infer Formats }
            ? StructOf<Names, Formats>
            : never

/** As `TypeCode`, for numbers. */
export type NumericCode =
  | Exclude<keyof Codes, 'M8' | 'm8'>
  | `${ByteOrder}${Exclude<keyof Codes, 'M8' | 'm8'>}`

/** The dtype that a type code of numbers means. */
export type NumericDTypeOf<C extends NumericCode> = Extract<DTypeFrom<C>, NumericDType>
