import { CrossmemError } from '../errors.js'
import {
  checkNumericDType,
  checkShape,
  type DTypeInfo,
  dtypeOfTypedArray,
  type NumericCode,
  type NumericDType,
  type NumericDTypeOf,
  numericDTypes,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
} from '../nd/index.js'
import { checkMaker, openOrCreate, Segment, whenCreated } from '../objects/index.js'
import { bytesOf, checkFunction, readable, show } from '../util/index.js'
import type { SyncWaitOptions, WaitOptions } from '../wait/index.js'
import { AtomicCells } from './atomic-cells.js'
import {
  createData,
  DATA_OFFSET,
  DataHandle,
  type DataLayout,
  type DataOptions,
  layoutOf,
  readLayout,
} from './data-handle.js'
import { ElementCopies } from './element-copies.js'
import type { UpdateContext } from './update.js'

/** The elements of a new {@link SharedArray}: a number of zeros, or the elements themselves. */
export type ArraySource<D extends NumericDType = NumericDType> =
  | number
  | Iterable<ScalarInput<D>>
  | ArrayLike<ScalarInput<D>>

/**
 * A fixed number of elements that processes share, with a lock: Python's `multiprocessing.Array`.
 * The length may be 0.
 *
 * No process sees an element of up to 8 bytes half-written. `get`, `add` and the like are atomic,
 * as those of a {@link Value}. A change of more than one step needs the lock: use `update` or
 * `withLock`. The lock stops only callers that take it, too; it survives its holder as a {@link
 * Mutex} does. For more axes, .npy files or consistent copies, use {@link NDArray}.
 *
 * @example
 * ```js
 * import { SharedArray } from 'crossmem'
 *
 * const counts = SharedArray.create(null, 'int32', [1, 2, 3])
 * counts.set(0, 40).set(-1, 5)
 * console.log(counts.toArray()) // [ 40, 2, 5 ]
 * console.log(counts.update(data => (data[0] += data[1]))) // 42
 * console.log(counts.at(0), counts.at(3)) // 42 undefined
 * console.log(counts.add(0, 8), counts.get(0)) // 42 50
 * counts.close()
 * ```
 */
export class SharedArray<D extends NumericDType = NumericDType> extends DataHandle<'SharedArray', D> {
  /** Number of elements. A complex number counts once. */
  readonly length: number
  readonly #info: DTypeInfo<D>
  readonly #copies: ElementCopies<D>
  /** `undefined` where the runtime can't show the memory (Electron). */
  readonly #data: StorageOf<D> | undefined
  #cells: AtomicCells<D> | undefined

  private constructor(segment: Segment, layout: DataLayout<D>) {
    super(segment, 'SharedArray', layout)
    this.#info = numericDTypes[layout.dtype] as unknown as DTypeInfo<D>
    const { Storage, lanes } = this.#info
    this.length = layout.length
    const { segment: ours } = this.object
    this.#copies = new ElementCopies(ours, this.#info, DATA_OFFSET, layout.length)
    const buffer = this.orClose(() => ours.bufferIfAny)
    this.#data = buffer && (new Storage(buffer, DATA_OFFSET, layout.length * lanes) as StorageOf<D>)
  }

  /** @internal */
  static attach<D extends NumericDType = NumericDType>(segment: Segment): SharedArray<D> {
    checkMaker(segment, 'SharedArray')
    return new SharedArray(segment, readLayout(segment) as DataLayout<D>)
  }

  /**
   * Creates an array.
   *
   * @param name `null` picks a random name
   * @param dtype the type of the elements
   * @param source the number of elements, which are then 0; or the elements, as `set` takes them
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_TOO_LARGE: the elements are
   *   more than one ArrayBuffer can show. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static create<D extends NumericDType>(
    name: string | null,
    dtype: D,
    source: ArraySource<D>,
    options?: DataOptions,
  ): SharedArray<D>
  /** As above, with a type code such as Python's `'i'`. */
  static create<C extends NumericCode>(
    name: string | null,
    code: C,
    source: ArraySource<NumericDTypeOf<C>>,
    options?: DataOptions,
  ): SharedArray<NumericDTypeOf<C>>
  static create(
    name: string | null,
    dtype: string,
    source: ArraySource<NumericDType>,
    options?: DataOptions,
  ): SharedArray {
    return make(name, plan(dtype, source, options), options)
  }

