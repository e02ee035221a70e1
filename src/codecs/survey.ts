import { CrossmemError } from '../errors.js'
import { isHandle, isRecord } from './references.js'

/** How deep a value may be nested. A value that fits the writer's stack must fit the reader's. */
const DEEPEST = 1000

/** Up to about this many objects, a list is searched faster than a set. */
const FEW = 12

/** Prototypes of objects that hold no other values. */
const leaves = new Set<unknown>(
  [
    Date,
    ArrayBuffer,
    DataView,
    Buffer,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map(Class => Class.prototype),
)

/** Visits every part of a value once, and says what a codec needs to carry the value. */
export class Survey {
  /**
   * Whether the value is a tree of plain objects, arrays without holes, values that MessagePack
   * has, dates and bytes.
   */
  isPlain = true
  /** Whether handles of crossmem are in it, which travel as references. */
  holdsHandles = false
  readonly #few: object[] = []
  #many: Set<object> | undefined

  /** @throws {CrossmemError} ERR_INVALID_ARG if it is nested too deeply */
  constructor(value: unknown) {
    this.#visit(value, 0)
  }

  #visit(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'object':
        if (value !== null) this.#visitObject(value, depth)
        break
      case 'string':
        if (!(value as string & { isWellFormed(): boolean }).isWellFormed()) this.isPlain = false
        break
      case 'number':
        if (Object.is(value, -0)) this.isPlain = false
        break
      case 'function':
      case 'symbol':
        this.isPlain = false
    }
  }

  #visitObject(value: object, depth: number): void {
    if (this.#isKnown(value)) {
      this.isPlain = false
      return
    }
    if (depth === DEEPEST) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `the value is nested more than ${DEEPEST} levels deep; send it flatter`,
      )
    }
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) this.#visitProperties(value, depth)
    else if (prototype === Array.prototype) this.#visitItems(value as unknown[], depth)
    else if (leaves.has(prototype)) return
    else if (isHandle(value)) this.holdsHandles = true
    else if (isRecord(value)) this.#visitProperties(value, depth)
    else this.#visitCollection(value, depth)
  }

  #visitProperties(value: object, depth: number): void {
    for (const key of Object.keys(value)) {
      this.#visit(key, depth)
      if (key === '__proto__') this.isPlain = false
      this.#visit((value as Record<string, unknown>)[key], depth + 1)
    }
  }

  #visitItems(value: unknown[], depth: number): void {
    for (let i = 0; i < value.length; i++) {
      const item = value[i]
      if (item === undefined && !(i in value)) {
        // A sparse array may be very long.
        this.isPlain = false
        this.#visitProperties(value, depth)
        return
      }
      this.#visit(item, depth + 1)
    }
  }

  #visitCollection(value: object, depth: number): void {
    this.isPlain = false
    if (value instanceof Map) {
      for (const [key, item] of value) {
        this.#visit(key, depth + 1)
        this.#visit(item, depth + 1)
      }
    } else if (value instanceof Set) {
      for (const item of value) this.#visit(item, depth + 1)
    } else if (Array.isArray(value)) this.#visitProperties(value, depth)
  }

  #isKnown(value: object): boolean {
    if (this.#many) {
      if (this.#many.has(value)) return true
      this.#many.add(value)
      return false
    }
    if (this.#few.includes(value)) return true
    if (this.#few.push(value) === FEW) this.#many = new Set(this.#few)
    return false
  }
}
