import { CrossmemError } from '../errors.js'
import { show, typedArrayName } from '../util/index.js'
import type { DTypeInfo, FieldInfo } from './dtype-info.js'
import type { DTypeFrom, DTypeLike } from './dtype-like.js'
import { isNumericDType, numericDTypes } from './numbers.js'
import { checkShape, sizeOf } from './shape.js'
import { smallFloatDTypes } from './small-floats.js'
import { MAX_ITEM_BYTES, readSpelling, whyUnknown } from './spelling.js'
import { structDType } from './struct.js'
import type { DType, NumericDType, RawDType, StorageOf } from './types.js'

/**
 * What of an element is in the byte order that this machine doesn't have: words side by side, each
 * of `size` bytes, or the same parts several times.
 */
export type Swapped = { offset: number; count: number } & (
  | { size: number }
  | { stride: number; parts: readonly Swapped[] }
)

/** A dtype that was read, and what of it has to be turned into the machine's own byte order. */
export interface ReadDType {
  info: DTypeInfo
  swapped: readonly Swapped[]
}

/** Structs by the list that `dtype` shows, so that it needn't be read again. */
const structs = new WeakMap<object, DTypeInfo>()

const MAX_DEPTH = 64

/**
 * Reads a dtype as `numpy.dtype` does: a name, a type string, or the fields of records in list or
 * dict form (https://numpy.org/doc/stable/user/basics.rec.html#structured-datatype-creation).
 *
 * @throws {CrossmemError} ERR_UNSUPPORTED: crossmem has no such dtype. ERR_CORRUPT: it is no
 *   description of a dtype
 */
export function readDType(value: unknown): ReadDType {
  return readNested(value, { depth: 0, aligned: false })
}

/** Where a dtype is read: how many structs it lies in, and whether those are aligned. */
interface Inside {
  depth: number
  aligned: boolean
}

function readNested(value: unknown, inside: Inside): ReadDType {
  if (typeof value === 'string') return readString(value)
  if (typeof value !== 'object' || value === null) throw malformed(`dtype ${show(value)} is no type string`)
  const known = inside.aligned ? undefined : structs.get(value)
  if (known) return { info: known, swapped: [] }
  if (inside.depth > MAX_DEPTH) throw malformed(`more than ${MAX_DEPTH} structs inside each other`)
  const made = Array.isArray(value)
    ? readList(value, inside)
    : readLayout(value as Record<string, unknown>, inside)
  structs.set(made.info.name as object, made.info)
  return made
}

function readString(spelling: string): ReadDType {
  if (isNumericDType(spelling)) return { info: numericDTypes[spelling] as DTypeInfo, swapped: [] }
  const found = readSpelling(spelling)
  if (!found) throw unsupported(spelling, `${whyUnknown(spelling)}; convert it with astype() first`)
  const { info, isSwapped } = found
  // The parts of a complex number are swapped each for itself.
  const words: Swapped = { offset: 0, size: info.Storage.BYTES_PER_ELEMENT, count: info.lanes }
  return { info, swapped: isSwapped ? [words] : [] }
}

/** A field before its place is known; a gap has no name. */
interface Part extends ReadDType {
  name: string
  title: string | undefined
  shape: readonly number[]
}

const bytesOfPart = ({ info, shape }: Part): number => sizeOf(shape) * info.itemBytes

/** NumPy's list form. */
function readList(list: readonly unknown[], inside: Inside): ReadDType {
  const parts = list.map(entry => {
    if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3)
      throw malformed(`a field is [name, dtype] or [name, dtype, shape], not ${show(entry)}`)
    const [label, format, shape] = entry as unknown[]
    const [title, name] = Array.isArray(label) && label.length === 2 ? label : [undefined, label]
    return readPart({ name, title, format, shape }, inside)
  })
  return place(parts, { aligned: inside.aligned })
}

/** NumPy's dict form. */
function readLayout(layout: Record<string, unknown>, inside: Inside): ReadDType {
  const { names, formats, offsets, itemsize, titles, aligned: isAligned = false, ...rest } = layout
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined || !Array.isArray(names) || !Array.isArray(formats))
    throw malformed(
      `dtype ${show(layout)} is no type string, no list of fields, and has no names and formats`,
    )
  for (const list of [formats, offsets, titles])
    if (list !== undefined && (!Array.isArray(list) || list.length !== names.length))
      throw malformed(`names, formats, offsets and titles must be lists of one length, not ${show(layout)}`)
  if (typeof isAligned !== 'boolean') throw malformed(`aligned must be true or false, not ${show(isAligned)}`)
  // As in NumPy, structs inside are aligned, too.
  const aligned = isAligned || inside.aligned
  const parts = names.map((name, i) =>
    readPart(
      { name, title: (titles as unknown[] | undefined)?.[i] ?? undefined, format: formats[i] },
      { ...inside, aligned },
    ),
  )
  return place(parts, { offsets: offsets as unknown[] | undefined, itemsize, aligned })
}

