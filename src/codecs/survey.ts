import { CrossmemError } from '../errors.js'

/** How deep a value may be nested: what fits on a stack when it is written must fit when it is read. */
const DEEPEST = 1000

/** Looking in a list is faster than in a set, up to about this many objects. */
const FEW = 12

/** Objects that are what their class says, whatever is in them. */
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

/** Goes once through a value that is about to travel, and says what it takes to carry it. */
export class Survey {
  /** It is a tree of plain objects and arrays without holes, of what MessagePack has, dates and bytes. */
  isPlain = true
  holdsHandles = false
  readonly #few: object[] = []
  #many: Set<object> | undefined

  /** @throws {CrossmemError} ERR_INVALID_ARG if it is nested too deeply */
  constructor(value: unknown) {
    this.#look(value, 0)
  }

  #look(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'object':
        if (value !== null) this.#lookInto(value, depth)
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

  #lookInto(value: object, depth: number): void {
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
    if (prototype === Object.prototype) this.#lookAtProperties(value, depth)
    else if (prototype === Array.prototype) this.#lookAtItems(value as unknown[], depth)
    else if (leaves.has(prototype)) return
    else if (isHandle(value)) this.holdsHandles = true
    else if (isRecord(value)) this.#lookAtProperties(value, depth)
    else this.#lookAtCollection(value, depth)
  }

  #lookAtProperties(value: object, depth: number): void {
    for (const key of Object.keys(value)) {
      this.#look(key, depth)
      if (key === '__proto__') this.isPlain = false
      this.#look((value as Record<string, unknown>)[key], depth + 1)
    }
  }

  #lookAtItems(value: unknown[], depth: number): void {
    for (let i = 0; i < value.length; i++) {
      const item = value[i]
      if (item === undefined && !(i in value)) {
        // A sparse array may be very long.
        this.isPlain = false
        this.#lookAtProperties(value, depth)
        return
      }
      this.#look(item, depth + 1)
    }
  }

  #lookAtCollection(value: object, depth: number): void {
    this.isPlain = false
    if (value instanceof Map) {
      for (const [key, item] of value) {
        this.#look(key, depth + 1)
        this.#look(item, depth + 1)
      }
    } else if (value instanceof Set) {
      for (const item of value) this.#look(item, depth + 1)
    } else if (Array.isArray(value)) this.#lookAtProperties(value, depth)
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

interface Handle {
  toJSON(): object
}

function isHandle(value: object): value is Handle {
  const { crossmem } = value as { crossmem?: unknown }
  if (typeof crossmem !== 'string') return false
  const { name, toJSON } = value as { name?: unknown; toJSON?: unknown }
  return typeof name === 'string' && typeof toJSON === 'function'
}

/** A plain object, whatever its class; built-in objects other than these say what they are. */
const isRecord = (value: object): boolean => Object.prototype.toString.call(value) === '[object Object]'

/** Copies what holds handles, with their references in their place. */
export function withReferences(value: unknown, copies = new Map<object, object>()): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known) return known
  const keep = <Copy extends object>(copy: Copy): Copy => {
    copies.set(value, copy)
    return copy
  }
  if (isHandle(value)) return keep(value.toJSON())
  if (value instanceof Map) {
    const copy = keep(new Map())
    for (const [key, item] of value) copy.set(withReferences(key, copies), withReferences(item, copies))
    return copy
  }
  if (value instanceof Set) {
    const copy = keep(new Set())
    for (const item of value) copy.add(withReferences(item, copies))
    return copy
  }
  const isArray = Array.isArray(value)
  if (!isArray && !isRecord(value)) return value
  // Without a prototype, `__proto__` is a key like any other.
  const copy = keep(isArray ? new Array(value.length) : Object.create(null)) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) copy[key] = withReferences(item, copies)
  return copy
}