  /**
   * Opens an array that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   a SharedArray. ERR_WRONG_DOMAIN: another domain made the object. ERR_CORRUPT: its header was
   *   overwritten. ERR_TOO_LARGE: the elements are more than one ArrayBuffer can show.
   *   ERR_INVALID_NAME: the name is refused. ERR_PERMISSION: the object is another user's.
   *   ERR_LIMIT: a limit of the domain or the system is reached
   */
  static open<D extends NumericDType = NumericDType>(name: string): SharedArray<D> {
    return SharedArray.attach(Segment.open(name, 'SharedArray'))
  }

  /**
   * Opens the array once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated<D extends NumericDType = NumericDType>(
    name: string,
    options?: WaitOptions,
  ): Promise<SharedArray<D>> {
    return whenCreated(name, () => SharedArray.open<D>(name), options)
  }

  /**
   * Opens the array if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another dtype, length or `lock`
   */
  static openOrCreate<D extends NumericDType>(
    name: string,
    dtype: D,
    source: ArraySource<D>,
    options?: DataOptions,
  ): SharedArray<D>
  /** As above, with a type code such as Python's `'i'`. */
  static openOrCreate<C extends NumericCode>(
    name: string,
    code: C,
    source: ArraySource<NumericDTypeOf<C>>,
    options?: DataOptions,
  ): SharedArray<NumericDTypeOf<C>>
  static openOrCreate(
    name: string,
    dtype: string,
    source: ArraySource<NumericDType>,
    options?: DataOptions,
  ): SharedArray {
    const planned = plan(dtype, source, options)
    const array = openOrCreate(
      options,
      () => SharedArray.open(name),
      () => make(name, planned, options),
    )
    return array.expect(planned, array.length)
  }

  /**
   * The memory itself, as a plain built-in typed array; {@link StorageOf} tells which one. It
   * becomes empty when the last handle of this thread is closed.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_DETACHED: the ArrayBuffer was
   *   transferred, and all handles of this thread have to be closed to see the memory again.
   *   ERR_NO_EXTERNAL_BUFFERS: this runtime can't show shared memory (Electron); all other calls
   *   work
   */
  get data(): StorageOf<D> {
    const data = this.#shown
    if (data === undefined) void this.object.segment.buffer
    return data as StorageOf<D>
  }

  /** As `data`, but `undefined` where the runtime can't show the memory. */
  get #shown(): StorageOf<D> | undefined {
    const { object } = this
    if (this.#data?.length === 0) void object.segment.buffer
    return this.#data
  }

  /**
   * The memory itself, as `data`, but over a SharedArrayBuffer: worker threads get it
   * without a copy, by `postMessage` or `workerData`. Each access makes a new typed array over the
   * same SharedArrayBuffer.
   *
   * Nothing detaches a SharedArrayBuffer: `close()` leaves this as it is, and the memory stays in
   * use until all threads have dropped it and their garbage collectors have noticed.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_UNSUPPORTED: the runtime makes no
   *   SharedArrayBuffer of such memory; Node 22.23.3, 24.16, 26.1 and later do, on Linux.
   *   ERR_LIMIT: a limit of the system is reached. ERR_NO_EXTERNAL_BUFFERS: the runtime can't show
   *   shared memory (Electron)
   */
  get shared(): StorageOf<D> {
    const { sharedBuffer } = this.object.segment
    const { Storage, lanes } = this.#info
    return new Storage(sharedBuffer, DATA_OFFSET, this.length * lanes) as StorageOf<D>
  }

  /**
   * Copies elements into `target`, in every runtime. Other processes may be writing to them: then
   * some may be old and some new, but none of up to 8 bytes half-written.
   *
   * @param offset the first element
   * @param target a typed array of the type of `data`; all of it is filled
   * @returns `target`
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there are fewer elements. ERR_INVALID_ARG: an
   *   argument is refused. ERR_CLOSED: the handle is closed
   */
  read<T extends StorageOf<D>>(offset: number, target: T): T {
    void this.object
    return this.#copies.read(offset, target)
  }

