import { CrossmemError, hasCode } from '../errors.js'
import { nativeArrays } from '../native/index.js'
import {
  checkShape,
  checkUsable,
  type DType,
  type DTypeFrom,
  type DTypeInfo,
  type DTypeLike,
  type DTypeOf,
  dtypeAs,
  dtypeInfo,
  dtypeText,
  NDView,
  type Nested,
  type Order,
  type ScalarInput,
  type StorageOf,
  type TypedArray,
} from '../nd/index.js'
import { encodeNpyHeader, type NpyHeader, readNpy, readNpz, writeNpz, writeWhole } from '../npy/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  checkCreateOptions,
  checkMaker,
  existsAs,
  factsOf,
  noteBirth,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import {
  bytesOf,
  checkBoolean,
  checkFunction,
  checkOptions,
  dispose,
  type InspectionArguments,
  inspection,
  type OptionNames,
  show,
  showAs,
} from '../util/index.js'
import { type SyncWaitOptions, WAIT_OPTIONS, type WaitOptions, waitSync } from '../wait/index.js'
import { ArrayLock } from './array-lock.js'
import { ElementCopies } from './element-copies.js'
import { checkOrder, createSegment, type Layout, readHeader, trailerOffset } from './layout.js'
import { FROM_OPTIONS, type FromOptions, readSource } from './source.js'
import { refusePromise, type UpdateContext } from './update.js'

/** How to lay out a new array. */
export interface LayoutOptions<L extends DTypeLike = DTypeLike> extends CreateOptions {
  /** Lengths per axis; `[]` is a scalar, and `n` is short for `[n]`. */
  shape: readonly number[] | number
  /** Type of the elements. Default: 'float64'. */
  dtype?: L
  /** 'C': the last axis is contiguous; 'F': the first axis is. Default: 'C'. */
  order?: Order
  /** Value of every element. Default: 0. */
  fill?: ScalarInput<DTypeFrom<L>>
}

/** How to read the elements of an array that exists. */
export interface ReadOptions<L extends DTypeLike = DTypeLike> {
  /**
   * Type of the elements, for the types of which a .npy file says only how many bytes they have:
   * bfloat16, the smaller floats, and records that hold such. Any other dtype must be the array's.
   * Default: as the array says.
   */
  dtype?: L
}

/** How to read a .npy file. */
type LoadOptions<L extends DTypeLike = DTypeLike> = CreateOptions & ReadOptions<L> & { name?: string | null }
/** How to read an .npz file. */
type LoadNpzOptions = CreateOptions & { dtypes?: Readonly<Record<string, DTypeLike>> }

/** What `console.log` shows of its state. */
const FACTS = new Set(['isHalfChanged'])

const LAYOUT_OPTIONS: OptionNames<LayoutOptions> = { ...FROM_OPTIONS, fill: true }
const READ_OPTIONS: OptionNames<ReadOptions> = { dtype: true }
const AWAIT_OPTIONS: OptionNames<ReadOptions & WaitOptions> = { ...READ_OPTIONS, ...WAIT_OPTIONS }
const LOAD_OPTIONS: OptionNames<LoadOptions> = { ...CREATE_OPTIONS, ...READ_OPTIONS, name: true }
const LOAD_NPZ_OPTIONS: OptionNames<LoadNpzOptions> = { ...CREATE_OPTIONS, dtypes: true }

/**
 * An n-dimensional array in shared memory, which every process sees without a copy. Its segment is
 * a valid .npy file (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>) with
 * a trailer behind the data, so NumPy opens it as it is.
 *
 * @example
 * ```js
 * import { NDArray } from 'crossmem'
 *
 * const array = NDArray.create(null, { shape: [2, 3], dtype: 'int32' })
 * array.set(0, 1, 42)
 * console.log(array.get(0, 1), array.shape) // 42 [ 2, 3 ]
 * array.update(data => data.fill(7))
 * console.log(array.snapshot().length, array.toNested()) // 6 [ [ 7, 7, 7 ], [ 7, 7, 7 ] ]
 * array.close()
 * ```
 */
