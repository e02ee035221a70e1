import { bytesOf } from '../util/index.js'
import { isList } from './arrays.js'
import { DEEPEST, tooDeep } from './depth.js'
import { type ErrorParts, partsOf, partsOfException } from './errors.js'
import { cannotClone, kindOf } from './kinds.js'
import { ESCAPE, tags, views } from './msgpack-tags.js'
import type { Handle } from './references.js'
import { entriesOf, flagsOf, itemsOf, sourceOf, timeOf, unbox, viewName } from './slots.js'

const SMALLEST = 1 << 13
/** The most bytes that the buffer keeps between messages. A long message makes it much larger. */
const KEPT = 1 << 21

/** Up to about this many objects, a list is searched faster than a map. */
const FEW = 12

/** Up to this length, MessagePack has a string's length in its first byte. */
const SHORT = 31

/** Writes values as MessagePack, and what that doesn't have behind `ESCAPE`. */
export class MsgpackWriter {
  #buffer = Buffer.allocUnsafeSlow(SMALLEST)
  #data = new DataView(this.#buffer.buffer)
  #at = 0
  /** The objects that were written, in order. */
  readonly #few: object[] = []
  #many: Map<object, number> | undefined

  /** Returns bytes that are valid until the next call. */
  write(value: unknown): Uint8Array {
    this.#at = 0
    try {
      this.#value(value, 0)
    } finally {
      // The value must not be kept from garbage collection.
      this.#few.length = 0
      this.#many = undefined
    }
    // A Buffer's `slice` would not copy.
    const written = new Uint8Array(this.#buffer.buffer, 0, this.#at)
    if (this.#buffer.length > KEPT) this.#renew(SMALLEST)
    return written
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.#string(value)
        break
      case 'number':
        this.#number(value)
        break
      case 'boolean':
        this.#byte(value ? 0xc3 : 0xc2)
        break
      case 'object':
        if (value === null) this.#byte(0xc0)
        else this.#object(value, depth)
        break
      case 'undefined':
        this.#tag(tags.UNDEFINED)
        break
      case 'bigint':
        this.#bigint(value)
        break
      default:
        throw cannotClone(value)
    }
  }

  #object(value: object, depth: number): void {
    const earlier = this.#numberOf(value)
    if (earlier !== undefined) {
      this.#tag(tags.AGAIN)
      this.#uint32(earlier)
      return
    }
    if (depth === DEEPEST) throw tooDeep()
    switch (kindOf(value)) {
      case 'record':
        this.#record(value, Object.keys(value), depth)
        break
      case 'array':
        this.#array(value as unknown[], depth)
        break
      case 'handle': {
        const reference = (value as Handle).toJSON()
        this.#record(reference, Object.keys(reference), depth)
        break
      }
      case 'view':
        this.#view(value as NodeJS.ArrayBufferView)
        break
      case 'buffer':
        this.#tag(tags.BUFFER)
        this.#bytes(new Uint8Array(value as ArrayBuffer))
        break
      case 'date':
        this.#tag(tags.DATE)
        this.#float(timeOf(value))
        break
      case 'map':
        this.#map(entriesOf(value), depth)
        break
      case 'set':
        this.#set(itemsOf(value), depth)
        break
      case 'regexp':
        this.#tag(tags.REGEXP)
        this.#string(sourceOf(value))
        this.#string(flagsOf(value))
        break
      case 'boxed':
        this.#tag(tags.BOXED)
        this.#value(unbox(value), depth)
        break
      case 'error':
        this.#error(value, depth)
        break
      case 'exception':
        this.#tag(tags.EXCEPTION)
        this.#string(String((value as Error).message))
        this.#string(String((value as Error).name))
        this.#parts(value, partsOfException(value), depth)
        break
    }
  }

