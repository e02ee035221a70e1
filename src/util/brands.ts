import { types } from 'node:util'

// What a value is, whichever realm made it: a test runner's sandbox, a `vm` context and a window
// have an Array, an Error and a Map of their own, which `instanceof` takes for something else.

export const { isArrayBuffer, isMap, isSet, isUint8Array } = types

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

/** What an error says; anything can be thrown. */
export const messageOf = (error: unknown): string =>
  isObject(error) && 'message' in error ? String(error.message) : String(error)
