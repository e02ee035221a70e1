import { checkUsable } from '../../src/nd/dtype.js'
import { sizeOf } from '../../src/nd/shape.js'
import { NDView } from '../../src/nd/view.js'
import { decodeNpyHeader, type NpyHeader } from '../../src/npy/header.js'
import { codecInput } from './codec-input.js'
import { codecValues } from './codec-values.js'
import { messageRecords } from './message-records.js'
import { refusedOr } from './oracle.js'
import { references } from './references.js'
import { structures } from './structures.js'

/** How many bytes of elements are worth looking at. */
const MOST_SHOWN = 100_000

/** Prints the elements that a header describes, with the input for their bytes. */
function showElements({ info, shape, size }: NpyHeader, input: Uint8Array): string {
  const { Storage, lanes, name } = checkUsable({ info, swapped: [] })
  const data = new Storage(size * lanes)
  new Uint8Array(data.buffer).set(input.subarray(0, data.byteLength))
  return String(new NDView({ data, dtype: name, shape }))
}

/** Reads a header, which must then make sense. */
function npyHeader(input: Uint8Array): void {
  const total = input.length * 1000
  const header = refusedOr(() => decodeNpyHeader(input, total))
  if (!header) return
  const { shape, size, dataOffset, dataBytes } = header
  const isSound = size === sizeOf(shape) && dataOffset <= input.length && dataOffset + dataBytes <= total
  if (!isSound) throw new Error(`an unsound header: ${JSON.stringify(header)}`)
  if (dataBytes < MOST_SHOWN) refusedOr(() => showElements(header, input))
}

/** By the folder's name in `corpus/`. Each throws if crossmem does what it must not do. */
export const targets: Record<string, (input: Uint8Array) => void> = {
  'npy-header': npyHeader,
  'codec-input': codecInput,
  'codec-values': codecValues,
  'message-records': messageRecords,
  references,
  structures,
}
