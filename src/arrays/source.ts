import { CrossmemError } from '../errors.js'
import {
  checkDType,
  checkShape,
  type DType,
  dtypeOfTypedArray,
  dtypes,
  flattenNested,
  type NDView,
  type Nested,
  type Order,
  type StorageOf,
  sizeOf,
  type TypedArray,
} from '../nd/index.js'
import { decodeAnyNpyHeader, toNative } from '../npy/index.js'
import type { CreateOptions } from '../objects/index.js'
import { isArrayBuffer } from '../util/index.js'

/** How to copy existing data into a new array. */
export interface FromOptions<D extends DType = DType> extends CreateOptions {
  /** Lengths per axis. Default: the source's; for a typed array `[length]`. */
  shape?: readonly number[] | number
  /**
   * Type of the elements. Default: the source's. For a typed array, another dtype with the same
   * storage reinterprets it; 'float16' takes its raw bits in a Uint16Array, too.
   */
  dtype?: D
  /**
   * The order in which a flat source lists its elements, and in which nested arrays are laid out.
   * Default: 'C'.
   */
  order?: Order
}

/** The elements of a source and their layout. */
export function readSource<D extends DType>(
  source: TypedArray | Nested | ArrayBuffer | NDView<D>,
  options: FromOptions<D>,
): { data: StorageOf; dtype: DType; shape: readonly number[]; order?: Order } {
  if (isArrayBuffer(source)) {
    refuse(options, ['shape', 'dtype', 'order'], 'the .npy file')
    const header = decodeAnyNpyHeader(new Uint8Array(source))
    const { Storage, lanes } = dtypes[header.dtype]
    // Copied, since a .npy file needn't align its data for a typed array.
    const data = source.slice(header.dataOffset, header.dataOffset + header.dataBytes)
    toNative(header, new Uint8Array(data))
    return { ...header, data: new Storage(data, 0, header.size * lanes) as StorageOf }
  }
  if (isNDView(source)) {
    refuse(options, ['shape', 'dtype'], 'the source array')
    const order = options.order ?? source.order
    return { ...flattenNested(source.toNested() as Nested, source.dtype, order), shape: source.shape, order }
  }
  if (ArrayBuffer.isView(source)) {
    const dtype = checkDType(options.dtype ?? dtypeOfTypedArray(source))
    const { itemBytes, lanes, Storage } = dtypes[dtype]
    const flat = source as TypedArray
    const found = dtypeOfTypedArray(flat)
    const isBits = dtype === 'float16' && found === 'uint16'
    if (!isBits && (flat.BYTES_PER_ELEMENT * lanes !== itemBytes || dtypes[found].Storage !== Storage)) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `a ${flat.constructor.name} can't hold ${dtype}; use a ${Storage.name}`,
      )
    }
    const shape = checkShape(options.shape ?? [flat.length / lanes], itemBytes)
    if (sizeOf(shape) * lanes !== flat.length) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `shape [${shape}] has ${sizeOf(shape)} elements, the source has ${flat.length / lanes}`,
      )
    }
    return { data: flat as StorageOf, dtype, shape, order: options.order }
  }
  const flat = flattenNested(source as Nested, options.dtype, options.order ?? 'C')
  const shape = options.shape === undefined ? flat.shape : checkShape(options.shape)
  if (sizeOf(shape) !== sizeOf(flat.shape)) {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `shape [${shape}] has another number of elements than the source's [${flat.shape}]`,
    )
  }
  return { ...flat, shape, order: options.order }
}

/**
 * Whether it is a view; it may be one of another copy of this package, so its class doesn't count.
 */
const isNDView = <D extends DType>(source: object | Nested): source is NDView<D> =>
  typeof source === 'object' && 'toNested' in source && typeof source.toNested === 'function'

/** Refuses options that the source decides. */
function refuse(options: object, keys: string[], source: string): void {
  for (const key of keys) {
    if (key in options && (options as Record<string, unknown>)[key] !== undefined) {
      throw new CrossmemError('ERR_INVALID_ARG', `the ${key} comes from ${source}; leave it out`)
    }
  }
}
