import type { Locate } from './collector.js'
import { DEEPEST } from './depth.js'
import { bareError, bareException, hide } from './errors.js'
import { apart, ESCAPE, STRUCTURED, tags, views } from './msgpack-tags.js'
import { define, setProperty } from './properties.js'
import type { Structures } from './structures.js'

/** Up to this length, a string is looked for among those that were read lately. */
const SHORT = 24
/** How many short strings are remembered. A power of two. */
const REMEMBERED = 1 << 10

const remembered: (string | undefined)[] = new Array(REMEMBERED)

interface ViewClass {
  new (buffer: ArrayBuffer, offset?: number, length?: number): NodeJS.ArrayBufferView
  /** A DataView has none. */
  BYTES_PER_ELEMENT?: number
}
// A runtime without Float16Array gets the raw bits, as an NDArray shows them there.
const viewClasses = views.map(
  name => (globalThis as unknown as Record<string, ViewClass>)[name] ?? (Uint16Array as ViewClass),
)

/** What a reader that is not open reads from. */
const NOTHING = Buffer.alloc(0)
const NO_DATA = new DataView(new ArrayBuffer(0))

/** So many objects of a message at most have their places kept for the next one. */
const KEPT = 64

/** Reads what a `MsgpackWriter` wrote. The bytes may be anyone's, and damaged. */
export class MsgpackReader {
  #bytes: Buffer = NOTHING
  #data: DataView = NO_DATA
  #end = 0
  #at = 0
  /** The objects that were read, in order; the first `count` are in use. */
  #objects: (object | undefined)[] = []
  #count = 0
  #structures: Structures | undefined
  #locate: Locate | undefined

  /**
   * Reads from these bytes from now on.
   *
   * @param locate finds what lies outside of the message
   */
  open({ buffer, byteOffset, length }: Uint8Array, structures?: Structures, locate?: Locate): this {
    this.#bytes = Buffer.from(buffer as ArrayBuffer, byteOffset, length)
    this.#data = new DataView(buffer, byteOffset, length)
    this.#structures = structures
    this.#locate = locate
    return this
  }

  /** Keeps no bytes. */
  close(): void {
    this.#bytes = NOTHING
    this.#data = NO_DATA
    this.#structures = undefined
    this.#locate = undefined
  }

