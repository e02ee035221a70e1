import { CrossmemError } from '../errors.js'
import {
  checkShape,
  checkUsable,
  type DType,
  type DTypeLike,
  dtypeAs,
  dtypeInfo,
  dtypeOfTypedArray,
  flattenNested,
  isNDView,
  type NDView,
  type Nested,
  numericDTypes,
  type Order,
  type StorageOf,
  sizeOf,
  type TypedArray,
} from '../nd/index.js'
import { decodeNpyHeader, toNative } from '../npy/index.js'
import { CREATE_OPTIONS, type CreateOptions } from '../objects/index.js'
import { isArrayBuffer, type OptionNames, show } from '../util/index.js'

/** How to copy existing data into a new array. */
export interface FromOptions<L extends DTypeLike = DTypeLike> extends CreateOptions {
  /** Lengths per axis. Default: the source's; for a typed array `[length]`. */
  shape?: readonly number[] | number
  /**
   * Type of the elements. Default: the source's; of nested strings `Un` with the length of the
   * longest, of Dates `datetime64[ms]`. For a typed array, another dtype with the same storage
   * reinterprets it; 'float16' takes its raw bits in a Uint16Array, too. For a .npy file it says
   * what raw bytes are.
   */
  dtype?: L
  /**
   * The order in which a flat source lists its elements, and in which nested arrays are laid out.
   * Default: 'C'.
   */
  order?: Order
}

/** The names of these options. */
export const FROM_OPTIONS: OptionNames<FromOptions> = {
  ...CREATE_OPTIONS,
  shape: true,
  dtype: true,
  order: true,
}

/** The elements of a source and their layout. */
export function readSource(
  source: TypedArray | Nested | ArrayBuffer | NDView,
  options: FromOptions,
): { data: StorageOf; dtype: DType; shape: readonly number[]; order?: Order } {
  if (isArrayBuffer(source)) {
    refuse(options, ['shape', 'order'], 'the .npy file')
    const header = decodeNpyHeader(new Uint8Array(source))
    const info = checkUsable({ info: dtypeAs(header.info, options.dtype), swapped: [] })
    const { shape, order } = header
    // Copied, since a .npy file needn't align its data for a typed array.
    const data = source.slice(header.dataOffset, header.dataOffset + header.dataBytes)
    toNative(header, new Uint8Array(data))
    return { dtype: info.name, shape, order, data: new info.Storage(data, 0, header.size * info.lanes) }
  }
  if (isNDView(source)) {
    refuse(options, ['shape', 'dtype'], 'the source array')
    const order = options.order ?? source.order
    return { ...flattenNested(source.toNested() as Nested, source.dtype, order), shape: source.shape, order }
  }
  if (ArrayBuffer.isView(source)) {
    const found = dtypeOfTypedArray(source)
    const { name: dtype, itemBytes, lanes, Storage } = dtypeInfo((options.dtype ?? found) as DType)
    const flat = source as TypedArray
    const isBits = dtype === 'float16' && found === 'uint16'
    if (!isBits && numericDTypes[found].Storage !== Storage) {
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `a ${flat.constructor.name} can't hold ${show(dtype)}; use a ${Storage.name}`,
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
  const flat = flattenNested(source as Nested, options.dtype as DType | undefined, options.order ?? 'C')
  const shape = options.shape === undefined ? flat.shape : checkShape(options.shape)
  if (sizeOf(shape) !== sizeOf(flat.shape)) {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `shape [${shape}] has another number of elements than the source's [${flat.shape}]`,
    )
  }
  return { ...flat, shape, order: options.order }
}

/** Refuses options that the source decides. */
function refuse(options: object, keys: string[], source: string): void {
  for (const key of keys) {
    if (key in options && (options as Record<string, unknown>)[key] !== undefined) {
      throw new CrossmemError('ERR_INVALID_ARG', `the ${key} comes from ${source}; leave it out`)
    }
  }
}
