import { CrossmemError } from '../errors.js'
import { nativeArrays } from '../native/index.js'
import {
  checkDType,
  checkShape,
  type DType,
  type DTypeOf,
  dtypes,
  NDView,
  type Nested,
  type Order,
  type ScalarInput,
  type StorageOf,
  type TypedArray,
} from '../nd/index.js'
import { encodeNpyHeader, readNpy, writeNpy } from '../npy/index.js'
import { type CreateOptions, checkMaker, existsAs, openOrCreate, Segment } from '../objects/index.js'
import { bytesOf } from '../util/index.js'
import { type SyncWaitOptions, type WaitOptions, waitSync } from '../wait/index.js'
import { ArrayLock } from './array-lock.js'
import { createSegment, guardOffset, type Layout, readHeader } from './layout.js'
import { type FromOptions, readSource } from './source.js'
import { refusePromise, type UpdateContext } from './update.js'

/** How to lay out a new array. */
export interface LayoutOptions<D extends DType = DType> extends CreateOptions {
  /** Lengths per axis; `[]` is a scalar, and `n` is short for `[n]`. */
  shape: readonly number[] | number
  /** Default: 'float64'. */
  dtype?: D
  /** 'C' (default): the last axis is contiguous; 'F': the first. */
  order?: Order
  /** Value of every element. Default: 0. */
  fill?: ScalarInput<D>
}

/**
 * An n-dimensional array in shared memory that every process sees at no copy. Its segment is a valid .npy file
 * (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>) with a trailer behind the data, so NumPy
 * opens it as it is.
 *
 * `data` is a plain built-in typed array: `bool` and `uint8` as Uint8Array, `int64`/`uint64` as BigInt arrays, `float16`
 * as Float16Array where the runtime has it and else as the raw bits in a Uint16Array, complex numbers interleaved.
 */
export class NDArray<D extends DType = DType> extends NDView<D> implements Disposable {
  /** Marks a reference. With `name`, the only thing that travels. */
  readonly crossmem = 'NDArray'
  readonly name: string
  readonly #segment: Segment
  readonly #dataOffset: number
  /** `undefined`: the array has no trailer. */
  readonly #lock: ArrayLock | undefined

  private constructor(segment: Segment) {
    checkMaker(segment, 'NDArray')
    const header = readHeader(segment)
    const { Storage, lanes } = dtypes[header.dtype]
    if (header.dataOffset % Storage.BYTES_PER_ELEMENT !== 0) {
      throw new CrossmemError(
        'ERR_UNSUPPORTED',
        `the data of "${segment.name}" starts at byte ${header.dataOffset}, where no ${Storage.name} can; pad its header to 64 bytes as NumPy does`,
      )
    }
    const data = new Storage(segment.buffer, header.dataOffset, header.size * lanes) as StorageOf<D>
    super({ data, dtype: header.dtype as D, shape: header.shape, order: header.order })
    this.name = segment.name
    this.#segment = segment
    this.#dataOffset = header.dataOffset
    const isGuarded = nativeArrays.attachGuard(
      segment.handle,
      guardOffset(header.dataOffset, header.dataBytes),
    )
    this.#lock = isGuarded ? new ArrayLock(segment) : undefined
  }

  /**
   * Creates an array; nobody sees it before it is filled.
   *
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_TOO_LARGE, ERR_LIMIT
   */
  static create<D extends DType = 'float64'>(name: string | null, options: LayoutOptions<D>): NDArray<D> {
    const dtype = checkDType(options?.dtype ?? 'float64') as D
    const { itemBytes, lanes, Storage, write } = dtypes[dtype]
    const shape = checkShape(options?.shape, itemBytes)
    if (options.fill === undefined) return make(name, { ...options, dtype, shape })
    const item = new Storage(lanes) as StorageOf<D>
    write(item, 0, options.fill)
    return make(name, { ...options, dtype, shape }, bytesOf(item))
  }

