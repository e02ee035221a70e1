import { hasCode } from '../errors.js'
import { nativeArrays } from '../native/index.js'
import { contiguousStrides, type DType, type Order } from '../nd/index.js'
import { decodeNpyHeader } from '../npy/index.js'
import type { Segment } from '../objects/index.js'
import { trailerOffset } from './layout.js'

/** The array in a segment, for people to read. */
export interface ArrayInfo {
  /** Of records a list of fields; `V2` is two bytes of which nothing is known. */
  dtype: DType
  shape: number[]
  order: Order
  /** In elements. */
  strides: number[]
  /** Whether there is a trailer, which `update()` and `snapshot()` need. */
  trailer: boolean
}

/** The array in a segment, or `null` if the segment holds none. */
export function arrayIfAny(segment: Segment): ArrayInfo | null {
  try {
    return arrayIn(segment)
  } catch {
    return null
  }
}

/**
 * The array in a segment.
 *
 * @throws {CrossmemError} ERR_CORRUPT or ERR_UNSUPPORTED: the segment isn't a .npy file that can be
 *   read
 */
export function arrayIn(segment: Segment): ArrayInfo {
  const header = decodeNpyHeader(new Uint8Array(segment.buffer))
  const { info, shape, order, dataOffset, dataBytes } = header
  const trailer = hasTrailer(segment, trailerOffset(dataOffset, dataBytes))
  return { dtype: info.name, shape, order, strides: contiguousStrides(shape, order), trailer }
}

function hasTrailer({ handle }: Segment, offset: number): boolean {
  try {
    return nativeArrays.attachGuard(handle, offset)
  } catch (error) {
    // There is a trailer, and another domain made it.
    if (hasCode(error, 'ERR_WRONG_DOMAIN')) return true
    throw error
  }
}
