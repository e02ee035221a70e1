import { CrossmemError, type CrossmemErrorCode } from '../errors.js'
import { type InspectionArguments, inspection, show, stays } from '../util/index.js'
import { asStorage, dtypeInfo, dtypeText } from './dtype.js'
import { type DTypeInfo, type FieldInfo, inBytes } from './dtype-info.js'
import { type NestedLike, printNested } from './print.js'
import { checkShape, contiguousStrides, type Order, sizeOf } from './shape.js'
import type { DType, FieldDTypeOf, FieldNameOf, ScalarInput, ScalarOf, StorageOf } from './types.js'

/**
 * The result of {@link NDView.toNested}: the scalar of a 0-dimensional view, else nested arrays.
 */
export type NestedOf<D extends DType = DType> = ScalarOf<D> | NestedOf<D>[]

/**
 * A part of one axis, for {@link NDView.subarray}. A number picks that index and drops the axis; a
 * negative number counts from the end. `[start, end]` keeps the indices from `start` up to `end`,
 * clamped as in `TypedArray.subarray`; `end` itself is left out. `null` keeps the whole axis.
 */
export type Range = number | readonly [start?: number, end?: number] | null | undefined

/** Why `console.log` shows no elements. */
const reasons: Partial<Record<CrossmemErrorCode, string>> = {
  ERR_DETACHED: 'transferred',
  ERR_NO_EXTERNAL_BUFFERS: 'hidden by the runtime',
}

/** A structured clone refuses symbols, and its error quotes them. */
const NOT_SENT = Symbol('a view is not sent to other threads or processes; send the array, or a copy')

/** What {@link NDView} is made of. */
interface Parts<D extends DType> {
  data: StorageOf<D> | (D extends 'float16' ? Uint16Array : never)
  dtype: D
  shape: readonly number[]
  strides?: readonly number[]
  order?: Order
  /** Whether the view is a handle, which is sent and compared as a reference. @internal */
  isHandle?: boolean
}

/** Parts that were checked. */
class Sound<D extends DType> {
  constructor(
    readonly info: DTypeInfo<D>,
    readonly data: StorageOf<D>,
    readonly shape: number[],
    /** As strides, in slots of the data. */
    readonly steps: number[],
    readonly order: Order,
    readonly isHandle = false,
    readonly whole?: NDView,
  ) {}
}

function check<D extends DType>(parts: Parts<D>): Sound<D> {
  const { dtype, order = 'C' } = parts
  const info = dtypeInfo(dtype)
  const shape = checkShape(parts.shape, info.itemBytes)
  const strides = [...(parts.strides ?? contiguousStrides(shape, order))]
  if (
    strides.length !== shape.length ||
    !strides.every(stride => Number.isSafeInteger(stride) && stride >= 0)
  )
    throw invalid(
      `strides must be one integer from 0 up for each of ${shape.length} axes, not ${show(strides)}`,
    )
  const data = asStorage(info, parts.data)
  if (data === undefined) throw invalid(`the data of ${show(dtype)} must be a plain ${info.Storage.name}`)
  const steps = strides.map(stride => stride * info.lanes)
  // The memory of an array may be hidden by the runtime: then `data` is empty.
  const isHidden = parts.isHandle && data.length === 0
  if (extentOf(shape, steps, info.lanes) > data.length && !isHidden)
    throw invalid(
      `the data has ${data.length} slots, too few for shape ${show(shape)}, strides ${show(strides)}`,
    )
  return new Sound(info, data, shape, steps, order, parts.isHandle)
}

/**
 * An n-dimensional view of a typed array. It never copies: a view of a view shows the same memory.
 *
 * @example
 * ```js
 * import { NDView } from 'crossmem'
 *
 * const data = Float64Array.of(1, 2, 3, 4, 5, 6)
 * const table = new NDView({ data, dtype: 'float64', shape: [2, 3] })
 * const row = table.subarray(1)
 * row.set(0, 40)
 * console.log(table.get(1, 0), row.shape, table.strides) // 40 [ 3 ] [ 3, 1 ]
 * ```
 */