  /** Returns the number of an object that was written before. Another one gets the next number. */
  #numberOf(value: object): number | undefined {
    if (this.#many) {
      const earlier = this.#many.get(value)
      if (earlier === undefined) this.#many.set(value, this.#many.size)
      return earlier
    }
    const earlier = this.#few.indexOf(value)
    if (earlier >= 0) return earlier
    if (this.#few.push(value) === FEW)
      this.#many = new Map(this.#few.map((object, number) => [object, number]))
    return undefined
  }

  #record(value: object, keys: readonly string[], depth: number): void {
    this.#head(0x80, 0xde, keys.length)
    for (let i = 0; i < keys.length; i++) this.#property(value, keys[i] as string, depth)
  }

  #property(value: object, key: string, depth: number): void {
    this.#string(key)
    this.#value((value as Record<string, unknown>)[key], depth + 1)
  }

  #array(value: readonly unknown[], depth: number): void {
    const { length } = value
    if (isList(value)) {
      this.#head(0x90, 0xdc, length)
      for (let i = 0; i < length; i++) {
        const item = value[i]
        if (typeof item === 'number') this.#number(item)
        else this.#value(item, depth + 1)
      }
      return
    }
    this.#tag(tags.ARRAY)
    this.#uint32(length)
    const keys = Object.keys(value)
    this.#uint32(keys.length)
    for (const key of keys) this.#property(value, key, depth)
  }

  #map(entries: readonly (readonly [unknown, unknown])[], depth: number): void {
    this.#tag(tags.MAP)
    this.#uint32(entries.length)
    for (const [key, item] of entries) {
      this.#value(key, depth + 1)
      this.#value(item, depth + 1)
    }
  }

  #set(items: readonly unknown[], depth: number): void {
    this.#tag(tags.SET)
    this.#uint32(items.length)
    for (const item of items) this.#value(item, depth + 1)
  }

  #error(value: object, depth: number): void {
    const parts = partsOf(value)
    this.#tag(tags.ERROR)
    this.#byte(parts.index)
    this.#parts(value, parts, depth)
  }

  #parts(value: object, { hidden, shown }: ErrorParts, depth: number): void {
    this.#uint32(hidden.size)
    for (const [key, item] of hidden) {
      this.#string(key)
      this.#value(item, depth + 1)
    }
    this.#uint32(shown.length)
    for (const key of shown) this.#property(value, key, depth)
  }

  #view(value: NodeJS.ArrayBufferView): void {
    const bytes = bytesOf(value)
    const { length } = bytes
    if (Buffer.isBuffer(value)) {
      this.#room(5)
      if (length < 0x100) this.#put2(0xc4, length)
      else if (length < 0x10000) this.#put3(0xc5, length)
      else this.#put5(0xc6, length)
    } else {
      const index = (views as readonly string[]).indexOf(viewName(value))
      if (index < 0) throw cannotClone(value)
      this.#tag(tags.VIEW)
      this.#byte(index)
      this.#uint32(length)
    }
    this.#copy(bytes)
  }

  #string(text: string): void {
    if (text.length > SHORT || !this.#shortString(text)) this.#longString(text)
  }

  /**
   * Writes a string without a call. Returns whether it fits behind one byte, and is well-formed.
   */
  #shortString(text: string): boolean {
    const { length } = text
    this.#room(1 + 3 * length)
    const buffer = this.#buffer
    const start = this.#at + 1
    let at = start
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit < 0x80) buffer[at++] = unit
      else if (unit < 0x800) {
        buffer[at++] = 0xc0 | (unit >> 6)
        buffer[at++] = 0x80 | (unit & 0x3f)
      } else if (unit >= 0xd800 && unit < 0xe000) return false
      else {
        buffer[at++] = 0xe0 | (unit >> 12)
        buffer[at++] = 0x80 | ((unit >> 6) & 0x3f)
        buffer[at++] = 0x80 | (unit & 0x3f)
      }
    }
    if (at - start > SHORT) return false
    buffer[start - 1] = 0xa0 | (at - start)
    this.#at = at
    return true
  }

  #longString(text: string): void {
    if (!(text as string & { isWellFormed(): boolean }).isWellFormed()) {
      this.#tag(tags.UTF16)
      this.#bytes(Buffer.from(text, 'utf16le'))
      return
    }
    // The length is written last. A long string's is counted first, to make no more room than
    // needed.
    const most = text.length < 0x5000 ? 3 * text.length : Buffer.byteLength(text)
    const head = most < 0x100 ? 2 : most < 0x10000 ? 3 : 5
    this.#room(head + most)
    const length = this.#buffer.write(text, this.#at + head)
    if (head === 2) this.#put2(0xd9, length)
    else if (head === 3) this.#put3(0xda, length)
    else this.#put5(0xdb, length)
    this.#at += length
  }

  #number(value: number): void {
    this.#room(9)
    if (value >>> 0 === value && (value !== 0 || 1 / value > 0)) {
      if (value < 0x80) this.#buffer[this.#at++] = value
      else if (value < 0x100) this.#put2(0xcc, value)
      else if (value < 0x10000) this.#put3(0xcd, value)
      else this.#put5(0xce, value)
    } else if (value < 0 && (value | 0) === value) {
      if (value >= -0x20) this.#buffer[this.#at++] = value
      else if (value >= -0x80) this.#put2(0xd0, value)
      else if (value >= -0x8000) this.#put3(0xd1, value)
      else this.#put5(0xd2, value)
    } else {
      this.#buffer[this.#at] = 0xcb
      this.#data.setFloat64(this.#at + 1, value)
      this.#at += 9
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      this.#room(9)
      this.#buffer[this.#at] = 0xd3
      this.#data.setBigInt64(this.#at + 1, value)
      this.#at += 9
      return
    }
    const isNegative = value < 0n
    const digits = (isNegative ? -value : value).toString(16)
    this.#tag(tags.BIGINT)
    this.#byte(isNegative ? 1 : 0)
    this.#bytes(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'))
  }

  #float(value: number): void {
    this.#room(8)
    this.#data.setFloat64(this.#at, value)
    this.#at += 8
  }

  /** Writes the head of a map or an array: the count in the first byte if it is small. */
  #head(small: number, large: number, count: number): void {
    this.#room(5)
    if (count < 0x10) this.#buffer[this.#at++] = small | count
    else if (count < 0x10000) this.#put3(large, count)
    else this.#put5(large + 1, count)
  }

  #tag(tag: number): void {
    this.#room(2)
    this.#put2(ESCAPE, tag)
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#buffer[this.#at++] = byte
  }

  #uint32(number: number): void {
    this.#room(4)
    this.#data.setUint32(this.#at, number)
    this.#at += 4
  }

  /** Writes bytes behind their length. */
  #bytes(bytes: Uint8Array): void {
    this.#uint32(bytes.length)
    this.#copy(bytes)
  }

  #copy(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  // These three need to have room.

  #put2(first: number, byte: number): void {
    this.#buffer[this.#at++] = first
    this.#buffer[this.#at++] = byte
  }

  #put3(first: number, uint16: number): void {
    this.#buffer[this.#at] = first
    this.#data.setUint16(this.#at + 1, uint16)
    this.#at += 3
  }

  #put5(first: number, uint32: number): void {
    this.#buffer[this.#at] = first
    this.#data.setUint32(this.#at + 1, uint32)
    this.#at += 5
  }

  /** Makes room for so many more bytes. */
  #room(length: number): void {
    if (this.#at + length > this.#buffer.length) this.#grow(this.#at + length)
  }

  #grow(least: number): void {
    const written = this.#buffer.subarray(0, this.#at)
    this.#renew(Math.max(least, 2 * this.#buffer.length))
    this.#buffer.set(written)
  }

  #renew(length: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(length)
    this.#data = new DataView(this.#buffer.buffer)
  }
}
