import { bytesOf } from '../util/index.js'
import { isList } from './arrays.js'
import type { Collector } from './collector.js'
import { DEEPEST, tooDeep } from './depth.js'
import { type ErrorParts, partsOf, partsOfException } from './errors.js'
import { cannotClone, kindOf } from './kinds.js'
import { apart, ESCAPE, STRUCTURED, tags, views } from './msgpack-tags.js'
import type { Handle } from './references.js'
import { entriesOf, flagsOf, itemsOf, sourceOf, timeOf, unbox, viewName } from './slots.js'
import type { Shape, Structures } from './structures.js'

/** Bytes of a writer's own memory. */
const SMALLEST = 1 << 13
/** The most bytes that are kept between messages. A long message makes them many more. */
const KEPT = 1 << 21

/** Up to this many objects, a list is searched faster than a map. */
const FEW = 16

/** Up to this length, MessagePack has a string's length in its first byte. */
const SHORT = 31

const PLAIN = Object.prototype
const { getPrototypeOf, keys: keysOf } = Object

/**
 * Writes values as MessagePack, and what that doesn't have behind `ESCAPE`: one value behind the
 * other, between `begin` and `end`.
 */
export class MsgpackWriter {
  /** The memory to begin in. */
  readonly #home: Buffer
  readonly #homeData: DataView
  /** The memory in which a message went on that outgrew the one at home. */
  #spare: Buffer | undefined
  #buffer: Buffer
  #data: DataView
  #at = 0
  /** The objects of this value that were written, in order; the first `count` are in use. */
  readonly #few: (object | undefined)[] = new Array(FEW).fill(undefined)
  #count = 0
  #many: Map<object, number> | undefined
  #structures: Structures | undefined
  #collector: Collector | undefined
  #isBusy = false

  /** @param home memory of the caller's; without it, the writer has memory of its own */
  constructor(home: Uint8Array = Buffer.allocUnsafeSlow(SMALLEST)) {
    this.#home = Buffer.from(home.buffer as ArrayBuffer, home.byteOffset, home.length)
    this.#homeData = viewOf(this.#home)
    this.#buffer = this.#home
    this.#data = this.#homeData
  }

  /**
   * Begins anew.
   *
   * @param structures those whose names need not be written
   * @param collector is asked for each piece of memory whether it is written
   */
  begin(structures?: Structures, collector?: Collector): void {
    this.#isBusy = true
    this.#at = 0
    this.#structures = structures
    this.#collector = collector
  }

  /** Writes a value behind those before. Returns where it ends. */
  write(value: unknown): number {
    this.#structures?.settle()
    try {
      this.value(value, 0)
      return this.#at
    } finally {
      this.#forget()
    }
  }

  /** Whether it is between `begin` and `end`. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Whether all that was written since `begin` lies in the memory at home. */
  get isAtHome(): boolean {
    return this.#buffer === this.#home
  }