export class NDArray<D extends DType = DType> extends NDView<D> implements Disposable {
  /**
   * The class name. `crossmem` and `name` are all that is sent to another process, and `dtype` if
   * the memory doesn't say what its bytes are; `open()` makes a handle of them there.
   */
  readonly crossmem = 'NDArray'
  /** The name of the array. */
  readonly name: string
  readonly #segment: Segment
  readonly #dataOffset: number
  /** Whether the runtime can't show the memory (Electron). */
  readonly #isHidden: boolean
  readonly #copies: ElementCopies<D>
  /** `undefined` if the array has no trailer. */
  readonly #lock: ArrayLock | undefined

  private constructor(segment: Segment, dtypeOf: (found: DTypeInfo) => DTypeInfo) {
    checkMaker(segment, 'NDArray')
    const header = readHeader(segment)
    const info = checkUsable({ ...header, info: dtypeOf(header.info) })
    const { Storage, lanes } = info
    if (header.dataOffset % Storage.BYTES_PER_ELEMENT !== 0) {
      throw new CrossmemError(
        'ERR_UNSUPPORTED',
        `the data of "${segment.name}" starts at byte ${header.dataOffset}, where no ${Storage.name} can; pad its header to 64 bytes as NumPy does`,
      )
    }
    const buffer = segment.bufferIfAny
    const data = buffer ? new Storage(buffer, header.dataOffset, header.size * lanes) : new Storage(0)
    super({
      data: data as StorageOf<D>,
      dtype: info.name as D,
      shape: header.shape,
      order: header.order,
      isHandle: true,
    })
    noteBirth(this)
    this.name = segment.name
    this.#segment = segment
    this.#dataOffset = header.dataOffset
    this.#isHidden = buffer === undefined
    this.#copies = new ElementCopies(segment, info as unknown as DTypeInfo<D>, header.dataOffset, header.size)
    // The header doesn't tell another process what the bytes are, so the reference does.
    if (header.info.raw !== undefined)
      Object.defineProperty(this, 'dtype', { value: info.name, enumerable: true })
    const isGuarded = nativeArrays.attachGuard(
      segment.handle,
      trailerOffset(header.dataOffset, header.dataBytes),
    )
    this.#lock = isGuarded ? new ArrayLock(segment) : undefined
  }

  /**
   * Creates an array. Other processes can't see it before it is filled.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_TOO_LARGE: the elements are
   *   more than one ArrayBuffer can show. ERR_LIMIT: a limit of the domain or the system is reached
   */
  static create<const L extends DTypeLike = 'float64'>(
    name: string | null,
    options: LayoutOptions<L>,
  ): NDArray<DTypeFrom<L>> {
    const { layout, item } = checkLayout(options)
    return make(name, layout, item)
  }

  /**
   * Opens an array, which may have been made by NumPy. Its dtype, shape and order come from the
   * segment.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   an NDArray. ERR_WRONG_DOMAIN: another domain made the object. ERR_CORRUPT: the segment isn't
   *   a sound .npy file. ERR_UNSUPPORTED: its dtype is an object, big-endian, or raw bytes of which
   *   `options.dtype` doesn't say what they are. ERR_INVALID_ARG: `options.dtype` is another dtype.
   *   ERR_TOO_LARGE: it is more than one ArrayBuffer can show. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open<const L extends DTypeLike = DType>(
    name: string,
    options?: ReadOptions<L>,
  ): NDArray<DTypeFrom<L>> {
    const { dtype } = checkOptions(options, READ_OPTIONS)
    return NDArray.attach(Segment.open(name, 'NDArray'), found => dtypeAs(found, dtype))
  }

  /**
   * Opens the array once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated<const L extends DTypeLike = DType>(
    name: string,
    options?: ReadOptions<L> & WaitOptions,
  ): Promise<NDArray<DTypeFrom<L>>> {
    const { dtype, ...wait } = checkOptions<ReadOptions & WaitOptions>(options, AWAIT_OPTIONS)
    if (dtype !== undefined) dtypeInfo(dtype as DType)
    return whenCreated(name, () => NDArray.open(name, { dtype: dtype as L }), wait)
  }

  /**
   * Opens the array if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another shape, dtype or order
   */
  static openOrCreate<const L extends DTypeLike = 'float64'>(
    name: string,
    options: LayoutOptions<L>,
  ): NDArray<DTypeFrom<L>> {
    const { layout, item } = checkLayout(options)
    const array = openOrCreate(
      options,
      () =>
        NDArray.attach<DTypeFrom<L>>(Segment.open(name, 'NDArray'), found =>
          found.raw === undefined ? found : dtypeAs(found, layout.dtype),
        ),
      () => make<DTypeFrom<L>>(name, layout, item),
    )
    const described = [dtypeText(layout.dtype), layout.order, ...layout.shape].join()
    const found = [dtypeText(array.dtype), array.order, ...array.shape].join()
    if (described === found) return array
    throw existsAs(array, `as ${found}, not ${described}`)
  }

