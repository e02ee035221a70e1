import { CrossmemError } from '../errors.js'
import { type FieldInfo, type NDView, sizeOf, type TypedArray, writeField } from '../nd/index.js'
import { show, typedArrayName } from '../util/index.js'
import type { RecordInfo } from './record-dtype.js'

/** Any typed array, as the copies below use it. */
type Words = Uint8Array

/** Where a field of records begins in their memory, and from there to the next record, in words. */
interface Steps {
  at: number
  step: number
  width: number
}

/** The bytes of a field in one record. */
const bytesOf = ({ shape, info }: FieldInfo): number => sizeOf(shape) * info.itemBytes

/**
 * Views of the field's memory in words as large as records that begin at `records` allow: of the
 * field's own type if its elements are aligned, else of bytes.
 */
function wordsIn(records: Uint8Array, each: number, field: FieldInfo): { words: Words; steps: Steps } {
  const { Storage } = field.info
  const size = Storage.BYTES_PER_ELEMENT
  const isAligned = [records.byteOffset, records.length, each, field.offset].every(n => n % size === 0)
  const unit = isAligned ? size : 1
  const words = isAligned
    ? (new Storage(records.buffer, records.byteOffset, records.length / size) as unknown as Words)
    : records
  return { words, steps: { at: field.offset / unit, step: each / unit, width: bytesOf(field) / unit } }
}

/** A copy of one field of all records, without gaps. */
export function copyColumn(records: Uint8Array, each: number, field: FieldInfo): TypedArray {
  const { words, steps } = wordsIn(records, each, field)
  const { at, step, width } = steps
  const count = records.length / each
  const column = new field.info.Storage((count * bytesOf(field)) / field.info.Storage.BYTES_PER_ELEMENT)
  const to = words === records ? new Uint8Array(column.buffer) : (column as unknown as Words)
  if (width === 1) for (let i = 0, from = at; i < count; i++, from += step) to[i] = words[from] as number
  else
    for (let i = 0, next = 0, from = at; i < count; i++, from += step)
      for (let k = 0; k < width; k++) to[next++] = words[from + k] as number
  return column as TypedArray
}

/**
 * Makes records of columns: for each field a typed array of its elements, or an array with a value
 * for each record. All have the same number of records.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: a column is missing, unknown, of another length, or has
 *   a value that the field can't hold
 */
export function recordsOf(columns: Record<string, unknown>, info: RecordInfo): Uint8Array {
  const fields = fieldsByName(info)
  for (const key of Object.keys(columns))
    if (!fields.has(key)) throw invalid(`the dtype has no field ${show(key)}`)
  // Each is read once: it may be a getter.
  const given = [...fields].map(([name, field]) => ({ name, field, column: columns[name] }))
  let count: number | undefined
  for (const { name, field, column } of given) {
    const length = lengthOf(name, column, field)
    count ??= length
    if (length !== count) {
      const [first] = fields.keys()
      throw invalid(
        `the column ${show(name)} has ${length} records, and ${show(first)} has ${count}; columns have one length`,
      )
    }
  }
  const each = info.itemBytes
  const records = new Uint8Array((count ?? 0) * each)
  // Typed arrays first: what is in the others may have getters, which could change them.
  for (const { field, column } of given) if (isStorageOf(field, column)) spread(column, records, each, field)
  for (const { name, field, column } of given)
    if (!isStorageOf(field, column)) writeAll(name, column as readonly unknown[], records, each, field)
  return records
}

/** The fields, without NumPy's titles. */
const fieldsByName = ({ fields }: RecordInfo): Map<string, FieldInfo> =>
  new Map([...(fields as ReadonlyMap<string, FieldInfo>).values()].map(field => [field.name, field]))

/** How many records a column has. */
function lengthOf(name: string, column: unknown, field: FieldInfo): number {
  if (Array.isArray(column)) return column.length
  if (typedArrayName(column) === undefined) {
    throw invalid(
      column === undefined
        ? `the column ${show(name)} is missing`
        : `the column ${show(name)} is a typed array, or an array with a value for each record, not ${show(column)}`,
    )
  }
  const { length } = column as Words
  if (!isStorageOf(field, column) && field.shape.length === 0) return length
  const each = bytesOf(field) / field.info.Storage.BYTES_PER_ELEMENT
  if (isStorageOf(field, column) && length % each === 0) return length / each
  throw invalid(
    `the column ${show(name)} must be a ${field.info.Storage.name} with ${each} elements for each record, not ${show(column)}`,
  )
}

/** Whether a column is a typed array of what the field has in memory. */
const isStorageOf = ({ info }: FieldInfo, column: unknown): column is Words =>
  typedArrayName(column) === info.Storage.name && (column as Words).BYTES_PER_ELEMENT > 0

function spread(column: Words, records: Uint8Array, each: number, field: FieldInfo): void {
  const { words, steps } = wordsIn(records, each, field)
  const { at, step, width } = steps
  const count = records.length / each
  const from =
    words === records ? new Uint8Array(column.buffer, column.byteOffset, column.byteLength) : column
  if (width === 1) for (let i = 0, to = at; i < count; i++, to += step) words[to] = from[i] as number
  else
    for (let i = 0, next = 0, to = at; i < count; i++, to += step)
      for (let k = 0; k < width; k++) words[to + k] = from[next++] as number
}

function writeAll(
  name: string,
  column: readonly unknown[],
  records: Uint8Array,
  each: number,
  field: FieldInfo,
): void {
  const write = writeField(field)
  const count = records.length / each
  for (let i = 0; i < count; i++) {
    try {
      write(records, i * each, column[i])
    } catch (cause) {
      if (!(cause instanceof CrossmemError)) throw cause
      throw new CrossmemError(cause.code, `record ${i} of the column ${show(name)}: ${cause.message}`, {
        cause,
      })
    }
  }
}

/**
 * The bytes of a view's records, without gaps: those of the view itself where there are none.
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: the view has several axes. ERR_CLOSED, ERR_DETACHED
 */
export function recordsIn(view: NDView, each: number): Uint8Array {
  const { size, shape, strides } = view
  if (shape.length !== 1) throw invalid(`records to put have one axis, not the shape ${show(shape)}`)
  const data = view.data as Uint8Array
  if (data.length === 0 && size > 0) throw view.whyGone()
  const stride = (strides[0] as number) * each
  if (stride === each || size < 2) return data.subarray(0, size * each)
  const records = new Uint8Array(size * each)
  for (let i = 0; i < size; i++) records.set(data.subarray(i * stride, i * stride + each), i * each)
  return records
}

const invalid = (message: string) => new CrossmemError('ERR_INVALID_ARG', message)