function readPart(
  { name, title, format, shape }: { name: unknown; title: unknown; format: unknown; shape?: unknown },
  { depth, aligned }: Inside,
): Part {
  if (typeof name !== 'string' || (title !== undefined && typeof title !== 'string'))
    throw malformed(`the name of a field is a string, or a title and a name, not ${show(title ?? name)}`)
  const [inner, own] = isSubarray(format) ? format : [format, []]
  const read = readNested(inner, { depth: depth + 1, aligned })
  const dims = [...checkDims(name, shape), ...checkDims(name, own)]
  checkDims(name, dims, read.info.itemBytes)
  if (dims.includes(0)) throw unsupported(name, 'a field of no elements has no bytes')
  if (name === '' && read.info.raw === undefined)
    throw malformed(`a field needs a name; only raw bytes such as 'V4' go without, as a gap`)
  return { name, title: title as string | undefined, shape: dims, ...read }
}

/** `[dtype, shape]`, where a list of fields would have a field. */
const isSubarray = (format: unknown): format is [unknown, unknown] =>
  Array.isArray(format) &&
  format.length === 2 &&
  (typeof format[1] === 'number' ||
    (Array.isArray(format[1]) && format[1].every(dim => typeof dim === 'number')))

function checkDims(name: string, shape: unknown, itemBytes = 1): number[] {
  try {
    return checkShape(shape ?? [], itemBytes)
  } catch (cause) {
    throw malformed(`field ${show(name)}: ${(cause as Error).message}`, cause)
  }
}

/** Finds a place for each field, one behind the other unless it is told otherwise. */
function place(
  parts: readonly Part[],
  {
    offsets,
    itemsize,
    aligned = false,
  }: { offsets?: readonly unknown[] | undefined; itemsize?: unknown; aligned?: boolean },
): ReadDType {
  const alignment = aligned ? Math.max(1, ...parts.map(({ info }) => info.alignment)) : 1
  const roundUp = (offset: number, to: number) => (aligned ? Math.ceil(offset / to) * to : offset)
  const fields: FieldInfo[] = []
  const swapped: Swapped[] = []
  const names = new Set<string>()
  let end = 0
  parts.forEach((part, i) => {
    const { name, title, shape, info } = part
    const offset = offsets ? offsets[i] : roundUp(end, info.alignment)
    if (!isByteCount(offset)) throw malformed(`an offset is a number of bytes from 0 up, not ${show(offset)}`)
    if (offset < end)
      throw unsupported(
        name,
        'its fields overlap or are out of order, which no .npy file can say; list them in the order in which they lie',
      )
    if (aligned && offset % info.alignment !== 0)
      throw malformed(`field ${show(name)} is not aligned at offset ${offset}`)
    end = offset + bytesOfPart(part)
    if (end > MAX_ITEM_BYTES) throw malformed('an element takes at most 2^31 - 1 bytes')
    if (name === '') return
    for (const label of title === undefined ? [name] : [name, title]) {
      if (names.has(label)) throw malformed(`two fields have the name ${show(label)}`)
      names.add(label)
    }
    fields.push({ name, title, offset, shape, info })
    if (part.swapped.length > 0)
      swapped.push({ offset, count: sizeOf(shape), stride: info.itemBytes, parts: part.swapped })
  })
  const itemBytes = roundUp(itemsize === undefined ? end : checkItemSize(itemsize, end), alignment)
  if (fields.length === 0 || itemBytes === 0)
    throw unsupported(
      fields.map(({ name }) => name),
      'its elements have no bytes',
    )
  return { info: structDType(fields, itemBytes, alignment), swapped }
}

const isByteCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ITEM_BYTES

function checkItemSize(itemsize: unknown, end: number): number {
  if (isByteCount(itemsize) && itemsize >= end) return itemsize
  throw malformed(`itemsize must be a number of bytes from ${end} up, not ${show(itemsize)}`)
}

const unsupported = (dtype: unknown, why: string) =>
  new CrossmemError('ERR_UNSUPPORTED', `dtype ${show(dtype)} is not supported: ${why}`)

const malformed = (message: string, cause?: unknown) =>
  new CrossmemError('ERR_CORRUPT', message, cause ? { cause } : undefined)

