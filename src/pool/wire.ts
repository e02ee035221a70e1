import { types } from 'node:util'
import type { AnyHandle } from '../open.js'
import { LARGE, pack, release, unpack } from '../process/index.js'
import type { Wire } from './messages.js'

/** Lists of numbers that are longer travel as the bytes of the numbers. */
const SHORT = 16

/** Whether a value is the same in another process, and can't have a handle in it. */
const isPlain = (value: unknown): boolean =>
  value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')

/** A list that needs no encoding of its own, on its way; `undefined` for any other list. */
export function plainWire(list: readonly unknown[]): Wire | undefined {
  const numbers = list.length > SHORT ? numbersOf(list) : undefined
  return numbers ?? (all(list, isPlain) ? list : undefined)
}

/** `undefined` if a value is no number. */
function numbersOf(list: readonly unknown[]): Float64Array | undefined {
  const numbers = new Float64Array(list.length)
  for (let i = 0; i < list.length; i++) {
    const value = list[i]
    if (typeof value !== 'number') return undefined
    numbers[i] = value
  }
  return numbers
}

/** Whether a list goes faster through shared memory, packed, than through a pipe. */
export const isLarge = (wire: Wire | undefined): wire is Float64Array =>
  types.isFloat64Array(wire) && wire.byteLength >= LARGE

/**
 * The list that was sent, with its handles open.
 *
 * @throws {CrossmemError} as `unpack`
 */
export function fromWire(wire: Wire, sender?: number | null): { list: unknown[]; handles: AnyHandle[] } {
  if (isPacked(wire)) {
    const { value, handles } = unpack(wire, sender ?? undefined)
    if (!types.isFloat64Array(value)) return { list: value as unknown[], handles }
    const list = listOf(value)
    release(value)
    return { list, handles }
  }
  return { list: Array.isArray(wire) ? wire : listOf(wire as Float64Array), handles: [] }
}

/** Ten times as fast as `Array.from`. */
function listOf(numbers: Float64Array): number[] {
  const list = new Array<number>(numbers.length)
  for (let i = 0; i < numbers.length; i++) list[i] = numbers[i] as number
  return list
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
