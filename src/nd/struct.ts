import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import {
  type Descr,
  type DescrField,
  type DTypeInfo,
  defineDType,
  type FieldInfo,
  inBytes,
  refuse,
} from './dtype-info.js'
import { contiguousStrides, sizeOf } from './shape.js'
import type { StructDType, StructField } from './types.js'

/** A field, and what it takes to read it. */
interface Cell extends FieldInfo {
  /** How the field's elements are read, wherever in an element they lie. */
  bytes: DTypeInfo
  strides: readonly number[]
}

type Fields = { [field: string]: unknown }

/** Defines a property that may be called `__proto__`. */
function put(record: Fields, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true })
  else record[name] = value
}

/** Of the fields in their order, and what lies between and behind them. */
function layOut(fields: readonly FieldInfo[], itemBytes: number) {
  const names: StructField[] = []
  const descr: DescrField[] = []
  let end = 0
  const gapUpTo = (offset: number): void => {
    if (offset > end) {
      names.push(Object.freeze(['', `V${offset - end}`]) as StructField)
      descr.push(['', `|V${offset - end}`])
    }
  }
  for (const { name, title, offset, shape, info } of fields) {
    gapUpTo(offset)
    const label = title === undefined ? name : Object.freeze([title, name] as const)
    const dims = shape.length > 0 ? [Object.freeze([...shape])] : []
    names.push(Object.freeze([label, info.name, ...dims]) as unknown as StructField)
    descr.push([label, info.descr, ...dims] as unknown as DescrField)
    end = offset + sizeOf(shape) * info.itemBytes
  }
  gapUpTo(itemBytes)
  return { name: Object.freeze(names) as StructDType, descr: descr as Descr }
}

/**
 * The dtype of records: NumPy's structured dtype
 * (https://numpy.org/doc/stable/user/basics.rec.html).
 *
 * @param fields in the order in which they lie in memory, without overlap
 * @param alignment 1 unless the struct is laid out as a C compiler does
 */
export function structDType(fields: readonly FieldInfo[], itemBytes: number, alignment: number): DTypeInfo {
  const cells: Cell[] = fields.map(cellOf)
  const names = new Set(fields.map(({ name }) => name))
  const { name, descr } = layOut(fields, itemBytes)
  const raw = fields.find(field => field.info.raw !== undefined)

  /** Stores each field in bytes that no other code sees. */
  const encode = (data: Uint8Array, at: number, value: unknown): void => {
    if (!isRecord(value)) throw refuse(`an object with the fields ${[...names].join(', ')}`, value)
    for (const key of Object.keys(value))
      if (!names.has(key)) throw invalid(`the dtype has no field ${show(key)}`)
    for (const cell of cells) {
      const found = value[cell.name]
      if (found === undefined) throw invalid(`the field ${show(cell.name)} is missing`)
      try {
        writeCell(cell, data, at + cell.offset, found, 0)
      } catch (cause) {
        if (!(cause instanceof CrossmemError)) throw cause
        throw new CrossmemError(cause.code, `field ${show(cell.name)}: ${cause.message}`, { cause })
      }
    }
  }

  return defineDType({
    name,
    descr,
    Storage: Uint8Array as never,
    lanes: itemBytes,
    alignment,
    isPadded: false,
    fields: new Map(
      fields.flatMap(field => {
        const named: [string, FieldInfo] = [field.name, field]
        return field.title === undefined ? [named] : [named, [field.title, field]]
      }),
    ),
    raw: raw && `in the field ${show(raw.name)} ${raw.info.raw}`,
    read(data: Uint8Array, at: number) {
      const record: Fields = {}
      for (const cell of cells) put(record, cell.name, readCell(cell, data, at + cell.offset, 0))
      return record
    },
    write(data: Uint8Array, at: number, value: unknown) {
      // A field that is refused must not leave the fields before it changed; gaps stay as they are.
      const item = data.slice(at, at + itemBytes)
      encode(item, 0, value)
      data.set(item, at)
    },
    print: (record: Fields) => {
      const texts = cells.map(cell => printCell(cell, record[cell.name]))
      return `(${texts.join(', ')}${texts.length === 1 ? ',' : ''})`
    },
  })
}

const cellOf = (field: FieldInfo): Cell => ({
  ...field,
  bytes: inBytes(field.info),
  strides: contiguousStrides(field.shape, 'C').map(stride => stride * field.info.itemBytes),
})

/**
 * A function that stores a field's value in the record that begins at a byte. If the value is
 * refused, a part of the field may be stored.
 */
export function writeField(field: FieldInfo): (records: Uint8Array, at: number, value: unknown) => void {
  const cell = cellOf(field)
  return (records, at, value) => writeCell(cell, records, at + cell.offset, value, 0)
}

/** A function that reads a field in the record that begins at a byte. */
export function readField(field: FieldInfo): (records: Uint8Array, at: number) => unknown {
  const cell = cellOf(field)
  return (records, at) => readCell(cell, records, at + cell.offset, 0)
}

function readCell(cell: Cell, data: Uint8Array, at: number, axis: number): unknown {
  if (axis === cell.shape.length) return cell.bytes.read(data, at)
  const stride = cell.strides[axis] as number
  const values: unknown[] = []
  for (let i = 0; i < (cell.shape[axis] as number); i++)
    values.push(readCell(cell, data, at + i * stride, axis + 1))
  return values
}

function writeCell(cell: Cell, data: Uint8Array, at: number, value: unknown, axis: number): void {
  if (axis === cell.shape.length) {
    cell.bytes.write(data, at, value as never)
    return
  }
  const length = cell.shape[axis] as number
  if (!isArrayLike(value) || value.length !== length) throw refuse(`an array of length ${length}`, value)
  const stride = cell.strides[axis] as number
  for (let i = 0; i < length; i++) writeCell(cell, data, at + i * stride, value[i], axis + 1)
}

const printCell = (cell: Cell, value: unknown): string =>
  Array.isArray(value) && cell.shape.length > 0
    ? printNestedCell(cell, value, cell.shape.length)
    : cell.info.print(value as never)

const printNestedCell = (cell: Cell, value: readonly unknown[], depth: number): string =>
  `[${value
    .map(part =>
      depth > 1 ? printNestedCell(cell, part as unknown[], depth - 1) : cell.info.print(part as never),
    )
    .join(', ')}]`

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)

const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)

const invalid = (message: string) => new CrossmemError('ERR_INVALID_ARG', message)
