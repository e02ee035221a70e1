import { sizeOf } from '../../src/nd/shape.js'
import { decodeNpyHeader } from '../../src/npy/header.js'
import { codecInput } from './codec-input.js'
import { codecValues } from './codec-values.js'
import { messageRecords } from './message-records.js'
import { refusedOr } from './oracle.js'
import { references } from './references.js'

/** Reads a header, which must then make sense. */
function npyHeader(input: Uint8Array): void {
  const total = input.length * 1000
  const header = refusedOr(() => decodeNpyHeader(input, total))
  if (!header) return
  const { shape, size, dataOffset, dataBytes } = header
  const isSound = size === sizeOf(shape) && dataOffset <= input.length && dataOffset + dataBytes <= total
  if (!isSound) throw new Error(`an unsound header: ${JSON.stringify(header)}`)
}

/** By the folder's name in `corpus/`. Each throws if crossmem does what it must not do. */
export const targets: Record<string, (input: Uint8Array) => void> = {
  'npy-header': npyHeader,
  'codec-input': codecInput,
  'codec-values': codecValues,
  'message-records': messageRecords,
  references,
}
