import { type FieldInfo, readField, type ScalarOf, type StructDType } from '../nd/index.js'
import { areOwn, madeCode } from '../util/index.js'
import type { RecordInfo } from './record-dtype.js'

// What the dtype's own `read` and `write` do, for the kinds of fields that most records have: they
// are made for the dtype, and copy nothing on the way.

// Bound here: what is imported is read through accessors of two modules at each use.
const isOwn = areOwn

/** The bytes of records, twice. */
export interface Bytes {
  bytes: Uint8Array
  view: DataView
}

type Read = (from: Bytes, at: number) => unknown
/** Returns `false` if the value is none of those that most records have. */
type Write = (to: Bytes, at: number, value: unknown) => boolean

interface NumberKind {
  size: number
  read(view: DataView, at: number): unknown
  write(view: DataView, at: number, value: number): void
}

const numbers: Record<string, NumberKind> = {
  int8: { size: 1, read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  uint8: { size: 1, read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  int16: { size: 2, read: (v, at) => v.getInt16(at, true), write: (v, at, x) => v.setInt16(at, x, true) },
  uint16: { size: 2, read: (v, at) => v.getUint16(at, true), write: (v, at, x) => v.setUint16(at, x, true) },
  int32: { size: 4, read: (v, at) => v.getInt32(at, true), write: (v, at, x) => v.setInt32(at, x, true) },
  uint32: { size: 4, read: (v, at) => v.getUint32(at, true), write: (v, at, x) => v.setUint32(at, x, true) },
  float32: {
    size: 4,
    read: (v, at) => v.getFloat32(at, true),
    write: (v, at, x) => v.setFloat32(at, x, true),
  },
  float64: {
    size: 8,
    read: (v, at) => v.getFloat64(at, true),
    write: (v, at, x) => v.setFloat64(at, x, true),
  },
}

/**
 * How one element is read and written, and how long it is; `undefined` if it is of another kind.
 */
function elementOf(dtype: unknown): { size: number; read: Read; write: Write } | undefined {
  if (typeof dtype !== 'string') return undefined
  if (Object.hasOwn(numbers, dtype)) {
    const { size, read, write } = numbers[dtype] as NumberKind
    return {
      size,
      read: ({ view }, at) => read(view, at),
      write({ view }, at, value) {
        if (typeof value !== 'number') return false
        write(view, at, value)
        return true
      },
    }
  }
  if (dtype === 'int64' || dtype === 'uint64') return dtype === 'int64' ? signed : unsigned
  if (dtype === 'bool') return boolean
  return /^S\d+$/.test(dtype) ? byteString(Number(dtype.slice(1))) : undefined
}

const writeBigint: Write = ({ view }, at, value) => {
  if (typeof value !== 'bigint') return false
  view.setBigInt64(at, value, true)
  return true
}
const signed = { size: 8, read: (({ view }, at) => view.getBigInt64(at, true)) as Read, write: writeBigint }
const unsigned = {
  size: 8,
  read: (({ view }, at) => view.getBigUint64(at, true)) as Read,
  write: writeBigint,
}

const boolean = {
  size: 1,
  read: (({ bytes }, at) => bytes[at] !== 0) as Read,
  write: (({ bytes }, at, value) => {
    if (typeof value !== 'boolean') return false
    bytes[at] = value ? 1 : 0
    return true
  }) as Write,
}

const byteString = (size: number): { size: number; read: Read; write: Write } => ({
  size,
  read({ bytes }, at) {
    let length = size
    while (length > 0 && bytes[at + length - 1] === 0) length--
    const value = Buffer.allocUnsafe(length)
    for (let i = 0; i < length; i++) value[i] = bytes[at + i] as number
    return value
  },
  write({ bytes }, at, value) {
    if (typeof value !== 'string' || value.length > size) return false
    const { length } = value
    for (let i = 0; i < length; i++) {
      const byte = value.charCodeAt(i)
      if (byte > 0x7f) return false
      bytes[at + i] = byte
    }
    for (let i = length; i < size; i++) bytes[at + i] = 0
    return true
  },
})

/** How a field is read in the record that begins at a byte. */
function readerOf(field: FieldInfo): Read {
  const { offset, shape, info } = field
  const element = elementOf(info.name)
  if (element === undefined || shape.length > 1) {
    const read = readField(field)
    return ({ bytes }, at) => read(bytes, at)
  }
  const { size, read } = element
  const [length] = shape
  if (length === undefined) return (from, at) => read(from, at + offset)
  return (from, at) => {
    const values: unknown[] = []
    for (let i = 0; i < length; i++) values.push(read(from, at + offset + i * size))
    return values
  }
}

function writerOf({ offset, shape, info }: FieldInfo): Write {
  const element = elementOf(info.name)
  if (element === undefined || shape.length > 1) return () => false
  const { size, write } = element
  const [length] = shape
  if (length === undefined) return (to, at, value) => write(to, at + offset, value)
  return (to, at, value) => {
    if (!Array.isArray(value) || value.length !== length) return false
    for (let i = 0; i < length; i++) if (!write(to, at + offset + i * size, value[i])) return false
    return true
  }
}

/** Reads and writes the records of a dtype. */
export class RecordCodec<D extends StructDType> {
  readonly #info: RecordInfo
  readonly #read: (from: Bytes, at: number) => unknown
  readonly #write: (to: Bytes, at: number, record: unknown) => boolean

  constructor(info: RecordInfo) {
    const fields = [...new Set(info.fields?.values())]
    const names = fields.map(({ name }) => name)
    this.#info = info
    this.#read = readRecord(names, fields.map(readerOf))
    this.#write = writeRecord(names, fields.map(writerOf))
  }

  /** The record that begins at a byte. */
  read(from: Bytes, at: number): ScalarOf<D> {
    return this.#read(from, at) as ScalarOf<D>
  }

  /**
   * Writes a record to memory that no other code sees, or throws. Nothing but the record's own
   * fields changes.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: a field is missing, unknown or refused
   */
  write(to: Bytes, at: number, record: unknown): void {
    // The dtype's own `write` takes all that may be written, and says what is wrong with the rest.
    if (!this.#write(to, at, record)) this.#info.write(to.bytes, at, record as never)
  }
}

/** Memory for records, and both of its views. */
export function bytesFor(length: number): Bytes {
  const bytes = new Uint8Array(length)
  return viewed(bytes)
}

/** Both views of records. */
export const viewed = (bytes: Uint8Array): Bytes => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
})

/** A property in an object's literal; quoted alone, `__proto__` would be no property. */
const property = (name: string): string => `[${JSON.stringify(name)}]`

/**
 * A function that makes an object of what the fields' readers return: as source, so that V8 knows
 * its shape. Where a runtime forbids that, a loop does the same.
 */
function readRecord(
  names: readonly string[],
  readers: readonly Read[],
): (from: Bytes, at: number) => unknown {
  const all = names.map((_, i) => `r${i}`)
  const source = names.map((name, i) => `${property(name)}: ${all[i]}(from, at)`)
  return (
    madeCode(all, `return (from, at) => ({ ${source.join(', ')} })`, readers) ??
    ((from, at) => Object.fromEntries(names.map((name, i) => [name, (readers[i] as Read)(from, at)])))
  )
}

/** As `readRecord`. `false`: the dtype has to write it. */
function writeRecord(
  names: readonly string[],
  writers: readonly Write[],
): (to: Bytes, at: number, record: unknown) => boolean {
  const all = names.map((_, i) => `w${i}`)
  const source = names.map((name, i) => `${all[i]}(to, at, record${property(name)})`)
  const write = madeCode<(to: Bytes, at: number, record: object) => boolean>(
    all,
    `return (to, at, record) => ${source.join(' && ')}`,
    writers,
  )
  const known = new Set(names)
  return (to, at, record) => {
    if (write === undefined || typeof record !== 'object' || record === null) return false
    // It has all fields if it has so many properties, and each is a field.
    let count = 0
    let last: string | undefined
    for (const key in record) {
      if (key !== names[count] && !known.has(key)) return false
      count++
      last = key
    }
    return count === names.length && isOwn(record, last) && write(to, at, record)
  }
}
