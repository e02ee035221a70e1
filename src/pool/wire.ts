import { types } from 'node:util'
import type { AnyHandle } from '../open.js'
import { pack, unpack } from '../process/index.js'
import type { Wire } from './messages.js'

/** Lists of numbers that are longer travel as the bytes of the numbers. */
const SHORT = 16

/** Whether a value is the same in another process, and can't have a handle in it. */
const isPlain = (value: unknown): boolean =>
  value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')

const isNumber = (value: unknown): boolean => typeof value === 'number'

/** A list that needs no encoding of its own, on its way; `undefined` for any other list. */
export function plainWire(list: readonly unknown[]): Wire | undefined {
  if (list.length > SHORT && isNumber(list[0]) && all(list, isNumber)) {
    return Float64Array.from(list as readonly number[])
  }
  return all(list, isPlain) ? list : undefined
}

/**
 * The list that was sent, with its handles open.
 *
 * @throws {CrossmemError} as `unpack`
 */
export function fromWire(wire: Wire, sender?: number | null): { list: unknown[]; handles: AnyHandle[] } {
  if (isPacked(wire)) {
    const { value, handles } = unpack(wire, sender ?? undefined)
    return { list: value as unknown[], handles }
  }
  return { list: Array.isArray(wire) ? wire : Array.from(wire), handles: [] }
}

/** Whether what was sent has an encoding of its own. */
export const isPacked = (wire: Wire): wire is Uint8Array => types.isUint8Array(wire)

/** As `every`, which also looks at holes: they are `undefined`. */
function all(list: readonly unknown[], holds: (value: unknown) => boolean): boolean {
  for (const value of list) if (!holds(value)) return false
  return true
}

/** The reason of an abort, on its way; without one if it can't be sent. */
export function wireOf(reason: unknown): Wire {
  try {
    return plainWire([reason]) ?? pack([reason], { share: false }).bytes
  } catch {
    return [undefined]
  }
}