  /** Makes a handle of an open segment, or closes the segment and throws. @internal */
  static attach<D extends DType = DType>(
    segment: Segment,
    dtypeOf: (found: DTypeInfo) => DTypeInfo = found => found,
  ): NDArray<D> {
    try {
      return new NDArray<D>(segment, dtypeOf)
    } catch (error) {
      segment.close()
      throw error
    }
  }

  /**
   * Copies a typed array into a new array of the same type.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} as `create`
   */
  static from<T extends TypedArray>(
    name: string | null,
    source: T,
    options?: FromOptions<never> & { dtype?: undefined },
  ): NDArray<DTypeOf<T>>
  /**
   * Copies an array or a view into a new array of the same type.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} as `create`
   */
  static from<D extends DType>(
    name: string | null,
    source: NDView<D>,
    options?: FromOptions<never> & { dtype?: undefined },
  ): NDArray<D>
  /**
   * Copies data into a new array.
   *
   * @param name `null` picks a random name
   * @param source a typed array, nested arrays, the bytes of a .npy file as ArrayBuffer, or another
   *   array or view
   * @throws {CrossmemError} as `create`. ERR_CORRUPT: the bytes aren't a sound .npy file.
   *   ERR_UNSUPPORTED: the dtype of the .npy file is an object, or raw bytes of which
   *   `options.dtype` doesn't say what they are
   */
  static from<const L extends DTypeLike = DType>(
    name: string | null,
    source: TypedArray | Nested | ArrayBuffer | NDView,
    options?: FromOptions<L>,
  ): NDArray<DTypeFrom<L>>
  static from(
    name: string | null,
    source: TypedArray | Nested | ArrayBuffer | NDView,
    options?: FromOptions,
    // biome-ignore lint/suspicious/noExplicitAny: each overload says which it is
  ): NDArray<any> {
    const checked = checkOptions(options, FROM_OPTIONS)
    const { data, ...layout } = readSource(source, checked)
    return make(name, { ...layout, ...checkCreateOptions(checked) }, bytesOf(data))
  }

  /**
   * Reads a .npy file into a new array. Big-endian elements are converted. The file may be a pipe,
   * of which only the bytes of one array are taken.
   *
   * @param options.name default: a random name
   * @throws {CrossmemError} as `from`. ERR_INVALID_ARG: `path` is neither a string nor a `file:`
   *   URL, or the file has another dtype than `options.dtype`
   * @throws Node's own error, if the file can't be read
   */
  static async load<const L extends DTypeLike = DType>(
    path: string | URL,
    options?: CreateOptions & ReadOptions<L> & { name?: string | null },
  ): Promise<NDArray<DTypeFrom<L>>> {
    const { name = null, dtype, ...creation } = checkOptions<LoadOptions>(options, LOAD_OPTIONS)
    checkCreateOptions(creation)
    const { header, data } = await readNpy(path)
    return make(name, layoutOf(header, dtype, creation), data)
  }

  /**
   * Reads an .npz file, which holds several arrays, into new arrays with random names. Other
   * members of the zip are left out. The whole file is read into memory.
   *
   * @param options.dtypes the `dtype` that `load` takes, by the name of the array
   * @returns the arrays by the names that the file gives them
   * @throws {CrossmemError} as `load`
   * @throws Node's own error, if the file can't be read
   */
  static async loadNpz(
    path: string | URL,
    options?: CreateOptions & { dtypes?: Readonly<Record<string, DTypeLike>> },
  ): Promise<Record<string, NDArray>> {
    const arrays: Record<string, NDArray> = Object.create(null)
    const { dtypes, ...creation } = checkOptions<LoadNpzOptions>(options, LOAD_NPZ_OPTIONS)
    checkCreateOptions(creation)
    const dtypeOf = new Map(Object.entries(dtypes ?? {}))
    try {
      for (const { name, header, data } of await readNpz(path))
        arrays[name] = make(null, layoutOf(header, dtypeOf.get(name), creation), data)
    } catch (error) {
      for (const array of Object.values(arrays)) array.close()
      throw error
    }
    return arrays
  }

