import { CrossmemError } from '../errors.js'
import { asStorage, type DType, type DTypeInfo, dtypeText, type StorageOf } from '../nd/index.js'
import type { Segment } from '../objects/index.js'
import { bytesOf, checkSpan, show } from '../util/index.js'

/** The elements of a segment, copied to and from the caller's memory by calls. */
export class ElementCopies<D extends DType> {
  readonly #segment: Segment
  readonly #info: DTypeInfo<D>
  readonly #dataOffset: number
  readonly #size: number

  /** @param size number of elements, which begin at the byte `dataOffset` */
  constructor(segment: Segment, info: DTypeInfo<D>, dataOffset: number, size: number) {
    this.#segment = segment
    this.#info = info
    this.#dataOffset = dataOffset
    this.#size = size
  }

  /** Fills `target` with the elements from `offset` on, in the order of memory. */
  read<T extends ArrayBufferView>(offset: number, target: T): T {
    this.#segment.read(this.#byteOf(offset, 'target', target), bytesOf(target))
    return target
  }

  /** Stores the elements of `source` from `offset` on, in the order of memory. */
  write(offset: number, source: ArrayBufferView): void {
    this.#segment.write(this.#byteOf(offset, 'source', source), bytesOf(source))
  }

  /** A copy of all elements. */
  all(): StorageOf<D> {
    return this.read(0, new this.#info.Storage(this.#size * this.#info.lanes)) as StorageOf<D>
  }

  #byteOf(offset: number, name: string, view: ArrayBufferView): number {
    const { Storage, lanes, itemBytes } = this.#info
    if (asStorage(this.#info, view as never) === undefined || view.byteLength % itemBytes !== 0) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `${name} is a ${Storage.name} of whole elements, ${lanes} for each ${dtypeText(this.#info.name)}, not ${show(view)}`,
      )
    }
    checkSpan(offset, view.byteLength / itemBytes, this.#size, 'elements')
    return this.#dataOffset + offset * itemBytes
  }
}