  /** Reads the value that lies there. */
  read(start: number, end: number): unknown {
    this.#at = start
    this.#end = end
    try {
      const value = this.value(0)
      if (this.#at !== end) throw new RangeError('there are bytes behind the value')
      return value
    } finally {
      this.#forget()
    }
  }

  // The value must not be kept from garbage collection.
  #forget(): void {
    if (this.#count > KEPT) this.#objects = []
    else for (let i = 0; i < this.#count; i++) this.#objects[i] = undefined
    this.#count = 0
  }

  /** Reads the next value. Its parts are one level deeper. */
  value(depth: number): unknown {
    const byte = this.#byte()
    if (byte < 0x80) return byte
    if (byte < 0x90) return this.#record(byte & 0xf, depth)
    if (byte < 0xa0) return this.#list(byte & 0xf, depth)
    if (byte < 0xc0) return this.#text(byte & 0x1f)
    if (byte >= 0xe0) return byte - 0x100
    switch (byte) {
      case 0xc0:
        return null
      // ESCAPE. Literals only make this a table of jumps.
      case 0xc1:
        return this.#tagged(depth)
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
        return this.#buffer(this.#byte())
      case 0xc5:
        return this.#buffer(this.#uint16())
      case 0xc6:
        return this.#buffer(this.#uint32())
      case 0xcb:
        return this.#float()
      case 0xcc:
        return this.#byte()
      case 0xcd:
        return this.#uint16()
      case 0xce:
        return this.#uint32()
      case 0xd0:
        return (this.#byte() << 24) >> 24
      case 0xd1:
        return (this.#uint16() << 16) >> 16
      case 0xd2:
        return this.#uint32() | 0
      case 0xd3:
        return this.#int64()
      case 0xd9:
        return this.#text(this.#byte())
      case 0xda:
        return this.#text(this.#uint16())
      case 0xdb:
        return this.#text(this.#uint32())
      case 0xdc:
        return this.#list(this.#uint16(), depth)
      case 0xdd:
        return this.#list(this.#uint32(), depth)
      case 0xde:
        return this.#record(this.#uint16(), depth)
      case 0xdf:
        return this.#record(this.#uint32(), depth)
      default:
        throw new RangeError(`no value begins with the byte ${byte}`)
    }
  }

  #tagged(depth: number): unknown {
    const tag = this.#byte()
    if (tag >= STRUCTURED) return this.#structured(tag - STRUCTURED, depth)
    switch (tag) {
      case tags.UNDEFINED:
        return undefined
      case tags.AGAIN:
        return this.#again()
      case tags.UTF16:
        return this.#utf16()
      case tags.BIGINT:
        return this.#bigint()
      case tags.DATE:
        return this.keep(new Date(this.#float()))
      case tags.MAP:
        return this.#map(depth)
      case tags.SET:
        return this.#set(depth)
      case tags.ARRAY:
        return this.#array(depth)
      case tags.REGEXP:
        return this.keep(new RegExp(this.#string(), this.#string()))
      case tags.BOXED:
        return this.#boxed(depth)
      case tags.BUFFER:
        return this.keep(this.#copy(this.#uint32()))
      case tags.VIEW:
        return this.#view()
      case tags.ERROR:
        this.#check(depth)
        return this.#parts(this.keep(bareError(this.#byte())), depth)
      case tags.EXCEPTION:
        this.#check(depth)
        return this.#parts(this.keep(bareException(this.#string(), this.#string())), depth)
      case tags.APART:
        return this.keep(this.#apart())
      default:
        throw new RangeError(`there is no tag ${tag}`)
    }
  }

  #structured(number: number, depth: number): object {
    this.#check(depth)
    if (!this.#structures) throw new RangeError(`there is no structure ${number}`)
    return this.#structures.reader(number)(this, depth + 1)
  }

  #record(count: number, depth: number): object {
    this.#check(depth)
    this.#fit(count, 2)
    return this.#properties(this.keep({}), count, depth)
  }

  #properties<Made extends object>(object: Made, count: number, depth: number): Made {
    for (let i = 0; i < count; i++) {
      const key = this.#string()
      const value = this.value(depth + 1)
      setProperty(object, key, value)
    }
    return object
  }

  #list(count: number, depth: number): unknown[] {
    this.#check(depth)
    this.#fit(count, 1)
    const list: unknown[] = this.keep(new Array(count))
    for (let i = 0; i < count; i++) {
      // Long lists are lists of such numbers, mostly.
      if (this.#bytes[this.#at] === 0xcb) {
        this.#at++
        list[i] = this.#float()
      } else list[i] = this.value(depth + 1)
    }
    return list
  }

  #array(depth: number): unknown[] {
    this.#check(depth)
    const length = this.#uint32()
    const count = this.#uint32()
    this.#fit(count, 2)
    const array = this.#properties(this.keep([]), count, depth)
    if (array.length > length) throw new RangeError('an array is longer than its length')
    array.length = length
    return array
  }

  #map(depth: number): object {
    this.#check(depth)
    const count = this.#uint32()
    this.#fit(count, 2)
    const map = this.keep(new Map())
    for (let i = 0; i < count; i++) map.set(this.value(depth + 1), this.value(depth + 1))
    return map
  }

  #set(depth: number): object {
    this.#check(depth)
    const count = this.#uint32()
    this.#fit(count, 1)
    const set = this.keep(new Set())
    for (let i = 0; i < count; i++) set.add(this.value(depth + 1))
    return set
  }

  #parts(error: object, depth: number): object {
    for (let count = this.#uint32(); count > 0; count--) hide(error, this.#string(), this.value(depth + 1))
    for (let count = this.#uint32(); count > 0; count--) define(error, this.#string(), this.value(depth + 1))
    return error
  }

  #boxed(depth: number): object {
    this.#check(depth)
    const at = this.#count
    this.#objects[this.#count++] = undefined
    const value = this.value(depth + 1)
    if (typeof value === 'object' || value === undefined) throw new RangeError('only primitives are boxed')
    const boxed = Object(value) as object
    this.#objects[at] = boxed
    return boxed
  }

  #view(): object {
    const index = this.#byte()
    const View = viewClasses[index]
    if (!View) throw new RangeError(`there is no class of views ${index}`)
    return this.keep(new View(this.#copy(this.#uint32())))
  }

  #apart(): object {
    const index = this.#byte()
    const number = this.#uint32()
    const [at, length] = [this.#float(), this.#float()]
    if (!this.#locate) throw new RangeError('there is nothing outside of the message')
    const place = this.#locate(number, at, length)
    if (!place) return {}
    const { buffer, offset } = place
    if (index === apart.BUFFER) return Buffer.from(buffer, offset, length)
    if (index === apart.ARRAY_BUFFER) return buffer
    const View = viewClasses[index]
    if (!View) throw new RangeError(`there is no class of views ${index}`)
    return new View(buffer, offset, length / (View.BYTES_PER_ELEMENT ?? 1))
  }

  #buffer(length: number): object {
    return this.keep(Buffer.from(this.#copy(length)))
  }

  #again(): object {
    const number = this.#uint32()
    const object = number < this.#count ? this.#objects[number] : undefined
    if (!object) throw new RangeError(`there is no object ${number} yet`)
    return object
  }

  #bigint(): bigint {
    const isNegative = this.#byte() === 1
    const digits = this.#slice(this.#uint32()).toString('hex')
    const magnitude = BigInt(`0x${digits}`)
    return isNegative ? -magnitude : magnitude
  }

  /** Reads a value that must be a string, such as a key. */
  #string(): string {
    const byte = this.#byte()
    if (byte >= 0xa0 && byte < 0xc0) return this.#text(byte & 0x1f)
    if (byte === 0xd9) return this.#text(this.#byte())
    if (byte === 0xda) return this.#text(this.#uint16())
    if (byte === 0xdb) return this.#text(this.#uint32())
    if (byte === ESCAPE && this.#byte() === tags.UTF16) return this.#utf16()
    throw new RangeError('a string is missing')
  }

  #utf16(): string {
    return this.#slice(this.#uint32()).toString('utf16le')
  }

  #text(length: number): string {
    const bytes = this.#bytes
    const start = this.#at
    const end = start + length
    if (end > this.#end) throw tooShort()
    this.#at = end
    if (length > SHORT) return bytes.toString('utf8', start, end)
    let hash = length
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0
    const slot = (hash ^ (hash >>> 15)) & (REMEMBERED - 1)
    const text = remembered[slot]
    if (text !== undefined && isAscii(text, bytes, start, length)) return text
    const read = bytes.toString('utf8', start, end)
    remembered[slot] = read
    return read
  }

  /** Gives an object the next number. */
  keep<Made extends object>(object: Made): Made {
    this.#objects[this.#count++] = object
    return object
  }

  #copy(length: number): ArrayBuffer {
    const bytes = this.#slice(length)
    const copy = new Uint8Array(length)
    copy.set(bytes)
    return copy.buffer
  }

  #slice(length: number): Buffer {
    const start = this.#at
    this.#at += length
    if (this.#at > this.#end) throw tooShort()
    return this.#bytes.subarray(start, this.#at)
  }

  #byte(): number {
    if (this.#at >= this.#end) throw tooShort()
    return this.#bytes[this.#at++] as number
  }

  #uint16(): number {
    const at = this.#at
    this.#at = at + 2
    return this.#data.getUint16(at)
  }

  #uint32(): number {
    const at = this.#at
    this.#at = at + 4
    return this.#data.getUint32(at)
  }

  #int64(): bigint {
    const at = this.#at
    this.#at = at + 8
    return this.#data.getBigInt64(at)
  }

  #float(): number {
    const at = this.#at
    this.#at = at + 8
    return this.#data.getFloat64(at)
  }

  /**
   * Refuses a count of things that need more bytes than there are, before memory is made for them.
   */
  #fit(count: number, bytesEach: number): void {
    if (count * bytesEach > this.#end - this.#at) throw tooShort()
  }

  #check(depth: number): void {
    if (depth >= DEEPEST) throw new RangeError(`it is nested more than ${DEEPEST} levels deep`)
  }
}

const tooShort = (): RangeError => new RangeError('it ends early')

/** Whether a string is of ASCII only, and these bytes. */
function isAscii(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i] as number
    if (byte >= 0x80 || text.charCodeAt(i) !== byte) return false
  }
  return true
}
