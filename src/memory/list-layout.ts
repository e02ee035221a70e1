// Where the parts of a list lie. Python's module `multiprocessing.shared_memory` puts one behind
// the other: the number of items, a table of where each item lies, the items, a `struct` format for
// each, and a byte for each that says what to make of what the format reads. Numbers of the first
// two parts take 8 bytes; each item starts at a multiple of 8.

import { CrossmemError } from '../errors.js'

/**
 * What the table of a list holds: where each item starts behind the table, and where the last one
 * ends (Python 3.9 and later); or how many bytes each item has (Python 3.8).
 */
export type ListTable = 'offsets' | 'sizes'

export const WORD = 8
/** What the shortest item takes: its number in the table, itself, its format and its code. */
const LEAST_BYTES = 3 * WORD + 1

/** Where the parts of a list lie, in bytes. */
export interface ListLayout {
  table: ListTable
  length: number
  /** Where each item starts, and where the last one ends. */
  bounds: readonly number[]
  formats: number
  codes: number
  byteLength: number
}

/** The layout of a list whose items have so much room, in bytes. */
export function layoutFor(table: ListTable, rooms: readonly number[]): ListLayout {
  const { length } = rooms
  const bounds = [WORD * (1 + length + (table === 'offsets' ? 1 : 0))]
  for (const room of rooms) bounds.push((bounds.at(-1) as number) + room)
  const formats = bounds[length] as number
  const codes = formats + WORD * length
  return { table, length, bounds, formats, codes, byteLength: codes + length }
}

/** Writes the number of items and the table into the first words of a list. */
export function writeLayout({ table, length, bounds }: ListLayout, words: BigInt64Array): void {
  words[0] = BigInt(length)
  const [start = 0] = bounds
  for (const [i, bound] of bounds.entries()) {
    if (table === 'offsets') words[1 + i] = BigInt(bound - start)
    else if (i < length) words[1 + i] = BigInt((bounds[i + 1] as number) - bound)
  }
}

/**
 * The layout of the list in memory of that name.
 *
 * @throws {CrossmemError} ERR_CORRUPT: no list is there, or not all of it yet
 */
export function readLayout(name: string, words: BigInt64Array, byteLength: number): ListLayout {
  const length = Number(words[0] ?? -1n)
  // A new segment of Python's shows 0 items until Python writes the list.
  const fits = length === 0 ? byteLength <= 2 * WORD : length > 0 && WORD + length * LEAST_BYTES <= byteLength
  if (!fits) throw noList(name)
  const table = words[1] === 0n ? 'offsets' : 'sizes'
  const rooms = Array.from({ length }, (_, i) => {
    const [first = 0n, second = 0n] = [words[1 + i], words[2 + i]]
    const room = Number(table === 'offsets' ? second - first : first)
    if (room < WORD || room % WORD !== 0 || room > byteLength) throw noList(name)
    return room
  })
  const layout = layoutFor(table, rooms)
  if (layout.byteLength > byteLength) throw noList(name)
  return layout
}

const noList = (name: string): CrossmemError =>
  new CrossmemError(
    'ERR_CORRUPT',
    `"${name}" holds no complete ShareableList; wait until its maker has written it, or open it as a SharedMemory`,
  )
