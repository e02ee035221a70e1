import { CrossmemError } from '../errors.js'
import { nativeSegments } from '../native/index.js'
import { contiguousStrides, type DTypeInfo, dtypeInfo } from '../nd/index.js'
import type { Segment } from '../objects/index.js'
import { DATA_OFFSET, elementsIn } from './data-handle.js'
import { readHeader } from './layout.js'

/** The elements in a segment, for people to read: in C order, whatever the order in memory. */
export interface Elements {
  size: number
  ndim: number
  read(index: number): unknown
  print(index: number): string
}

/**
 * The elements of an array, of a value or of plain bytes. They are read without a lock.
 *
 * @throws {CrossmemError} ERR_CORRUPT, ERR_UNSUPPORTED: the header can't be read. ERR_WRONG_KIND:
 *   the object has no elements
 */
export function elementsOf(segment: Segment): Elements {
  const { info, offset, shape, strides } = layoutIn(segment)
  const bytes = new Uint8Array(segment.buffer)
  const read = (index: number) => {
    let [rest, at] = [index, 0]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const length = shape[axis] as number
      at += (rest % length) * (strides[axis] as number)
      rest = Math.floor(rest / length)
    }
    // A copy: the elements of another program's array may lie anywhere.
    const from = offset + at * info.itemBytes
    return info.read(new info.Storage(bytes.slice(from, from + info.itemBytes).buffer), 0)
  }
  const size = shape.reduce((product, length) => product * length, 1)
  return { size, ndim: shape.length, read, print: index => info.print(read(index)) }
}

interface ElementsLayout {
  info: DTypeInfo
  offset: number
  shape: readonly number[]
  strides: readonly number[]
}

function layoutIn(segment: Segment): ElementsLayout {
  const isArray = segment.kind === 'NDArray' || (segment.foreign && startsAsNpy(segment))
  if (isArray) {
    const { info, swapped, shape, order, dataOffset } = readHeader(segment)
    if (swapped.length > 0) throw new CrossmemError('ERR_UNSUPPORTED', 'its elements are big-endian')
    return { info, offset: dataOffset, shape, strides: contiguousStrides(shape, order) }
  }
  if (segment.kind === 'SharedMemory') return row(dtypeInfo('uint8'), 0, segment.byteLength)
  const isData = segment.kind === 'Value' || segment.kind === 'SharedArray'
  if (!isData) throw new CrossmemError('ERR_WRONG_KIND', `a ${segment.kind} has no values to show`)
  const found = elementsIn(nativeSegments.objectParams(segment.handle))
  const info = found && dtypeInfo(found.dtype)
  if (!info || DATA_OFFSET + found.length * info.itemBytes > segment.byteLength) {
    throw new CrossmemError('ERR_CORRUPT', `the header of "${segment.name}" was overwritten`)
  }
  return row(info, DATA_OFFSET, found.length)
}

const row = (info: DTypeInfo, offset: number, length: number): ElementsLayout => ({
  info,
  offset,
  shape: [length],
  strides: [1],
})

const startsAsNpy = (segment: Segment): boolean =>
  Buffer.from(segment.buffer, 0, Math.min(6, segment.byteLength)).toString('latin1') === '\x93NUMPY'
