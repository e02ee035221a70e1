import { CrossmemError } from '../errors.js'
import {
  checkDType,
  checkShape,
  type DType,
  dtypeOfTypedArray,
  dtypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'
import { checkMaker, openOrCreate, Segment } from '../objects/index.js'
import { bytesOf, show } from '../util/index.js'
import type { SyncWaitOptions } from '../wait/index.js'
import {
  createData,
  DATA_OFFSET,
  DataHandle,
  type DataLayout,
  type DataOptions,
  layoutOf,
  readLayout,
} from './data-handle.js'
import type { UpdateContext } from './update.js'

/** What a new {@link SharedArray} holds: so many zeros, or these elements. */
export type ArraySource<D extends DType = DType> =
  | number
  | Iterable<ScalarInput<D>>
  | ArrayLike<ScalarInput<D>>

/**
 * A row of numbers that processes share, with a lock: Python's `multiprocessing.Array`. Its length is fixed, and may be 0.
 *
 * An element of up to 8 bytes is never seen half-written. What takes more than one step takes the lock: `update`,
 * `withLock`. The lock keeps away only those who take it, too, and survives its holder, as a {@link Mutex} does. For more
 * axes, .npy files or consistent copies, there is {@link NDArray}.
 */
export class SharedArray<D extends DType = DType> extends DataHandle<'SharedArray', D> {
  /** Number of elements; a complex one counts once. */
  readonly length: number
  readonly #data: StorageOf<D>

  private constructor(segment: Segment, layout: DataLayout<D>) {
    super(segment, 'SharedArray', layout)
    const { Storage, lanes } = dtypes[layout.dtype]
    this.length = layout.length
    this.#data = new Storage(this.object.segment.buffer, DATA_OFFSET, layout.length * lanes) as StorageOf<D>
  }

  /** @internal */
  static attach<D extends DType = DType>(segment: Segment): SharedArray<D> {
    checkMaker(segment, 'SharedArray')
    return new SharedArray(segment, readLayout(segment) as DataLayout<D>)
  }

  /**
   * @param name `null` makes a random one
   * @param source number of elements, which are 0 then; or the elements, as `set` takes them
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_TOO_LARGE, ERR_LIMIT
   */
  static create<D extends DType>(
    name: string | null,
    dtype: D,
    source: ArraySource<D>,
    options?: DataOptions,
  ): SharedArray<D> {
    return make(name, plan(dtype, source, options), options)
  }

  /**
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_CORRUPT, ERR_TOO_LARGE, ERR_INVALID_NAME,
   *   ERR_PERMISSION, ERR_LIMIT
   */
  static open<D extends DType = DType>(name: string): SharedArray<D> {
    return SharedArray.attach(Segment.open(name, 'SharedArray'))
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another dtype, length or `lock`
   */
  static openOrCreate<D extends DType>(
    name: string,
    dtype: D,
    source: ArraySource<D>,
    options?: DataOptions,
  ): SharedArray<D> {
    const wanted = plan(dtype, source, options)
    const array = openOrCreate(
      () => SharedArray.open<D>(name),
      () => make(name, wanted, options),
    )
    return array.expect(wanted, array.length)
  }

  /**
   * The memory itself, as a plain built-in typed array; see {@link StorageOf} for bool, float16 and complex. It becomes empty
   * when the last handle of this thread is closed.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get data(): StorageOf<D> {
    void this.object
    return this.#data
  }

  /**
   * One element, as `Array.prototype.at`: negative indices count from the end, and where there is none it is `undefined`.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  at(index: number): ScalarOf<D> | undefined {
    const { data } = this
    const i = Math.trunc(index) || 0
    const at = i < 0 ? i + this.length : i
    return at >= 0 && at < this.length ? dtypes[this.dtype].read(data, at) : undefined
  }

  /**
   * Stores one element; negative indices count from the end. Integers that don't fit wrap around.
   *
   * @throws {CrossmemError} ERR_OUT_OF_RANGE, ERR_INVALID_ARG (`value` is no scalar of the dtype), ERR_CLOSED
   */
  set(index: number, value: ScalarInput<D>): this {
    const { data, length } = this
    const at = index < 0 ? index + length : index
    if (!Number.isInteger(index) || at < 0 || at >= length) {
      throw new CrossmemError(
        'ERR_OUT_OF_RANGE',
        `index ${show(index)} is out of range: "${this.name}" has ${length} elements`,
      )
    }
    dtypes[this.dtype].write(data, at, value)
    return this
  }

  /** The elements, each as it is when its turn comes. @throws {CrossmemError} ERR_CLOSED */
  *[Symbol.iterator](): IterableIterator<ScalarOf<D>> {
    const { read } = dtypes[this.dtype]
    for (let i = 0; i < this.length; i++) yield read(this.data, i)
  }

  /** A copy of the elements. @throws {CrossmemError} ERR_CLOSED */
  toArray(): ScalarOf<D>[] {
    void this.object
    return [...this]
  }

  /**
   * Changes the data while holding the lock: other updates and holders wait, in all processes. Blocks this thread while
   * another one holds the lock. An exception passes through; what `change` did until then stays. If it was to repair what a
   * dead holder left (`ownerDied`), the next one is then told again.
   *
   * @returns what `change` returns
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_DEADLOCK (this thread holds the lock), ERR_INVALID_ARG (`change` is
   *   asynchronous), ERR_UNSUPPORTED (made with `lock: false`), ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile)
   */
  update<Result>(
    change: (data: StorageOf<D>, context: UpdateContext) => Result,
    options?: SyncWaitOptions,
  ): Result {
    return this.changeLocked(context => change(this.data, context), options)
  }
}

interface Plan<D extends DType> extends DataLayout<D> {
  contents?: Uint8Array
}

function plan<D extends DType>(dtype: D, source: ArraySource<D>, options: DataOptions | undefined): Plan<D> {
  const { itemBytes, lanes, Storage, write } = dtypes[checkDType(dtype) as D]
  if (typeof source === 'number') {
    const [length = 0] = checkShape(source, itemBytes)
    return layoutOf(dtype, length, options)
  }
  if (ArrayBuffer.isView(source) && dtypeOfTypedArray(source) === dtype) {
    return { ...layoutOf(dtype, source.byteLength / itemBytes, options), contents: bytesOf(source) }
  }
  if (!isSource(source)) {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `the source is a number of elements, or the elements as an array or iterable, not ${show(source)}`,
    )
  }
  const elements = Array.from(source)
  const data = new Storage(elements.length * lanes) as StorageOf<D>
  for (const [i, element] of elements.entries()) write(data, i, element)
  return { ...layoutOf(dtype, elements.length, options), contents: bytesOf(data) }
}

const isSource = (source: unknown): boolean =>
  typeof source === 'object' && source !== null && (Symbol.iterator in source || 'length' in source)

function make<D extends DType>(
  name: string | null,
  { contents, ...layout }: Plan<D>,
  options: DataOptions | undefined,
): SharedArray<D> {
  return SharedArray.attach(createData('SharedArray', name, layout, options, contents))
}