  /**
   * Copies elements from `source`, in every runtime. What other processes see meanwhile is as in
   * `read`.
   *
   * @param offset the first element to store to
   * @param source a typed array of the type of `data`
   * @throws {CrossmemError} as `read`
   */
  write(offset: number, source: StorageOf<D>): void {
    void this.object
    this.#copies.write(offset, source)
  }

  /**
   * Returns one element, or `undefined` if there is none at that index, as `Array.prototype.at`
   * does.
   *
   * @param index negative indices count from the end
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_DETACHED: as `data`
   */
  at(index: number): ScalarOf<D> | undefined {
    const data = this.#shown
    const i = Math.trunc(index) || 0
    const at = i < 0 ? i + this.length : i
    return at >= 0 && at < this.length ? this.#read(data, at) : undefined
  }

  /**
   * Stores one element. Integers that don't fit wrap around.
   *
   * @param index negative indices count from the end
   * @returns this array
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there is no element at that index. ERR_INVALID_ARG:
   *   `value` is no scalar of the dtype. ERR_CLOSED: the handle is closed. ERR_DETACHED: as `data`
   */
  set(index: number, value: ScalarInput<D>): this {
    const { Storage, lanes, write } = this.#info
    const data = this.#shown
    const at = this.#indexOf(index)
    if (data) write(data, at * lanes, value)
    else {
      const one = new Storage(lanes) as StorageOf<D>
      write(one, 0, value)
      this.#copies.write(at, one)
    }
    return this
  }

  /**
   * Reads one element. This and the calls below are atomic: each is one step for all processes,
   * without the lock, and all see these steps in the same order. `set` isn't ordered with them;
   * `exchange` is.
   *
   * @param index negative indices count from the end
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there is no element at that index. ERR_UNSUPPORTED:
   *   the dtype is complex. ERR_CLOSED: the handle is closed. ERR_DETACHED: as `data`
   */
  get(index: number): ScalarOf<D> {
    return this.#atomic.get(this.#indexOf(index))
  }