  /**
   * Writes arrays into an .npz file, as NumPy's `savez` does: of an array a `snapshot()`, and any
   * source of `from`. The file is made in memory, and written as by `save`.
   *
   * @param sources the arrays by the names that the file gives them
   * @param options.compress whether to compress the arrays, which takes time; default: false
   * @throws {CrossmemError} as `from`, `snapshot` and `save`. ERR_INVALID_ARG: `sources` is no
   *   object
   * @throws Node's own error, if the file can't be written
   */
  static async saveNpz(
    path: string | URL,
    sources: Record<string, TypedArray | Nested | NDView>,
    options?: { compress?: boolean },
  ): Promise<void> {
    const { compress = false } = checkOptions<{ compress?: boolean }>(options, { compress: true })
    checkBoolean('compress', compress)
    if (typeof sources !== 'object' || sources === null) {
      throw new CrossmemError('ERR_INVALID_ARG', `sources is an object of arrays, not ${show(sources)}`)
    }
    const members = Object.entries(sources).map(([name, source]) => {
      if (source instanceof NDArray) return { name, header: source, data: bytesOf(source.#copy()) }
      const { data, dtype, shape, order = 'C' } = readSource(source, {})
      return { name, header: { dtype, shape: [...shape], order }, data: bytesOf(data) }
    })
    await writeNpz(path, members, compress)
  }

  /**
   * The memory itself, as a plain built-in typed array, without a copy. `bool` and `uint8` are a
   * Uint8Array, `int64` and `uint64` BigInt arrays. `float16` is a Float16Array, or the raw bits in
   * a Uint16Array if the runtime has none. A complex number is two elements, real and imaginary.
   * `close()` makes the typed array empty.
   *
   * @throws {CrossmemError} ERR_CLOSED: the array is closed. ERR_DETACHED: its ArrayBuffer was
   *   transferred. ERR_NO_EXTERNAL_BUFFERS: this runtime can't show shared memory (Electron); use
   *   `read`, `write`, `update`, `withLock` and `snapshot`
   */
  override get data(): StorageOf<D> {
    void this.#segment.handle
    const data = super.data
    if (data.length === 0) void this.#segment.buffer
    return data
  }

  /**
   * The memory itself, as `data`, but over a SharedArrayBuffer: worker threads get it
   * without a copy, by `postMessage` or `workerData`. Each access makes a new typed array over the
   * same SharedArrayBuffer.
   *
   * Nothing detaches a SharedArrayBuffer: `close()` leaves this as it is, and the memory stays in
   * use until all threads have dropped it and their garbage collectors have noticed.
   *
   * @throws {CrossmemError} ERR_CLOSED: the array is closed. ERR_UNSUPPORTED: the runtime makes no
   *   SharedArrayBuffer of such memory; Node 22.23.3, 24.16, 26.1 and later do, on Linux.
   *   ERR_LIMIT: a limit of the system is reached. ERR_NO_EXTERNAL_BUFFERS: the runtime can't show
   *   shared memory (Electron)
   */
  get shared(): StorageOf<D> {
    const { Storage, lanes } = dtypeInfo(this.dtype)
    return new Storage(this.#segment.sharedBuffer, this.#dataOffset, this.size * lanes) as StorageOf<D>
  }

  /** @internal */
  override whyGone(): CrossmemError {
    try {
      void this.#segment.buffer
    } catch (error) {
      return error as CrossmemError
    }
    return super.whyGone()
  }

  /**
   * The whole segment: .npy header, data, trailer.
   *
   * @throws {CrossmemError} as `data`
   */
  get buffer(): ArrayBuffer {
    return this.#segment.buffer
  }

  /**
   * Copies elements into `target`, in every runtime and in the order of memory. Other processes may
   * be writing to them: then some may be old and some new, but none of up to 8 bytes half-written.
   * For a copy of one instant use `snapshot`.
   *
   * @param offset the first element
   * @param target a typed array of the type of `data`; all of it is filled
   * @returns `target`
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there are fewer elements. ERR_INVALID_ARG: an
   *   argument is refused. ERR_CLOSED: the array is closed
   */
  read<T extends StorageOf<D>>(offset: number, target: T): T {
    return this.#copies.read(offset, target)
  }

  /**
   * Copies elements from `source`, in every runtime and in the order of memory. What other
   * processes see meanwhile is as in `read`; for a change as one step use `update`.
   *
   * @param offset the first element to store to
   * @param source a typed array of the type of `data`
   * @throws {CrossmemError} as `read`
   */
  write(offset: number, source: StorageOf<D>): void {
    this.#copies.write(offset, source)
  }

  /** Whether the array stays when no agent has it open. */
  get persist(): boolean {
    return this.#segment.persist
  }

  /**
   * Changes the data as one step: all other updates wait, and no `snapshot()` of any process sees
   * half of the change. Blocks this thread while another agent updates.
   *
   * If `change` throws, its changes stay. If it was to repair the data of a dead writer
   * (`ownerDied`), the array then still counts as half-changed.
   *
   * Where the runtime can't show shared memory (Electron), `change` gets a copy of the data, which
   * is written back when it ends.
   *
   * @returns what `change` returns
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_CLOSED: the array is closed.
   *   ERR_DEADLOCK: this thread is inside `update` or `withLock` of the same array.
   *   ERR_INVALID_ARG: `change` is no function or is asynchronous, or an option is refused.
   *   ERR_UNSUPPORTED: another program made the array. ERR_DETACHED: the ArrayBuffer was
   *   transferred
   * @throws what `change` throws
   */
  update<Result>(
    change: (data: StorageOf<D>, context: UpdateContext) => Result,
    options?: SyncWaitOptions,
  ): Result {
    checkFunction('change', change)
    const lock = this.#openLock
    const context = lock.enterSync(options)
    // If a repair fails, the next update is told of the death again.
    let isWhole = !context.ownerDied
    let copy: StorageOf<D> | undefined
    try {
      copy = this.#isHidden ? this.#copies.all() : undefined
      const result = change(copy ?? this.data, context)
      refusePromise(result)
      isWhole = true
      return result
    } finally {
      if (copy) this.#copies.write(0, copy)
      lock.leave(isWhole)
    }
  }

  /**
   * Changes the data as `update` does, but waits without blocking the event loop, and `change` may
   * be asynchronous. Until its promise is settled, all other updates and `withLock`s wait, and no
   * `snapshot()` of any process sees half of the change. Calls through one handle are served in
   * order. `change` gets what that of `update` gets.
   *
   * `change` must not await another `withLock` of the same array: that call would wait for itself.
   *
   * @returns what `change` returns
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_CLOSED: the array is closed.
   *   ERR_INVALID_ARG: `change` is no function, or an option is refused. ERR_UNSUPPORTED: another
   *   program made the array. ERR_DETACHED: the ArrayBuffer was transferred
   * @throws the signal's reason, if `signal` is aborted
   * @throws what `change` throws
   */
  async withLock<Result>(
    change: (data: StorageOf<D>, context: UpdateContext) => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<Result> {
    checkFunction('change', change)
    const lock = this.#openLock
    const context = await lock.enter(options)
    let isWhole = !context.ownerDied
    let copy: StorageOf<D> | undefined
    try {
      copy = this.#isHidden ? this.#copies.all() : undefined
      const result = await change(copy ?? this.data, context)
      isWhole = true
      return result
    } finally {
      if (copy) this.#copies.write(0, copy)
      lock.leave(isWhole)
    }
  }

  /**
   * Copies the data as it was at one instant, however busy its writers are. Blocks this thread
   * while an agent updates.
   *
   * @returns the copy, a typed array of the same type as `data`
   * @throws {CrossmemError} ERR_PEER_DIED: a writer died inside its update. `data` shows the
   *   half-changed elements, and the next update repairs them. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused. ERR_CLOSED: the array is closed. ERR_DEADLOCK:
   *   this thread is inside `update` or `withLock`. ERR_UNSUPPORTED: another program made the array
   */
  snapshot(options?: SyncWaitOptions): StorageOf<D> {
    const lock = this.#openLock
    const { handle } = this.#segment
    const { Storage, lanes } = dtypeInfo(this.dtype)
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
   * Writes a `snapshot()` into a .npy file. If writing fails, an existing file stays as it was: the
   * new one is made beside it, and replaces it when it is whole. Symbolic links, mode and owner
   * stay.
   *
   * A file that can't be replaced is written to in place, where a failure leaves a part: a pipe or
   * a device, a file with hard links, a file that is mounted, or whose directory or owner forbids a
   * new one.
   *
   * @throws {CrossmemError} as `snapshot`. ERR_INVALID_ARG: `path` is neither a string nor a
   *   `file:` URL
   * @throws Node's own error, if the file can't be written
   */
  async save(path: string | URL): Promise<void> {
    await writeWhole(path, [encodeNpyHeader(this), bytesOf(this.#copy())])
  }

  /**
   * Removes the name now; the memory stays until the last handle is closed. Idempotent.
   *
   * @throws {CrossmemError} ERR_CLOSED: the array is closed. ERR_PERMISSION: the array is another
   *   user's
   */
  unlink(): void {
    this.#segment.unlink()
  }

  /**
   * Closes the handle: `data` and all views become empty, and pending `withLock`s of this handle
   * reject with ERR_CLOSED. Await asynchronous work on the views first: it would see zeros. The
   * last agent that closes the array removes it, unless it persists. Idempotent.
   *
   * @throws {CrossmemError} ERR_DEADLOCK: this thread is inside `update` or `withLock` of this
   *   handle
   */
  close(): void {
    this.#lock?.close()
    this.#segment.close()
  }

  /** Closes the handle; `using` calls this. */
  [dispose](): void {
    this.close()
  }

  /** The reference to send to another process, where `open()` takes it. */
  toJSON(): { crossmem: 'NDArray'; name: string; dtype?: DType } {
    const reference = { crossmem: this.crossmem, name: this.name } as const
    return Object.hasOwn(this, 'dtype') ? { ...reference, dtype: this.dtype } : reference
  }

  /**
   * Shows name, dtype, shape and state in `console.log`, or that the array was closed, or its
   * buffer transferred. `toString()` shows the elements.
   */
  override [inspection](...how: InspectionArguments): string {
    const { name, dtype, shape } = this
    try {
      void this.data
    } catch (error) {
      const gone = hasCode(error, 'ERR_DETACHED') ? 'transferred' : 'closed'
      return showAs(`NDArray (${gone})`, { name }, ...how)
    }
    const facts = factsOf(() => this.#segment.handle, FACTS)
    return showAs('NDArray', { name, dtype: dtypeText(dtype), shape, ...facts }, ...how)
  }

  #copy(): StorageOf<D> {
    return this.#lock ? this.snapshot() : this.#copies.all()
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

function make<D extends DType>(
  name: string | null,
  layout: Layout<DType>,
  contents?: Uint8Array,
): NDArray<D> {
  const { dtype } = layout
  return NDArray.attach<D>(createSegment(name, layout, contents), found => dtypeAs(found, dtype))
}

/** One element as the memory has it. */
function elementOf({ lanes, itemBytes, Storage, write }: DTypeInfo, value: unknown): StorageOf {
  try {
    const one = new Storage(lanes)
    write(one, 0, value as ScalarInput)
    return one
  } catch (cause) {
    if ((cause as Error).name !== 'RangeError') throw cause
    throw new CrossmemError('ERR_TOO_LARGE', `no memory for an element of ${itemBytes} bytes`, { cause })
  }
}

/** The layout of an array that is read from a file whose elements are in native byte order. */
function layoutOf(
  { info, shape, order }: NpyHeader,
  dtype: DTypeLike | undefined,
  options: CreateOptions,
): Layout<DType> {
  const { name } = checkUsable({ info: dtypeAs(info, dtype), swapped: [] })
  return { dtype: name, shape, order, ...checkCreateOptions(options) }
}

/** A layout from the options of a new array, and the bytes of an element that fills it. */
function checkLayout<L extends DTypeLike>(
  options: LayoutOptions<L>,
): { layout: Layout<DType>; item?: Uint8Array } {
  const { dtype, shape, order, fill, ...creation } = checkOptions<LayoutOptions<L>>(options, LAYOUT_OPTIONS)
  const info = dtypeInfo((dtype ?? 'float64') as DType)
  const layout = {
    ...creation,
    dtype: info.name,
    shape: checkShape(shape, info.itemBytes),
    order: checkOrder(order),
  }
  if (fill === undefined) return { layout }
  return { layout, item: bytesOf(elementOf(info, fill)) }
}
