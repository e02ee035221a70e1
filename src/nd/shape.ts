import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'

/**
 * The axis along which elements are contiguous: the last one ('C', row-major) or the first one
 * ('F', column-major).
 */
export type Order = 'C' | 'F'

/** The most dimensions of an array: NumPy's NPY_MAXDIMS; 32 before NumPy 2. */
export const MAX_DIMS = 64

/** The number of elements of an array: 1 for a scalar, whose shape is []. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (const dim of shape) size *= dim
  return size
}

/**
 * Checks a shape, and returns a copy of it. A number `n` means `[n]`.
 *
 * @param itemBytes bytes per element, to refuse arrays whose bytes couldn't be counted exactly;
 *   default: 1
 * @throws {CrossmemError} ERR_INVALID_ARG: it isn't an array of at most 64 integers from 0 up, or
 *   it is too large
 */
export function checkShape(shape: unknown, itemBytes = 1): number[] {
  const dims: unknown = typeof shape === 'number' ? [shape] : shape
  const problem = Array.isArray(dims)
    ? shapeProblem(dims, itemBytes)
    : 'a number or an array of numbers is needed'
  if (problem) throw new CrossmemError('ERR_INVALID_ARG', `${show(shape)} is no shape: ${problem}`)
  return (dims as number[]).map(dim => dim + 0) // -0 becomes 0
}

/** Why no array can have these dimensions; `undefined` if one can. */
export function shapeProblem(dims: readonly unknown[], itemBytes: number): string | undefined {
  if (dims.length > MAX_DIMS) return `it has ${dims.length} dimensions, and ${MAX_DIMS} are supported`
  // A zero counts as one here, so that it doesn't hide strides that can't be computed.
  let bytes = itemBytes
  for (const dim of dims) {
    if (!Number.isInteger(dim) || (dim as number) < 0) return `${show(dim)} is no integer from 0 up`
    bytes *= Math.max(dim as number, 1)
    if (bytes > Number.MAX_SAFE_INTEGER) return 'its bytes are more than 2^53 - 1'
  }
  return undefined
}

/** The strides, in elements, of an array without gaps. */
export function contiguousStrides(shape: readonly number[], order: Order): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = 0; i < shape.length; i++) {
    const axis = order === 'F' ? i : shape.length - 1 - i
    strides[axis] = stride
    stride *= Math.max(shape[axis] as number, 1)
  }
  return strides
}
