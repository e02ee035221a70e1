import { types } from 'node:util'
import { type BoundCodec, codecFor } from '../codecs/index.js'
import { type AnyHandle, isReference, openFrom, type Reference } from '../open.js'

const codec: BoundCodec<unknown> = codecFor()

/** A value on its way to another process. */
export interface Packed {
  bytes: Uint8Array
  /** The objects whose handles are in it. */
  references: Reference[]
}

/**
 * Encodes a value, and finds what objects are in it.
 *
 * @param what how an error message calls the value. Default: 'value'
 * @throws {CrossmemError} ERR_INVALID_ARG: a part of it can't be sent
 */
export function pack(value: unknown, what = 'value'): Packed {
  const bytes = Uint8Array.from(codec.encode(value, what))
  const references = new Map<string, Reference>()
  replaceReferences(codec.decode(bytes), reference => {
    references.set(JSON.stringify(reference), reference)
    return reference
  })
  return { bytes, references: [...references.values()] }
}

/**
 * Decodes a value, and opens the objects in it: one handle for each, however often it is there. If
 * one can't be opened, none stays open.
 *
 * @param sender the instance of the agent that hands over ends of pipes
 * @throws {CrossmemError} as `open()`
 */
export function unpack(bytes: Uint8Array, sender?: number): { value: unknown; handles: AnyHandle[] } {
  const opened = new Map<string, AnyHandle>()
  try {
    const value = replaceReferences(codec.decode(bytes), reference => {
      const key = JSON.stringify(reference)
      const handle = opened.get(key) ?? openFrom(reference, sender)
      opened.set(key, handle)
      return handle
    })
    return { value, handles: [...opened.values()] }
  } catch (error) {
    for (const handle of opened.values()) handle.close()
    throw error
  }
}

/** Puts something else in the place of each reference in a decoded value, and returns the value. */
function replaceReferences(value: unknown, replace: (reference: Reference) => unknown): unknown {
  const seen = new Set<object>()

  function replaced(part: unknown): unknown {
    if (typeof part !== 'object' || part === null || seen.has(part)) return part
    if (isReference(part)) return replace(part)
    seen.add(part)
    if (types.isMap(part)) {
      const entries = [...part]
      part.clear()
      for (const [key, item] of entries) part.set(replaced(key), replaced(item))
    } else if (types.isSet(part)) {
      const items = [...part]
      part.clear()
      for (const item of items) part.add(replaced(item))
    } else if (!ArrayBuffer.isView(part)) {
      for (const key of Reflect.ownKeys(part)) {
        const property = Object.getOwnPropertyDescriptor(part, key) as PropertyDescriptor
        const item = replaced(property.value)
        if (item !== property.value) Object.defineProperty(part, key, { ...property, value: item })
      }
    }
    return part
  }

  return replaced(value)
}
