import { CrossmemError } from '../errors.js'
import { segmentOffsets } from '../native/index.js'
import { type DType, dtypeInfo, type Order, sizeOf } from '../nd/index.js'
import { decodeNpyHeader, encodeNpyHeader, LONGEST_HEADER, type NpyHeader } from '../npy/index.js'
import { type CreateOptions, checkCreateOptions, Segment } from '../objects/index.js'
import { show } from '../util/index.js'

/** The trailer begins at a multiple of this, and is this long. In bytes. */
const { PAGE } = segmentOffsets

/** A new array. */
export interface Layout<D extends DType> extends CreateOptions {
  dtype: D
  shape: readonly number[]
  order?: Order
}

/**
 * Creates the segment: header, data, trailer. `contents` is repeated to the data's length; default:
 * zeros.
 */
export function createSegment(name: string | null, layout: Layout<DType>, contents?: Uint8Array): Segment {
  const { dtype, shape } = layout
  const order = checkOrder(layout.order)
  const header = encodeNpyHeader({ dtype, shape, order })
  const dataBytes = sizeOf(shape) * dtypeInfo(dtype).itemBytes
  const trailer = trailerOffset(header.length, dataBytes)
  return Segment.create({
    name: name ?? undefined,
    kind: 'NDArray',
    byteLength: trailer + PAGE,
    ...checkCreateOptions(layout),
    header,
    contents,
    contentsLength: contents && dataBytes,
    guardOffset: trailer,
  })
}

export function checkOrder(order: Order = 'C'): Order {
  if (order === 'C' || order === 'F') return order
  throw new CrossmemError('ERR_INVALID_ARG', `order is 'C' or 'F', not ${show(order)}`)
}

/** Where the trailer begins: behind the data, on a page of its own. */
export const trailerOffset = (dataOffset: number, dataBytes: number): number =>
  Math.ceil((dataOffset + dataBytes) / PAGE) * PAGE

/**
 * Reads the header from a private copy, since other processes may write to the segment meanwhile.
 */
export function readHeader(segment: Segment): NpyHeader {
  const copy = (length: number) => {
    const bytes = new Uint8Array(Math.min(segment.byteLength, length))
    segment.read(0, bytes)
    return bytes
  }
  // Nearly every header fits into a page; only a longer one is worth copying 64 KiB.
  const [, , , , , , version = 0, , low = 0, high = 0] = copy(12)
  const fits = version === 1 && 10 + low + 256 * high <= PAGE
  return decodeNpyHeader(copy(fits ? PAGE : LONGEST_HEADER), segment.byteLength)
}
