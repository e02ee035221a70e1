import { types } from 'node:util'

// What a value is, whichever realm made it: a test runner's sandbox, a `vm` context and a window
// have an Array, an Error and a Map of their own, which `instanceof` takes for something else.

export const { isArrayBuffer, isMap, isUint8Array } = types

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

/** Whether `await` would wait for it. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  isObject(value) && 'then' in value && typeof value.then === 'function'

export const isAbortSignal = (value: unknown): value is AbortSignal =>
  isObject(value) &&
  'aborted' in value &&
  typeof value.aborted === 'boolean' &&
  'addEventListener' in value &&
  typeof value.addEventListener === 'function'

export const isURL = (value: unknown): value is URL =>
  isObject(value) &&
  'href' in value &&
  typeof value.href === 'string' &&
  'protocol' in value &&
  typeof value.protocol === 'string'

// The getter that every typed array inherits. It also works for subclasses (Buffer) and for other
// realms (vm, Jest).
const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: unknown) => string | undefined

/** The name of the built-in class of a typed array; `undefined` for any other value. */
export const typedArrayName = (value: unknown): string | undefined => tag.call(value)
