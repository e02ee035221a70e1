import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import { printScalar } from './print.js'
import type { DType, RawDType, ScalarInput, ScalarOf, StorageOf } from './types.js'

interface StorageConstructor<S> {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  readonly prototype: S
  new (length: number): S
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): S
}

/** NumPy's description of a dtype in an .npy header: a type string, or a list of fields. */
export type Descr = string | readonly DescrField[]
export type DescrField =
  | readonly [name: string | readonly [title: string, name: string], descr: Descr]
  | readonly [name: string | readonly [title: string, name: string], descr: Descr, shape: readonly number[]]

/** A field of a struct. */
export interface FieldInfo {
  readonly name: string
  readonly title: string | undefined
  /** Where the field begins in an element, in bytes. */
  readonly offset: number
  readonly shape: readonly number[]
  /** Of the field's elements. */
  readonly info: DTypeInfo
}

/** The properties of a dtype. */
export interface DTypeInfo<D extends DType = DType> {
  /** The dtype in its one spelling; of a struct a frozen list of fields. */
  readonly name: D
  readonly descr: Descr
  /** The length of one element in bytes. */
  readonly itemBytes: number
  /** How many slots of the typed array one element takes: 2 for complex numbers, `n` for `Un`. */
  readonly lanes: number
  /** A multiple of this is where a C compiler puts an element, in bytes. */
  readonly alignment: number
  readonly Storage: StorageConstructor<StorageOf<D>>
  /** Reads the element that begins at a slot. The slot isn't checked. */
  read(data: StorageOf<D>, at: number): ScalarOf<D>
  /**
   * Stores an element, or throws and stores nothing. An integer that is too large wraps around, as
   * in any typed array.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: `value` is no scalar of this dtype
   */
  write(data: StorageOf<D>, at: number, value: ScalarInput<D>): void
  /** An element that was read, as NumPy prints it, with at most `digits` significant digits. */
  print(value: ScalarOf<D>): string
  /** Whether NumPy pads printed elements to one width. */
  readonly isPadded: boolean
  /** The fields of a struct, by name and by title. */
  readonly fields: ReadonlyMap<string, FieldInfo> | undefined
  /** What of the dtype is bytes of which nothing is known. */
  readonly raw: string | undefined
  /** The dtype itself, if this is how elements are read that lie at any byte. */
  readonly whole: DTypeInfo | undefined
}

/** What a dtype's elements are, and what tells it from others. */
interface Definition {
  name: DType | RawDType
  descr: Descr
  Storage: StorageConstructor<never>
  lanes?: number
  alignment?: number
  read(data: never, at: number): unknown
  write(data: never, at: number, value: unknown): void
  print?(value: never): string
  isPadded?: boolean
  fields?: ReadonlyMap<string, FieldInfo>
  raw?: string
  whole?: DTypeInfo
}

/**
 * The properties of a dtype, in one order for all dtypes, so that V8 gives all of them one shape.
 */
export function defineDType(definition: Definition): DTypeInfo {
  const { name, descr, Storage, lanes = 1, read, write } = definition
  return {
    name,
    descr,
    itemBytes: lanes * Storage.BYTES_PER_ELEMENT,
    lanes,
    alignment: definition.alignment ?? Storage.BYTES_PER_ELEMENT,
    Storage,
    read,
    write,
    print: definition.print ?? printNumber,
    isPadded: definition.isPadded ?? true,
    fields: definition.fields,
    raw: definition.raw,
    whole: definition.whole,
  } as unknown as DTypeInfo
}

const printNumber = (value: unknown): string => printScalar(value, 8)

/** The error for a value that no element can hold. */
export const refuse = (expected: string, value: unknown) =>
  new CrossmemError('ERR_INVALID_ARG', `expected ${expected}, got ${show(value)}`)

/**
 * How elements of a dtype are read and written that lie at any byte of a Uint8Array, where no other
 * typed array can show them.
 */
export function inBytes(info: DTypeInfo): DTypeInfo {
  if ((info.Storage as unknown) === Uint8Array) return info
  // Made when they are needed: a header may describe very long strings.
  let one: StorageOf | undefined
  let bytes: Uint8Array = new Uint8Array(0)
  const element = (): StorageOf => {
    if (one) return one
    one = new info.Storage(info.lanes)
    bytes = new Uint8Array(one.buffer)
    return one
  }
  const { itemBytes } = info
  return defineDType({
    ...info,
    Storage: Uint8Array as unknown as StorageConstructor<never>,
    lanes: itemBytes,
    whole: info,
    read(data: Uint8Array, at: number) {
      const item = element()
      for (let i = 0; i < itemBytes; i++) bytes[i] = data[at + i] as number
      return info.read(item, 0)
    },
    write(data: Uint8Array, at: number, value: unknown) {
      info.write(element(), 0, value as ScalarInput)
      for (let i = 0; i < itemBytes; i++) data[at + i] = bytes[i] as number
    },
  })
}