  /**
   * Adds `value` to one element. Integers wrap around; floats are rounded once.
   *
   * @returns the element before
   * @throws {CrossmemError} as `get`. ERR_INVALID_ARG: the dtype doesn't take `value`.
   *   ERR_UNSUPPORTED: the dtype is bool
   */
  add(index: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.add(this.#indexOf(index), value)
  }

  /**
   * Subtracts `value` from one element. Integers wrap around; floats are rounded once.
   *
   * @returns the element before
   * @throws {CrossmemError} as `add`
   */
  sub(index: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.sub(this.#indexOf(index), value)
  }

  /**
   * Clears the bits of one element that `value` doesn't have.
   *
   * @returns the element before
   * @throws {CrossmemError} as `get`. ERR_INVALID_ARG: the dtype doesn't take `value`.
   *   ERR_UNSUPPORTED: the dtype is a float
   */
  and(index: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.and(this.#indexOf(index), value)
  }

  /**
   * Sets the bits of one element that `value` has.
   *
   * @returns the element before
   * @throws {CrossmemError} as `and`
   */
  or(index: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.or(this.#indexOf(index), value)
  }

  /**
   * Inverts the bits of one element that `value` has.
   *
   * @returns the element before
   * @throws {CrossmemError} as `and`
   */
  xor(index: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.xor(this.#indexOf(index), value)
  }

  /**
   * Stores `value` in one element.
   *
   * @returns the element before
   * @throws {CrossmemError} as `get`. ERR_INVALID_ARG: the dtype doesn't take `value`
   */
  exchange(index: number, value: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.exchange(this.#indexOf(index), value)
  }

  /**
   * Stores `replacement` in one element if that equals `expected`, both converted to the dtype.
   * Compares as `Array.prototype.includes` does: NaN equals NaN, and 0 equals -0.
   *
   * @returns the element before, which equals `expected` if `replacement` was stored
   * @throws {CrossmemError} as `exchange`
   */
  compareExchange(index: number, expected: ScalarInput<D>, replacement: ScalarInput<D>): ScalarOf<D> {
    return this.#atomic.compareExchange(this.#indexOf(index), expected, replacement)
  }

  /**
   * Iterates over the elements; each is read when the iterator reaches it.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_DETACHED: as `data`
   */
  *[Symbol.iterator](): IterableIterator<ScalarOf<D>> {
    for (let i = 0; i < this.length; i++) yield this.#read(this.#shown, i)
  }

  /**
   * Copies the elements into a JavaScript array, without the lock.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_DETACHED: as `data`
   */
  toArray(): ScalarOf<D>[] {
    void this.object
    return [...this]
  }

  /**
   * Changes the data with the lock held: all other updates and holders, in all processes, wait.
   * Blocks this thread while another agent holds the lock.
   *
   * If `change` throws, its changes stay. If it was to repair the data of a dead holder
   * (`ownerDied`), the next holder is then told again.
   *
   * Where the runtime can't show shared memory (Electron), `change` gets a copy of the data, which
   * is written back when it ends.
   *
   * @returns what `change` returns
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_DEADLOCK: this thread holds
   *   the lock. ERR_INVALID_ARG: `change` is no function or is asynchronous, or an option is
   *   refused. ERR_UNSUPPORTED: the array was created with `lock: false`. ERR_CLOSED: the handle is
   *   closed. ERR_NOT_FOUND: the object was unlinked during the wait. ERR_DETACHED: as `data`
   * @throws what `change` throws
   */
  update<Result>(
    change: (data: StorageOf<D>, context: UpdateContext) => Result,
    options?: SyncWaitOptions,
  ): Result {
    checkFunction('change', change)
    return this.changeLocked(context => {
      const data = this.#shown
      if (data) return change(data, context)
      const copy = this.#copies.all()
      try {
        return change(copy, context)
      } finally {
        this.#copies.write(0, copy)
      }
    }, options)
  }

  /** @internal */
  protected override state(): object {
    return { ...super.state(), ...readable(this, ['data']) }
  }

  #read(data: StorageOf<D> | undefined, at: number): ScalarOf<D> {
    const { Storage, lanes, read } = this.#info
    if (data) return read(data, at * lanes)
    return read(this.#copies.read(at, new Storage(lanes) as StorageOf<D>), 0)
  }

  #indexOf(index: number): number {
    const { length } = this
    const at = index < 0 ? index + length : index
    if (Number.isInteger(index) && at >= 0 && at < length) return at
    throw new CrossmemError(
      'ERR_OUT_OF_RANGE',
      `index ${show(index)} is out of range: "${this.name}" has ${length} elements`,
    )
  }

  get #atomic(): AtomicCells<D> {
    void this.#shown
    this.#cells ??= this.#newCells(this.object.segment)
    return this.#cells
  }

  #newCells(segment: Segment): AtomicCells<D> {
    if (this.#info.lanes === 1) return new AtomicCells(this.dtype, segment, DATA_OFFSET, this.length)
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `no processor changes the two parts of a ${this.dtype} at once; use at(), set() or update()`,
    )
  }
}

/** A new array, from checked arguments. */
interface Plan<D extends NumericDType> extends DataLayout<D> {
  /** The elements' bytes; zeros by default. */
  contents?: Uint8Array
}

function plan(
  given: string,
  source: ArraySource<NumericDType>,
  options: DataOptions | undefined,
): Plan<NumericDType> {
  const dtype = checkNumericDType(given)
  const { itemBytes, lanes, Storage, write } = numericDTypes[dtype] as unknown as DTypeInfo<NumericDType>
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
  const data = new Storage(elements.length * lanes)
  for (const [i, element] of elements.entries()) write(data, i * lanes, element)
  return { ...layoutOf(dtype, elements.length, options), contents: bytesOf(data) }
}

const isSource = (source: unknown): boolean =>
  typeof source === 'object' && source !== null && (Symbol.iterator in source || 'length' in source)

function make<D extends NumericDType>(
  name: string | null,
  { contents, ...layout }: Plan<D>,
  options: DataOptions | undefined,
): SharedArray<D> {
  return SharedArray.attach(createData('SharedArray', name, layout, options, contents))
}