const KNOWN = [
  ...Object.keys(numericDTypes),
  ...smallFloatDTypes,
  'datetime64[unit]',
  'timedelta64[unit]',
  'S8, U8 and the like',
  'a list of fields',
].join(', ')

/**
 * The properties of a dtype that a user gives.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is none. ERR_UNSUPPORTED: it is big-endian, or raw
 *   bytes
 */
export function dtypeInfo<D extends DType>(dtype: D): DTypeInfo<D> {
  const info = isNumericDType(dtype) ? numericDTypes[dtype] : checkUsable(readGiven(dtype))
  return info as unknown as DTypeInfo<D>
}

/**
 * The dtype that a user gives in any way.
 *
 * @throws {CrossmemError} as {@link dtypeInfo}
 */
export const checkDType = <const L extends DTypeLike>(like: L): DTypeFrom<L> =>
  dtypeInfo(like as DType).name as DTypeFrom<L>

function readGiven(dtype: unknown): ReadDType {
  try {
    return readDType(dtype)
  } catch (cause) {
    if (!(cause instanceof CrossmemError)) throw cause
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `expected a dtype (one of ${KNOWN}), got ${show(dtype)}: ${cause.message}`,
      { cause },
    )
  }
}

/**
 * The properties of a dtype whose elements can be used as they lie in memory.
 *
 * @throws {CrossmemError} ERR_UNSUPPORTED: it is big-endian, or has raw bytes
 */
export function checkUsable({ info, swapped }: ReadDType): DTypeInfo {
  if (info.raw !== undefined)
    throw unsupported(
      info.name,
      `${info.raw}, and no .npy file says what they mean; if you know, say it by the option dtype: 'bfloat16', 'S4', a list of fields`,
    )
  if (swapped.length === 0) return info
  throw unsupported(
    info.name,
    "it is big-endian, and crossmem shares memory in the machine's own order; convert it with astype(), or save it to a file, which NDArray.load() converts",
  )
}

/**
 * The properties of the dtype that a user gives for elements that a header describes: the same
 * dtype, or one that says what its raw bytes are.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is another dtype
 */
export function dtypeAs(found: DTypeInfo, dtype: unknown): DTypeInfo {
  if (dtype === undefined) return found
  const wanted = dtypeInfo(dtype as DType)
  if (explains(wanted, found)) return wanted
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `the elements are of the dtype ${shown(found)}, not ${shown(wanted)}`,
  )
}

/** A simple dtype as its name in quotes, that of records as JSON: all of it. */
const shown = ({ name }: DTypeInfo): string => (typeof name === 'string' ? show(name) : dtypeText(name))

function explains(wanted: DTypeInfo, found: DTypeInfo): boolean {
  if (found.fields === undefined)
    return found.raw === undefined
      ? dtypeText(wanted.name) === dtypeText(found.name)
      : wanted.itemBytes === found.itemBytes
  const { fields } = wanted
  return (
    wanted.itemBytes === found.itemBytes &&
    fields !== undefined &&
    fields.size === found.fields.size &&
    [...found.fields].every(([label, field]) => {
      const other = fields.get(label)
      return (
        other !== undefined &&
        other.offset === field.offset &&
        other.shape.join() === field.shape.join() &&
        explains(other.info, field.info)
      )
    })
  )
}

/** A dtype as text: its name, or the fields as JSON. */
export const dtypeText = (dtype: DType | RawDType): string =>
  typeof dtype === 'string' ? dtype : JSON.stringify(dtype)

const dtypeByTag: Record<string, NumericDType> = {
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
 * A typed array as the storage of a dtype, over the same memory: itself, or a new one if it comes
 * from another realm (vm, Jest), or has the raw bits of float16 where the runtime has Float16Array.
 * `undefined` if it is another typed array, or a subclass, which would pass its own `subarray` on.
 */
export function asStorage<D extends DType>(info: DTypeInfo<D>, data: unknown): StorageOf<D> | undefined {
  const { Storage } = info
  const tag = typedArrayName(data)
  if (tag !== Storage.name && !(info.name === 'float16' && tag === 'Uint16Array')) return undefined
  const found = data as StorageOf<D>
  if (Object.getPrototypeOf(found) === Storage.prototype) return found
  return isPlain(found) ? new Storage(found.buffer, found.byteOffset, found.length) : undefined
}

/**
 * The dtype of a typed array's elements. Buffer and Uint8ClampedArray are uint8.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: it is no built-in typed array
 */
export function dtypeOfTypedArray(value: unknown): NumericDType {
  const dtype = dtypeByTag[typedArrayName(value) ?? '']
  if (dtype !== undefined) return dtype
  throw new CrossmemError('ERR_INVALID_ARG', `expected a typed array, got ${show(value)}`)
}
