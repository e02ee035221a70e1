import { dtypes } from '../nd/index.js'
import type { AnyNpyHeader } from './header.js'

/** Turns the elements into the machine's own byte order, in place. */
export function toNative({ dtype, isSwapped }: AnyNpyHeader, data: Uint8Array): void {
  if (!isSwapped) return
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  // The parts of a complex number are swapped each for itself.
  const { BYTES_PER_ELEMENT } = dtypes[dtype].Storage
  if (BYTES_PER_ELEMENT === 2) bytes.swap16()
  else if (BYTES_PER_ELEMENT === 4) bytes.swap32()
  else bytes.swap64()
}
