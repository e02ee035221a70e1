import { hasCode } from '../errors.js'
import { nativeArrays } from '../native/index.js'
import { contiguousStrides, type Order } from '../nd/index.js'
import { decodeNpyHeader } from '../npy/index.js'
import type { Segment } from '../objects/index.js'
import { guardOffset } from './layout.js'

export interface ArrayInfo {
  dtype: string
  shape: number[]
  order: Order
  strides: number[]
  trailer: boolean
}

export function arrayIfAny(segment: Segment): ArrayInfo | null {
  try {
    return arrayIn(segment)
  } catch {
    return null
  }
}

export function arrayIn(segment: Segment): ArrayInfo {
  const header = decodeNpyHeader(new Uint8Array(segment.buffer))
  const { dtype, shape, order, dataOffset, dataBytes } = header
  const trailer = hasTrailer(segment, guardOffset(dataOffset, dataBytes))
  return { dtype, shape, order, strides: contiguousStrides(shape, order), trailer }
}

function hasTrailer({ handle }: Segment, offset: number): boolean {
  try {
    return nativeArrays.attachGuard(handle, offset)
  } catch (error) {
    // There is one, and its locks name another domain's agents.
    if (hasCode(error, 'ERR_WRONG_DOMAIN')) return true
    throw error
  }
}