export class NDView<D extends DType = DType> {
  // All state is private, so that a subclass that travels between processes sends only what it
  // chooses to.
  readonly #info: DTypeInfo<D>
  readonly #data: StorageOf<D>
  readonly #shape: readonly number[]
  /** As `strides`, in slots of `#data`. */
  readonly #steps: readonly number[]
  readonly #order: Order
  readonly #size: number
  /** What this is a part of. */
  readonly #whole: NDView | undefined

  /**
   * What `assert.deepStrictEqual`, `expect().toEqual` and the like compare: own enumerable state.
   * A structured clone reads it, too, and is refused.
   */
  static readonly #contents = {
    enumerable: true,
    get(this: NDView): object {
      const { dtype, shape } = this
      return { sending: NOT_SENT, dtype, shape, elements: this.#isGone() ? 'gone' : this.#elements() }
    },
  }

  /**
   * Makes a view over memory that exists.
   *
   * @param parts.data a built-in typed array of the dtype's storage; its element 0 is the view's
   *   first element. For float16 also the raw bits in a Uint16Array, in every runtime
   * @param parts.strides in elements; by default those of an array without gaps in `order`
   * @param parts.order 'C' by default
   * @throws {CrossmemError} ERR_INVALID_ARG if `data` is of another type, or too short for shape
   *   and strides
   */
  constructor(parts: Parts<D>) {
    const { info, data, shape, steps, order, isHandle, whole } = parts instanceof Sound ? parts : check(parts)
    if (!isHandle) Object.defineProperty(this, 'contents', NDView.#contents)
    this.#info = info
    this.#data = data
    this.#shape = Object.freeze(shape)
    this.#steps = Object.freeze(steps)
    this.#order = order
    this.#size = sizeOf(shape)
    this.#whole = whole
  }

  /**
   * The memory itself, from the view's first element to its last. If the view has gaps, their
   * elements are in it, too.
   *
   * @throws {CrossmemError} ERR_UNSUPPORTED: the view shows a field that isn't aligned, see
   *   {@link isAligned}
   */
  get data(): StorageOf<D> {
    if (this.#info.whole === undefined) return this.#data
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `no ${this.#info.whole.Storage.name} can show this field, whose elements are not at multiples of ${this.#info.whole.Storage.BYTES_PER_ELEMENT} bytes; use get(), set() and toNested(), or make the dtype with aligned: true`,
    )
  }
  /**
   * Whether `data` can be had. A typed array needs elements at multiples of its slots' length; the
   * fields of records may lie anywhere.
   */
  get isAligned(): boolean {
    return this.#info.whole === undefined
  }
  /** The type of the elements. */
  get dtype(): D {
    return this.#info.name
  }
  /** The number of elements on each axis. */
  get shape(): readonly number[] {
    return this.#shape
  }
  /**
   * The distance between neighbours on each axis, in elements. A complex number, a string and a
   * record are one element. The elements of a field of records may be at fractions of their length.
   */
  get strides(): readonly number[] {
    const { lanes } = this.#info
    return lanes === 1 ? this.#steps : Object.freeze(this.#steps.map(step => step / lanes))
  }
  /**
   * The order of the array that owns the memory. A view of a part of it may have gaps all the same.
   */
  get order(): Order {
    return this.#order
  }
  /** The number of elements: the product of the shape, 1 if there is no axis. */
  get size(): number {
    return this.#size
  }
  /** The length of all elements in bytes, without gaps. */
  get byteLength(): number {
    return this.#size * this.#info.itemBytes
  }
  /** The number of axes. */
  get ndim(): number {
    return this.#shape.length
  }

  /**
   * Reads one element, by one index per axis. Negative indices are out of range.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: there are too few or too many indices.
   *   ERR_OUT_OF_RANGE, ERR_CLOSED, ERR_DETACHED
   */
  get(...index: number[]): ScalarOf<D> {
    return this.#info.read(this.#open(), this.#offset(index, index.length))
  }

  /**
   * Stores one element: the indices as in {@link get}, then the value. An integer that is too large
   * wraps around; a string that is too long is refused. A record is stored field by field, so other
   * processes may see some fields old and some new.
   *
   * @throws {CrossmemError} as `get`, and ERR_INVALID_ARG: the value is no scalar of the dtype
   */
  set(...indexAndValue: [...index: number[], value: ScalarInput<D>]): this {
    const last = indexAndValue.length - 1
    this.#info.write(this.#open(), this.#offset(indexAndValue, last), indexAndValue[last] as ScalarInput<D>)
    return this
  }

  /**
   * Stores `value` in every element.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: the value is no scalar of the dtype. ERR_CLOSED,
   *   ERR_DETACHED
   */
  fill(value: ScalarInput<D>): this {
    const { Storage, lanes, write } = this.#info
    const data = this.#open()
    const one = new Storage(lanes)
    write(one, 0, value)
    if (lanes === 1 && (this.#isContiguous('C') || this.#isContiguous('F')))
      (data as Uint8Array).fill(one[0] as number, 0, this.#size)
    else if (this.#size > 0) this.#eachOffset(offset => (data as Uint8Array).set(one as Uint8Array, offset))
    return this
  }

  /**
   * Returns a view of a part of this one, over the same memory. An axis without a {@link Range} is
   * kept whole.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: a range is malformed, or there are too many.
   *   ERR_OUT_OF_RANGE: a picked index doesn't exist. ERR_CLOSED, ERR_DETACHED
   */
  subarray(...ranges: Range[]): NDView<D> {
    const data = this.#open()
    if (ranges.length > this.ndim) throw invalid(`${ranges.length} ranges given for ${this.ndim} axes`)
    const shape: number[] = []
    const steps: number[] = []
    let first = 0
    for (let axis = 0; axis < this.#shape.length; axis++) {
      const range = ranges[axis]
      const dim = this.#shape[axis] as number
      const step = this.#steps[axis] as number
      if (typeof range === 'number') {
        const index = range < 0 ? range + dim : range
        if (!isIndex(index, dim)) throw outOfRange(range, axis, dim)
        first += index * step
        continue
      }
      const [start, end] = bounds(range, axis, dim)
      first += start * step
      shape.push(Math.max(end - start, 0))
      steps.push(step)
    }
    const last = first + extentOf(shape, steps, this.#info.lanes)
    return this.#part(this.#info, data.subarray(first, last) as StorageOf<D>, shape, steps)
  }

  /**
   * Returns a view of one field of all records, over the same memory. The axes of a field that is
   * an array come last. If the field isn't aligned, the view has no `data`: {@link isAligned}.
   *
   * @param name the name or the title of a field
   * @throws {CrossmemError} ERR_INVALID_ARG: the elements have no such field. ERR_CLOSED,
   *   ERR_DETACHED
   *
   * @example
   * ```js
   * import { NDArray } from 'crossmem'
   *
   * const dtype = [['id', 'int64'], ['price', 'float64', [2]]]
   * const trades = NDArray.create(null, { shape: 2, dtype })
   * trades.set(1, { id: 7n, price: [1.5, 2.5] })
   * console.log(trades.field('price').toNested()) // [ [ 0, 0 ], [ 1.5, 2.5 ] ]
   * console.log(trades.get(1).id) // 7n
   * trades.close()
   * ```
   */
  field<Name extends FieldNameOf<D>>(name: Name): NDView<FieldDTypeOf<D, Name>> {
    const data = this.#open() as Uint8Array
    const found = this.#info.fields?.get(name)
    if (found) return this.#fieldIn(data, found) as unknown as NDView<FieldDTypeOf<D, Name>>
    const names = [...(this.#info.fields?.keys() ?? [])]
    throw invalid(
      names.length > 0
        ? `the elements have no field ${show(name)}; their fields are ${names.join(', ')}`
        : `the elements are ${dtypeText(this.dtype)}, which has no fields`,
    )
  }

  #fieldIn(data: Uint8Array, { offset, shape: inner, info }: FieldInfo): NDView {
    const shape = [...this.#shape, ...inner]
    const steps = [...this.#steps, ...contiguousStrides(inner, 'C').map(stride => stride * info.itemBytes)]
    // An empty array shows no memory, and its own may be gone.
    if (this.#size === 0) return this.#part(info, new info.Storage(0), shape, contiguousStrides(shape, 'C'))
    const end = offset + extentOf(shape, steps, info.itemBytes)
    const { Storage } = info
    const width = Storage.BYTES_PER_ELEMENT
    const byteOffset = data.byteOffset + offset
    const isAligned =
      byteOffset % width === 0 && steps.every((step, i) => step % width === 0 || shape[i] === 1)
    if (!isAligned) return this.#part(inBytes(info), data.subarray(offset, end), shape, steps)
    return this.#part(
      info,
      new Storage(data.buffer, byteOffset, (end - offset) / width),
      shape,
      steps.map(step => step / width),
    )
  }

  #part<E extends DType>(
    info: DTypeInfo<E>,
    data: StorageOf<E> | Uint8Array,
    shape: number[],
    steps: number[],
  ): NDView<E> {
    const whole = this.#whole ?? this
    return new NDView(
      new Sound(
        info,
        data as StorageOf<E>,
        shape,
        steps,
        this.#order,
        false,
        whole as unknown as NDView,
      ) as unknown as Parts<E>,
    )
  }

  /**
   * Returns a copy of the elements as nested arrays.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_DETACHED
   */
  toNested(): NestedOf<D> {
    const data = this.#open()
    return this.#nest(offset => this.#info.read(data, offset)) as NestedOf<D>
  }

  /**
   * Returns the elements as NumPy prints them. Of more than 1000 elements it shows only the edges.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_DETACHED
   */
  toString(): string {
    const data = this.#open()
    if (this.#size === 0) return '[]'
    const { read, print, isPadded } = this.#info
    const printed = this.#nest(offset => print(read(data, offset)), this.#size > 1000)
    return printNested(printed, isPadded)
  }

  /**
   * Shows class, dtype, shape and elements in `console.log`, or why there are none to show.
   */
  [inspection](..._how: InspectionArguments): string {
    const title = `${this.constructor.name} ${dtypeText(this.dtype)} [${this.#shape.join(', ')}]`
    if (!this.#isGone()) return `${title}\n${this.toString()}`
    const { code } = (this.#whole ?? this).whyGone()
    return `${title} (${reasons[code] ?? 'closed'})`
  }

  /**
   * The elements in C order, as assertions compare them: the memory itself where it is so, else a
   * copy. Of records the values, since what lies in their gaps is no part of them.
   */
  #elements(): unknown {
    const { lanes, Storage, fields, whole, read } = this.#info
    if (fields) return this.#nest(offset => read(this.#data, offset))
    if (this.#isContiguous('C') && !whole) return this.#data.subarray(0, this.#size * lanes)
    const copy = new Storage(this.#size * lanes)
    let next = 0
    this.#eachOffset(offset => {
      for (let lane = 0; lane < lanes; lane++)
        (copy as Uint8Array)[next++] = (this.#data as Uint8Array)[offset + lane] as number
    })
    return whole ? new whole.Storage(copy.buffer) : copy
  }

  /** Whether the memory isn't shown: closed, transferred, or hidden by the runtime. */
  #isGone(): boolean {
    return this.#data.length === 0 && this.#size > 0
  }

  /** Returns the data, unless it is gone. */
  #open(): StorageOf<D> {
    if (this.#isGone()) throw (this.#whole ?? this).whyGone()
    return this.#data
  }

  /** The error to throw when the memory is gone. @internal */
  whyGone(): CrossmemError {
    return new CrossmemError(
      'ERR_CLOSED',
      `the memory of this ${dtypeText(this.dtype)} view is gone: its array was closed, or its ArrayBuffer transferred`,
    )
  }

  #offset(index: readonly unknown[], count: number): number {
    const shape = this.#shape
    if (count !== shape.length) throw invalid(`${Math.max(count, 0)} indices given for ${shape.length} axes`)
    let offset = 0
    for (let axis = 0; axis < count; axis++) {
      const i = index[axis] as number
      const dim = shape[axis] as number
      if (!isIndex(i, dim)) throw outOfRange(i, axis, dim)
      offset += i * (this.#steps[axis] as number)
    }
    return offset
  }

  /**
   * Whether the elements lie side by side. The stride of an axis with one element doesn't matter.
   */
  #isContiguous(order: Order): boolean {
    const { lanes } = this.#info
    const strides = contiguousStrides(this.#shape, order)
    return (
      this.#size === 0 ||
      strides.every((stride, axis) => stride * lanes === this.#steps[axis] || this.#shape[axis] === 1)
    )
  }

  /**
   * Nested arrays with `leaf(offset)` at every element; a summary has '…' for all but the edges of
   * long axes.
   */
  #nest<T>(leaf: (offset: number) => T, summary = false, axis = 0, offset = 0): NestedLike<T> {
    if (axis === this.ndim) return leaf(offset)
    const dim = this.#shape[axis] as number
    const at = (i: number) => this.#nest(leaf, summary, axis + 1, offset + i * (this.#steps[axis] as number))
    if (!summary || dim <= 6) return Array.from({ length: dim }, (_, i) => at(i))
    return [at(0), at(1), at(2), '…', at(dim - 3), at(dim - 2), at(dim - 1)]
  }

  #eachOffset(visit: (offset: number) => void, axis = 0, offset = 0): void {
    if (axis === this.ndim) visit(offset)
    else
      for (let i = 0; i < (this.#shape[axis] as number); i++)
        this.#eachOffset(visit, axis + 1, offset + i * (this.#steps[axis] as number))
  }
}

stays(
  NDView,
  'a view has no name of its own; send the array and make the view there, or send the elements: toNested()',
)

/**
 * Whether it is a view; it may be one of another copy of this package, so its class doesn't count.
 */
export const isNDView = (value: unknown): value is NDView =>
  typeof value === 'object' && value !== null && 'toNested' in value && typeof value.toNested === 'function'

const invalid = (message: string) => new CrossmemError('ERR_INVALID_ARG', message)

const outOfRange = (index: unknown, axis: number, dim: number) =>
  new CrossmemError(
    'ERR_OUT_OF_RANGE',
    `index ${show(index)} is out of range: axis ${axis} has ${dim} elements`,
  )

const isIndex = (i: unknown, dim: number) => Number.isInteger(i) && (i as number) >= 0 && (i as number) < dim

/** The number of slots from the first element to the last one, gaps included. */
function extentOf(shape: readonly number[], steps: readonly number[], lanes: number): number {
  let extent = lanes
  for (let axis = 0; axis < shape.length; axis++) {
    const dim = shape[axis] as number
    if (dim === 0) return 0
    extent += (dim - 1) * (steps[axis] as number)
  }
  return extent
}

/** A range as [start, end), both within 0..dim. */
function bounds(range: unknown, axis: number, dim: number): [start: number, end: number] {
  if (range === null || range === undefined) return [0, dim]
  const isBound = (bound: unknown) => bound === undefined || typeof bound === 'number'
  if (!Array.isArray(range) || range.length > 2 || !range.every(isBound))
    throw invalid(`the range of axis ${axis} must be an index, [start, end] or null, not ${show(range)}`)
  const clamp = (bound: number) => {
    const i = Math.trunc(bound) || 0 // NaN counts as 0, as in TypedArray.subarray
    return Math.min(Math.max(i < 0 ? i + dim : i, 0), dim)
  }
  return [clamp(range[0] ?? 0), clamp(range[1] ?? dim)]
}