  /**
   * Opens an array: dtype, shape and order come from the segment. It may have been made by NumPy.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_CORRUPT (not a sound .npy file),
   *   ERR_UNSUPPORTED (object, big-endian or structured dtype), ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT
   */
  static open<D extends DType = DType>(name: string): NDArray<D> {
    return NDArray.attach(Segment.open(name, 'NDArray'))
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another shape, dtype or order
   */
  static openOrCreate<D extends DType = 'float64'>(name: string, options: LayoutOptions<D>): NDArray<D> {
    const array = openOrCreate(
      () => NDArray.open<D>(name),
      () => NDArray.create<D>(name, options),
    )
    const wanted = [options.dtype ?? 'float64', options.order ?? 'C', ...checkShape(options.shape)].join()
    const found = [array.dtype, array.order, ...array.shape].join()
    if (wanted === found) return array
    throw existsAs(array, `as ${found}, not ${wanted}`)
  }

  /** Shows an open segment as an array, or closes it. @internal */
  static attach<D extends DType = DType>(segment: Segment): NDArray<D> {
    try {
      return new NDArray<D>(segment)
    } catch (error) {
      segment.close()
      throw error
    }
  }

  /**
   * Copies data into a new array: a typed array, nested arrays, the bytes of a .npy file as ArrayBuffer, or another
   * array or view.
   *
   * @throws {CrossmemError} as `create`, and ERR_CORRUPT or ERR_UNSUPPORTED for a .npy file
   */
  static from<T extends TypedArray>(
    name: string | null,
    source: T,
    options?: FromOptions<never> & { dtype?: undefined },
  ): NDArray<DTypeOf<T>>
  static from<D extends DType = DType>(
    name: string | null,
    source: TypedArray | Nested | ArrayBuffer | NDView<D>,
    options?: FromOptions<D>,
  ): NDArray<D>
  static from<D extends DType = DType>(
    name: string | null,
    source: TypedArray | Nested | ArrayBuffer | NDView<D>,
    options: FromOptions<D> = {},
  ): NDArray<D> {
    const { data, ...layout } = readSource(source, options)
    return make(name, { ...layout, persist: options.persist } as Layout<D>, bytesOf(data))
  }

  /**
   * Reads a .npy file into a new array.
   *
   * @param options.name default: a random one
   * @throws {CrossmemError} as `from`; a file that can't be read rejects with Node's own error
   */
  static async load<D extends DType = DType>(
    path: string | URL,
    options: CreateOptions & { name?: string | null } = {},
  ): Promise<NDArray<D>> {
    const { header, data } = await readNpy(path)
    return make(options.name ?? null, { ...header, persist: options.persist } as unknown as Layout<D>, data)
  }

  /** @inheritDoc */
  override get data(): StorageOf<D> {
    void this.#segment.handle
    return super.data
  }

  /** The whole segment: .npy header, data, trailer. */
  get buffer(): ArrayBuffer {
    return this.#segment.buffer
  }

  /** Whether it outlives all agents. */
  get persist(): boolean {
    return this.#segment.persist
  }

  /**
   * Changes the data as one step: other updates wait, and no `snapshot()` of any process sees half of it. Blocks this
   * thread while another one updates. An exception passes through; what `change` did until then stays. If it was to
   * repair what a dead writer left (`ownerDied`), the array then still counts as half-changed.
   *
   * @returns what `change` returns
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_DEADLOCK (this thread is inside `update` or `withLock` of
   *   the same array), ERR_INVALID_ARG (`change` is asynchronous), ERR_UNSUPPORTED (an array that crossmem didn't make)
   */
  update<Result>(
    change: (data: StorageOf<D>, context: UpdateContext) => Result,
    options?: SyncWaitOptions,
  ): Result {
    const lock = this.#openLock
    const context = lock.enterSync(options)
    // A repair that failed is none: the next update is told again.
    let isWhole = !context.ownerDied
    try {
      const result = change(this.data, context)
      refusePromise(result)
      isWhole = true
      return result
    } finally {
      lock.leave(isWhole)
    }
  }

  /**
   * As `update`, with a callback that may be asynchronous, and waiting without blocking the event loop. From before
   * `change` is called until its promise is settled, other updates and `withLock`s wait, and no `snapshot()` of any process
   * sees half of it. Calls through one handle come in turn. Don't await another `withLock` of the same array inside
   * `change`: that waits for itself.
   *
   * @returns what `change` returns
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_INVALID_ARG, ERR_UNSUPPORTED (an array that crossmem didn't make), or
   *   the signal's reason
   */
  async withLock<Result>(
    change: (data: StorageOf<D>, context: UpdateContext) => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<Result> {
    const lock = this.#openLock
    const context = await lock.enter(options)
    let isWhole = !context.ownerDied
    try {
      const result = await change(this.data, context)
      isWhole = true
      return result
    } finally {
      lock.leave(isWhole)
    }
  }

  /**
   * Copies the data as it was at one instant, however busy its writers are.
   *
   * @throws {CrossmemError} ERR_PEER_DIED (a writer died inside its update: `data` still shows what it left, and the
   *   next update repairs), ERR_TIMEOUT, ERR_CLOSED, ERR_DEADLOCK (this thread is inside `update` or `withLock`),
   *   ERR_UNSUPPORTED
   */
  snapshot(options?: SyncWaitOptions): StorageOf<D> {
    const lock = this.#openLock
    const { handle } = this.#segment
    const { Storage, lanes } = dtypes[this.dtype]
    const copy = new Storage(this.size * lanes) as StorageOf<D>
    const into = bytesOf(copy)
    try {
      waitSync(
        slice => nativeArrays.snapshot(handle, this.#dataOffset, into, slice) || undefined,
        `reading "${this.name}"`,
        options,
      )
    } finally {
      lock.serveWaiters()
    }
    return copy
  }

  /**
   * Writes a .npy file, whole or not at all. The data is a `snapshot()`.
   *
   * @throws {CrossmemError} as `snapshot`; a file that can't be written rejects with Node's own error
   */
  async save(path: string | URL): Promise<void> {
    const data = this.#lock ? this.snapshot() : this.data.slice()
    await writeNpy(path, encodeNpyHeader(this), bytesOf(data))
  }

  /**
   * Removes the name now; the memory lives on until the last handle is closed. Idempotent.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_PERMISSION
   */
  unlink(): void {
    this.#segment.unlink()
  }

  /**
   * Lets go: `data` and all views become empty, also for asynchronous work under way on them, which then sees zeros:
   * await it first. The last one out removes the object unless it persists. Idempotent.
   *
   * Those who wait in `withLock` of this handle get ERR_CLOSED.
   *
   * @throws {CrossmemError} ERR_DEADLOCK inside `update` or `withLock` of this handle
   */
  close(): void {
    this.#lock?.close()
    this.#segment.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The reference that `open()` takes. */
  toJSON(): { crossmem: 'NDArray'; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }

  get #openLock(): ArrayLock {
    void this.#segment.handle
    if (this.#lock) return this.#lock
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `"${this.name}" was made by another program and has no trailer for update(), withLock() and snapshot(); use .data`,
    )
  }
}

function make<D extends DType>(name: string | null, layout: Layout<D>, contents?: Uint8Array): NDArray<D> {
  return NDArray.attach<D>(createSegment(name, layout, contents))
}
