import { type BoundCodec, codecFor } from '../codecs/index.js'
import { CrossmemError } from '../errors.js'
import { open, type Reference } from '../open.js'
import { replaceReferences } from '../process/index.js'

const codec: BoundCodec<unknown> = codecFor()

/** Encodes a value as queues do. The bytes are the caller's own. */
export const encode = (value: unknown, what?: string): Uint8Array => new Uint8Array(codec.encode(value, what))

/** @throws {CrossmemError} ERR_CORRUPT */
export const decode = (bytes: Uint8Array): unknown => codec.decode(bytes)

/**
 * Whether there may be references in a value's bytes: few have any, and looking for this is fast.
 */
export const mayHaveReferences = (bytes: Uint8Array): boolean =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes('crossmem')

/** Encodes an error with its stack. One whose parts can't be sent goes as its text. */
export function encodeError(error: unknown): Uint8Array {
  try {
    return encode(error)
  } catch {
    const { name = 'Error', message = String(error), stack, code } = Object(error) as Partial<CrossmemError>
    const text = new Error(String(message))
    Object.defineProperty(text, 'name', { value: String(name) })
    Object.defineProperty(text, 'stack', { value: String(stack ?? message) })
    if (code !== undefined) Object.assign(text, { code: String(code) })
    return encode(text)
  }
}

/**
 * Freezes plain objects and arrays, at every depth: a change to a copy would be lost, so it throws
 * instead. What can't be frozen, such as typed arrays and maps, stays as it is.
 */
export function freeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || !isPlain(value)) return value
  // Before what is inside: a value may contain itself.
  Object.freeze(value)
  for (const item of Object.values(value)) freeze(item)
  return value
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value) as object | null
  return prototype === null || prototype === Object.prototype
}

export const refused = (message: string): CrossmemError => new CrossmemError('ERR_INVALID_ARG', message)

/** Opens what the references in a decoded value stand for. */
export const openReferences = (value: unknown): unknown =>
  replaceReferences(value, reference => open(reference as Reference))
