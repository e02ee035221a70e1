import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import { type DType, type DTypeInfo, dtypes, type ScalarInput, type StorageOf } from './dtype.js'
import { checkShape, contiguousStrides, type Order, sizeOf } from './shape.js'

/** Nested arrays of scalars of one kind. All arrays of one level have the same length. */
export type Nested = number | bigint | boolean | readonly Nested[]

const MAX_DEPTH = 64

/**
 * Copies nested arrays into one typed array.
 *
 * @param nested a scalar (shape []) or nested arrays; `[]` has the shape [0], `[[], []]` the shape
 *   [2, 0]
 * @param dtype default: bool, int64 or float64 for booleans, bigints or numbers; float64 if there
 *   are none. With a complex dtype the innermost `[re, im]` pairs are the scalars
 * @param order default: 'C'
 * @throws {CrossmemError} ERR_INVALID_ARG, with the path: the arrays are ragged, nested deeper than
 *   64, or hold a value that is no scalar of the dtype; without `dtype`, also scalars of two kinds.
 *   ERR_TOO_LARGE: there is no memory
 */
export function flattenNested<D extends DType = DType>(
  nested: Nested,
  dtype?: D,
  order: Order = 'C',
): { data: StorageOf<D>; shape: number[]; dtype: D } {
  const { shape, first } = measure(nested, dtype !== undefined && dtypes[dtype].lanes === 2)
  const info: DTypeInfo<D> = dtypes[dtype ?? (defaultDType(first) as D)]
  checkShape(shape, info.itemBytes)
  const strides = contiguousStrides(shape, order)
  const data = allocate(info, sizeOf(shape))
  const path: number[] = []

  const walk = (value: unknown, offset: number): void => {
    const axis = path.length
    if (axis === shape.length) {
      if (dtype === undefined && typeof value !== typeof first)
        throw invalid(`${show(value)} is a ${typeof value} among values of type ${typeof first}`)
      info.write(data, offset, value as ScalarInput<D>)
      return
    }
    const length = shape[axis] as number
    if (!Array.isArray(value) || value.length !== length)
      throw invalid(
        `ragged: an array of length ${length} expected, as its first sibling is, got ${show(value)}`,
      )
    for (let i = 0; i < length; i++) {
      path.push(i)
      walk(value[i], offset + i * (strides[axis] as number))
      path.pop()
    }
  }

  try {
    walk(nested, 0)
  } catch (cause) {
    // `path` still leads to the element at which the walk stopped.
    if (cause instanceof CrossmemError && path.length > 0)
      throw invalid(`at [${path.join('][')}]: ${cause.message}`, cause)
    throw cause
  }
  return { data, shape, dtype: info.name }
}

/** The shape by the first element of every level, and the first scalar, if there is one. */
function measure(nested: unknown, complex: boolean): { shape: number[]; first: unknown } {
  const shape: number[] = []
  let value = nested
  while (Array.isArray(value) && !(complex && typeof value[0] === 'number')) {
    if (shape.length === MAX_DEPTH)
      throw invalid(`more than ${MAX_DEPTH} arrays inside each other, or one that holds itself`)
    shape.push(value.length)
    if (value.length === 0) return { shape, first: undefined }
    value = value[0]
  }
  return { shape, first: value }
}

function defaultDType(first: unknown): DType {
  switch (typeof first) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int64'
    case 'number':
    case 'undefined':
      return 'float64'
    default:
      throw invalid(`expected numbers, bigints or booleans in nested arrays, got ${show(first)}`)
  }
}

function allocate<D extends DType>({ Storage, lanes, itemBytes }: DTypeInfo<D>, size: number): StorageOf<D> {
  try {
    return new Storage(size * lanes)
  } catch (cause) {
    throw new CrossmemError('ERR_TOO_LARGE', `no memory for ${size * itemBytes} bytes`, { cause })
  }
}

const invalid = (message: string, cause?: unknown) =>
  new CrossmemError('ERR_INVALID_ARG', message, cause ? { cause } : undefined)
