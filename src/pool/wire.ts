import type { AnyHandle } from '../open.js'
import { unpack } from '../process/index.js'
import type { Wire } from './messages.js'

/** Whether a value is the same in another process, and can't have a handle in it. */
const isPlain = (value: unknown): boolean =>
  value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')

/** Whether a list needs no encoding of its own. */
export const arePlain = (list: readonly unknown[]): boolean => {
  for (const value of list) if (!isPlain(value)) return false
  return true
}

/**
 * The list that was sent, with its handles open.
 *
 * @throws {CrossmemError} as `unpack`
 */
export function fromWire(wire: Wire, sender?: number | null): { list: unknown[]; handles: AnyHandle[] } {
  if (Array.isArray(wire)) return { list: wire, handles: [] }
  const { value, handles } = unpack(wire as Uint8Array, sender ?? undefined)
  return { list: value as unknown[], handles }
}