  /** What was written since `begin`; valid until the next one. */
  get written(): Uint8Array {
    const { buffer, byteOffset } = this.#buffer
    return new Uint8Array(buffer, byteOffset, this.#at)
  }

  /** The next `begin` writes to the memory at home again. */
  end(): void {
    this.#isBusy = false
    this.#structures = undefined
    this.#collector = undefined
    if (this.isAtHome) return
    this.#spare = this.#buffer.length <= KEPT ? this.#buffer : undefined
    this.#buffer = this.#home
    this.#data = this.#homeData
  }

  /** Goes on in other memory: the one at home is needed. */
  leave(): void {
    if (this.isAtHome) this.#grow(this.#at)
  }

  // The value must not be kept from garbage collection.
  #forget(): void {
    for (let i = 0; i < this.#count; i++) this.#few[i] = undefined
    this.#count = 0
    this.#many = undefined
  }

  /** Writes a value that is so deep in another one. */
  value(value: unknown, depth: number): void {
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
    if (earlier >= 0) {
      this.#tag(tags.AGAIN)
      this.#uint32(earlier)
      return
    }
    if (depth === DEEPEST) throw tooDeep()
    if (getPrototypeOf(value) === PLAIN) {
      this.#record(value, depth)
      return
    }
    if (Array.isArray(value)) {
      this.#array(value, depth)
      return
    }
    switch (kindOf(value)) {
      case 'record':
        this.#record(value, depth)
        break
      case 'handle':
        this.#collector?.handles.add(value)
        this.#record((value as Handle).toJSON(), depth)
        break
      case 'view':
        this.#view(value as NodeJS.ArrayBufferView)
        break
      case 'buffer':
        this.#arrayBuffer(new Uint8Array(value as ArrayBuffer))
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
        this.value(unbox(value), depth)
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

  /**
   * Returns the number of an object that was written before. Another one gets the next number, and
   * -1 is returned.
   */
  #numberOf(value: object): number {
    const few = this.#few
    const count = this.#count
    if (count < FEW) {
      for (let i = 0; i < count; i++) if (few[i] === value) return i
      few[count] = value
      this.#count = count + 1
      return -1
    }
    this.#many ??= new Map(few.map((object, number) => [object as object, number]))
    const earlier = this.#many.get(value)
    if (earlier !== undefined) return earlier
    this.#many.set(value, this.#many.size)
    return -1
  }

  #record(value: object, depth: number): void {
    const structures = this.#structures
    const guess = structures?.guess(depth)
    if (guess?.fits(value)) {
      this.#structured(guess, value, depth)
      return
    }
    const keys = keysOf(value)
    const shape = structures?.find(keys, depth)
    if (shape) {
      this.#structured(shape, value, depth)
      return
    }
    this.#head(0x80, 0xde, keys.length)
    for (let i = 0; i < keys.length; i++) this.#property(value, keys[i] as string, depth)
  }

  #structured(shape: Shape, value: object, depth: number): void {
    this.#tag(STRUCTURED + shape.number)
    shape.write(this, value as Record<string, unknown>, depth + 1)
  }

  #property(value: object, key: string, depth: number): void {
    this.#string(key)
    this.value((value as Record<string, unknown>)[key], depth + 1)
  }

  #array(value: readonly unknown[], depth: number): void {
    const { length } = value
    if (isList(value)) {
      this.#head(0x90, 0xdc, length)
      for (let i = 0; i < length; i++) {
        const item = value[i]
        if (typeof item === 'number') this.#number(item)
        else this.value(item, depth + 1)
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
      this.value(key, depth + 1)
      this.value(item, depth + 1)
    }
  }

  #set(items: readonly unknown[], depth: number): void {
    this.#tag(tags.SET)
    this.#uint32(items.length)
    for (const item of items) this.value(item, depth + 1)
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
      this.value(item, depth + 1)
    }
    this.#uint32(shown.length)
    for (const key of shown) this.#property(value, key, depth)
  }

  #view(value: NodeJS.ArrayBufferView): void {
    const bytes = bytesOf(value)
    const { length } = bytes
    if (Buffer.isBuffer(value)) {
      if (this.#isApart(bytes, apart.BUFFER)) return
      this.#room(5)
      if (length < 0x100) this.#put2(0xc4, length)
      else if (length < 0x10000) this.#put3(0xc5, length)
      else this.#put5(0xc6, length)
    } else {
      const index = (views as readonly string[]).indexOf(viewName(value))
      if (index < 0) throw cannotClone(value)
      if (this.#isApart(bytes, index)) return
      this.#tag(tags.VIEW)
      this.#byte(index)
      this.#uint32(length)
    }
    this.#copy(bytes)
  }

  #arrayBuffer(bytes: Uint8Array): void {
    if (this.#isApart(bytes, apart.ARRAY_BUFFER)) return
    this.#tag(tags.BUFFER)
    this.#bytes(bytes)
  }

  /** Whether bytes stay out of the message: then it says where they are. */
  #isApart({ buffer, byteOffset, length }: Uint8Array, index: number): boolean {
    const number = this.#collector?.numberOf(buffer, byteOffset, length)
    if (number === undefined) return false
    this.#tag(tags.APART)
    this.#byte(index)
    this.#uint32(number)
    this.#float(byteOffset)
    this.#float(length)
    return true
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
    const spare = this.isAtHome ? this.#spare : undefined
    const isEnough = spare && spare.length >= least
    const grown = isEnough ? spare : Buffer.allocUnsafeSlow(Math.max(least, 2 * this.#buffer.length))
    grown.set(this.#buffer.subarray(0, this.#at))
    this.#buffer = grown
    this.#data = viewOf(grown)
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length)
