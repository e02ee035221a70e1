import { types } from 'node:util'
import { serialize } from 'node:v8'
import { STAYS } from '../util/index.js'
import { isHandle } from './references.js'

/** How an object travels. */
export type Kind =
  | 'record'
  | 'array'
  | 'handle'
  | 'view'
  | 'buffer'
  | 'date'
  | 'map'
  | 'set'
  | 'regexp'
  | 'boxed'
  | 'error'
  | 'exception'

/** Built-in objects that can't travel, and whose class may not show. */
const slotsOfRuntime = [
  types.isPromise,
  types.isGeneratorObject,
  types.isModuleNamespaceObject,
  types.isArgumentsObject,
  types.isKeyObject,
]

/** Prototypes of classes whose objects are their properties. */
const plain = new WeakSet<object>()

/**
 * How an object travels. It is asked for its internal slots, so objects of other realms (vm, Jest)
 * count like those of this one.
 *
 * @throws {TypeError} the object can't travel
 */
export function kindOf(value: object): Kind {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype) return 'record'
  if (Array.isArray(value)) return 'array'
  if (isHandle(value)) return 'handle'
  if (prototype !== null && plain.has(prototype)) return 'record'
  return kindBySlots(value) ?? kindByClass(value, prototype)
}

function kindBySlots(value: object): Kind | undefined {
  if (ArrayBuffer.isView(value)) return 'view'
  if (types.isDate(value)) return 'date'
  if (types.isMap(value)) return 'map'
  if (types.isSet(value)) return 'set'
  if (Object.prototype.toString.call(value) === '[object DOMException]') return 'exception'
  if (types.isNativeError(value)) return 'error'
  if (types.isArrayBuffer(value)) return 'buffer'
  if (types.isRegExp(value)) return 'regexp'
  if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) return 'boxed'
  return undefined
}

function kindByClass(value: object, prototype: object | null): Kind {
  if (STAYS in value) throw new TypeError(String(value[STAYS]))
  if (isOfRuntime(value)) throw cannotClone(value)
  if (isOfClasses(prototype)) plain.add(prototype)
  // An object of the runtime or of an addon may have state beside its properties.
  else if (prototype !== null) serialize(value)
  return 'record'
}

/** Whether a value is of a class of the runtime's, whose state is private. */
function isOfRuntime(value: object): boolean {
  if (slotsOfRuntime.some(has => has(value))) return true
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, Symbol.toStringTag) && isTagOfRuntime(tagOf(value))) return true
    // Node marks classes that only it can clone.
    const symbols = Object.getOwnPropertySymbols(at)
    if (symbols.some(({ description }) => description === 'messaging_clone_symbol')) return true
  }
  return false
}

const tagOf = (value: object): unknown => (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]

/** Whether a tag is that of a class of the runtime: `Blob`, `Intl.Locale`, `Array Iterator`. */
function isTagOfRuntime(tag: unknown): boolean {
  if (typeof tag !== 'string' || tag === 'Object') return false
  const [outer = ''] = tag.split('.')
  return (/^[A-Z]/.test(outer) && Object.hasOwn(globalThis, outer)) || / (Iterator|Helper)$/.test(tag)
}

/** Whether all prototypes but the last belong to classes written in JavaScript. */
function isOfClasses(prototype: object | null): prototype is object {
  if (prototype === null) return false
  for (let at: object | null = prototype; at !== null; ) {
    const next = Object.getPrototypeOf(at) as object | null
    const Class: unknown = Object.getOwnPropertyDescriptor(at, 'constructor')?.value
    if (next !== null && typeof Class === 'function' && isNative(Class)) return false
    at = next
  }
  return true
}

const isNative = (Class: unknown): boolean =>
  Function.prototype.toString.call(Class).endsWith('{ [native code] }')

/** The error for a value that can't travel, in the words that V8 has for it. */
export function cannotClone(value: unknown): TypeError {
  return new TypeError(`${nameOf(value)} could not be cloned`)
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shorten(String(value))
  const name: unknown = (value.constructor as { name?: unknown } | undefined)?.name
  return `#<${typeof name === 'string' && name !== '' ? shorten(name) : 'Object'}>`
}

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text)
