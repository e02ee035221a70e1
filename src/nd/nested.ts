import { types } from 'node:util'
import { CrossmemError } from '../errors.js'
import { show } from '../util/index.js'
import { dtypeInfo } from './dtype.js'
import type { DTypeInfo } from './dtype-info.js'
import { checkShape, contiguousStrides, type Order, sizeOf } from './shape.js'
import { codePointsIn } from './strings.js'
import type { DType, ScalarInput, StorageOf } from './types.js'

/** Nested arrays of scalars of one kind. All arrays of one level have the same length. */
export type Nested =
  | number
  | bigint
  | boolean
  | string
  | Date
  | Uint8Array
  | { readonly [field: string]: unknown }
  | readonly Nested[]

const MAX_DEPTH = 64

/**
 * Copies nested arrays into one typed array.
 *
 * @param nested a scalar (shape []) or nested arrays; `[]` has the shape [0], `[[], []]` the shape
 *   [2, 0]
 * @param dtype default: bool, int64 or float64 for booleans, bigints or numbers; float64 if there
 *   are none; `Un` for strings, of which the longest has n code points; `datetime64[ms]` for Dates.
 *   With a complex dtype the innermost `[re, im]` pairs are the scalars
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
  const given = dtype === undefined ? undefined : dtypeInfo(dtype)
  const isComplex = given?.name === 'complex64' || given?.name === 'complex128'
  const { shape, first } = measure(nested, isComplex)
  const info = given ?? dtypeInfo(defaultDType(nested, shape, first) as D)
  checkShape(shape, info.itemBytes)
  const data = allocate(info, sizeOf(shape))
  const steps = contiguousStrides(shape, order).map(stride => stride * info.lanes)
  walk(nested, shape, steps, (value, at) => {
    if (dtype === undefined && kindOf(value) !== kindOf(first))
      throw invalid(`${show(value)} is a ${kindOf(value)} among values of type ${kindOf(first)}`)
    info.write(data, at, value as ScalarInput<D>)
  })
  return { data, shape, dtype: info.name }
}

/** Visits every scalar, the last axis fastest, and adds the path to what goes wrong there. */
function walk(
  nested: unknown,
  shape: readonly number[],
  steps: readonly number[],
  visit: (value: unknown, at: number) => void,
): void {
  const path: number[] = []

  const enter = (value: unknown, at: number): void => {
    const axis = path.length
    if (axis === shape.length) {
      visit(value, at)
      return
    }
    const length = shape[axis] as number
    if (!Array.isArray(value) || value.length !== length)
      throw invalid(
        `ragged: an array of length ${length} expected, as its first sibling is, got ${show(value)}`,
      )
    for (let i = 0; i < length; i++) {
      path.push(i)
      enter(value[i], at + i * (steps[axis] as number))
      path.pop()
    }
  }

  try {
    enter(nested, 0)
  } catch (cause) {
    // `path` still leads to the element at which the walk stopped.
    if (cause instanceof CrossmemError && path.length > 0)
      throw invalid(`at [${path.join('][')}]: ${cause.message}`, cause)
    throw cause
  }
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

/** What kind of scalar it is, of which nested arrays hold one. */
const kindOf = (value: unknown): string => (types.isDate(value) ? 'Date' : typeof value)

function defaultDType(nested: unknown, shape: readonly number[], first: unknown): DType {
  switch (kindOf(first)) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int64'
    case 'number':
    case 'undefined':
      return 'float64'
    case 'string':
      return `U${longest(nested, shape)}`
    case 'Date':
      return 'datetime64[ms]'
    default:
      throw invalid(
        `expected numbers, bigints, booleans, strings or Dates in nested arrays, got ${show(first)}; other elements need a dtype`,
      )
  }
}

/** How many code points the longest string has, but at least one. */
function longest(nested: unknown, shape: readonly number[]): number {
  // Nested arrays may share their parts: a walk may take for ever where memory ends at once.
  checkShape(shape, 4)
  allocate(dtypeInfo('U1'), sizeOf(shape))
  let most = 1
  walk(nested, shape, shape, value => {
    if (typeof value === 'string') most = Math.max(most, codePointsIn(value))
  })
  return most
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
