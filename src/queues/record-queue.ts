import { CrossmemError } from '../errors.js'
import { MESSAGE, ROOM, untilEnded } from '../messages/index.js'
import { nativeRecordQueues } from '../native/index.js'
import {
  type DTypeFrom,
  type DTypeLike,
  dtypeText,
  isNDView,
  type NDView,
  type ScalarInput,
  type ScalarOf,
  type StorageOf,
  type StructDType,
} from '../nd/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  Handle,
  openOrCreate,
  Segment,
  type WaitKind,
  whenCreated,
} from '../objects/index.js'
import { checkCount, checkOptions, type OptionNames, show } from '../util/index.js'
import {
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  type SyncWaitOptions,
  WAIT_OPTIONS,
  type WaitOptions,
} from '../wait/index.js'
import type { RecordBatch } from './record-batch.js'
import { type Bytes, bytesFor, RecordCodec } from './record-codec.js'
import { recordsIn, recordsOf } from './record-columns.js'
import { describe, type RecordInfo, readDescription, recordDType } from './record-dtype.js'
import { RecordRing } from './record-ring.js'
import { RecordSink } from './record-sink.js'
import { RecordSource } from './record-source.js'

/** Options of a new queue of records. */
export interface RecordQueueOptions<L extends DTypeLike = DTypeLike> extends CreateOptions {
  /**
   * The fields of a record, in NumPy's list or dict form: `[['id', '<i8'], ['px', '<f8', [3]]]`.
   */
  dtype: L
  /** How many records it has room for, 1 to 2^30. Default: 1024. */
  capacity?: number
}

/** Options of opening a queue of records. */
export interface OpenRecordQueueOptions<L extends DTypeLike = DTypeLike> {
  /**
   * The dtype of the records, for fields of bfloat16 and smaller floats, of which the queue says
   * only how many bytes they have. Any other dtype must be the queue's. Default: as the queue says.
   */
  dtype?: L
}

const OPEN_OPTIONS: OptionNames<OpenRecordQueueOptions> = { dtype: true }
const AWAIT_OPTIONS: OptionNames<OpenRecordQueueOptions & WaitOptions> = {
  ...OPEN_OPTIONS,
  ...WAIT_OPTIONS,
}
const RECORD_QUEUE_OPTIONS: OptionNames<RecordQueueOptions> = {
  ...CREATE_OPTIONS,
  ...OPEN_OPTIONS,
  capacity: true,
}

/** The dtype of records that is meant by what was given. */
type RecordsFrom<L> = Extract<DTypeFrom<L>, StructDType>

/**
 * Columns of records: for each field a typed array with the elements of record 0, then those of
 * record 1 and so on, or an array with a value for each record.
 */
export type RecordColumns<D extends StructDType = StructDType> = {
  readonly [Name in ScalarOf<D> extends infer R ? keyof R & string : never]: StorageOf | readonly unknown[]
}

const waits: WaitKind = {
  disarm: [MESSAGE, ROOM].map(channel => handle => nativeRecordQueues.giveUpRecords(handle, channel)),
  feedsItself: true,
}

/** The most records, and the most bytes of one. */
const MOST = 2 ** 30

/**
 * A queue of records of one dtype, from any number of producers to any number of consumers. The
 * records lie in shared memory as NumPy has them, row by row, so a batch of them is a record array
 * that nothing has decoded. If a process is killed while it puts, the records of that call are lost
 * or put, each whole; if it is killed with a batch, the next consumer gets the batch again.
 *
 * Unlike with a {@link MpmcQueue}, a process that is stopped inside a call (SIGSTOP, a debugger)
 * stops the others at its end of the queue until it goes on or is killed.
 *
 * @example
 * ```js
 * import { RecordQueue } from 'crossmem'
 *
 * const dtype = [['id', '<i8'], ['px', '<f8', [3]], ['sym', 'S8']]
 * const ticks = RecordQueue.create(null, { dtype, capacity: 4096 })
 * ticks.putSync({ id: 1n, px: [1, 2, 3], sym: 'ABC' })
 * const { id, px, sym } = ticks.getSync()
 * console.log(id, px, sym.toString()) // 1n [ 1, 2, 3 ] ABC
 * ticks.close()
 * ```
 */
export class RecordQueue<D extends StructDType = StructDType>
  extends Handle<'RecordQueue'>
  implements AsyncIterable<ScalarOf<D>>
{
  readonly #info: RecordInfo
  readonly #capacity: number
  readonly #sink: RecordSink
  readonly #source: RecordSource<D>
  /** Memory for one record, unless that is being encoded. It is valid until the next one. */
  #one: Bytes | undefined
  readonly #codec: RecordCodec<D>
  #batch: RecordBatch<D> | undefined

  private constructor(segment: Segment, dtype?: unknown) {
    super(segment, 'RecordQueue', waits)
    const made = this.orClose(object => {
      const description = readDescription(object.segment, dtype)
      const { info, capacity, recordsAt } = description
      return { ...description, ring: new RecordRing(object, recordsAt, capacity, info.itemBytes) }
    })
    this.#info = made.info
    this.#capacity = made.capacity
    this.#codec = new RecordCodec<D>(made.info)
    this.#sink = new RecordSink(this.object, made.ring)
    this.#source = new RecordSource<D>(this.object, made.ring, made.info, this.#codec)
    // The memory doesn't tell another process what the bytes are, so the reference does.
    if (made.isRaw) Object.defineProperty(this, 'dtype', { value: made.info.name, enumerable: true })
  }

  /** @internal */
  static attach<D extends StructDType>(segment: Segment, dtype?: unknown): RecordQueue<D> {
    return new RecordQueue<D>(segment, dtype)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random name
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_NO_SPACE, ERR_LIMIT. ERR_INVALID_ARG:
   *   `dtype` is no list of fields, or another option is refused. ERR_UNSUPPORTED: the dtype is
   *   big-endian. ERR_TOO_LARGE: the queue is more than one ArrayBuffer can show.
   *   ERR_NO_EXTERNAL_BUFFERS: the runtime can't show shared memory (Electron)
   */
  static create<const L extends DTypeLike>(
    name: string | null,
    options: RecordQueueOptions<L>,
  ): RecordQueue<RecordsFrom<L>> {
    const { info, capacity } = checkRecordQueue(options)
    const header = describe(info, capacity)
    const params = [capacity, info.itemBytes, header.length]
    const data = { byteLength: 0, contents: header }
    return new RecordQueue(createObject('RecordQueue', name, options, params, data), info.name)
  }

  /**
   * Opens a queue that exists, with its own dtype.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME,
   *   ERR_PERMISSION, ERR_LIMIT, ERR_CORRUPT, ERR_TOO_LARGE, ERR_NO_EXTERNAL_BUFFERS.
   *   ERR_INVALID_ARG: `options.dtype` is another dtype. ERR_UNSUPPORTED: the queue has raw bytes
   *   of which `options.dtype` doesn't say what they are
   */
  static open<const L extends DTypeLike = StructDType>(
    name: string,
    options?: OpenRecordQueueOptions<L>,
  ): RecordQueue<RecordsFrom<L>> {
    const { dtype } = checkOptions<OpenRecordQueueOptions>(options, OPEN_OPTIONS)
    return new RecordQueue(Segment.open(name, 'RecordQueue'), dtype)
  }

  /**
   * Opens the queue once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated<const L extends DTypeLike = StructDType>(
    name: string,
    options?: OpenRecordQueueOptions<L> & WaitOptions,
  ): Promise<RecordQueue<RecordsFrom<L>>> {
    const { dtype, ...wait } = checkOptions<OpenRecordQueueOptions & WaitOptions>(options, AWAIT_OPTIONS)
    if (dtype !== undefined) recordDType(dtype)
    return whenCreated(name, () => RecordQueue.open(name, { dtype: dtype as L }), wait)
  }

  /**
   * Opens the queue if it exists, with any capacity, else creates it. Processes may start in any
   * order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another dtype
   */
  static openOrCreate<const L extends DTypeLike>(
    name: string,
    options: RecordQueueOptions<L>,
  ): RecordQueue<RecordsFrom<L>> {
    const { info } = checkRecordQueue(options)
    return openOrCreate(
      options,
      () => new RecordQueue<RecordsFrom<L>>(Segment.open(name, 'RecordQueue'), info.name),
      () => RecordQueue.create(name, options),
    )
  }

  /** The dtype of the records: the fields in the order in which they lie in memory. */
  get dtype(): D {
    return this.#info.name as unknown as D
  }

  /** How many records it has room for. Those of a batch that is held take room, too. */
  get capacity(): number {
    return this.#capacity
  }

  /**
   * How many records are in it, at about this instant.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT
   */
  get size(): number {
    return nativeRecordQueues.countRecords(this.object.handle)
  }

  /**
   * Whether no record is in it, at about this instant.
   *
   * @throws {CrossmemError} as `size`
   */
  get isEmpty(): boolean {
    return this.size === 0
  }

  /**
   * Whether as many records are in it as it has room for, at about this instant.
   *
   * @throws {CrossmemError} as `size`
   */
  get isFull(): boolean {
    return this.size >= this.capacity
  }

  /**
   * Puts a record in, once there is room. It is encoded at once, so later changes to it have no
   * effect.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: a field is missing, unknown or refused (as
   *   `NDArray.set` does), or an option is refused; nothing was put. ERR_ENDED, ERR_TIMEOUT,
   *   ERR_CLOSED, ERR_CORRUPT. ERR_NOT_FOUND: the queue was unlinked meanwhile. ERR_DETACHED: the
   *   ArrayBuffer of a view was transferred. Or the signal's reason
   */
  async put(record: ScalarInput<D>, options?: WaitOptions): Promise<void> {
    checkBeforeAttempt(options)
    return this.#out.put(this.#encode(record), 1, options)
  }

  /** As `put`, but blocks this thread. It goes ahead of records that wait in `put`. */
  putSync(record: ScalarInput<D>, options?: SyncWaitOptions): void {
    checkBeforeAttemptSync(options)
    this.#out.putSync(this.#encode(record), 1, options)
  }

  /**
   * Puts a record in if there is room now and no `put` of this thread waits. Returns whether it was
   * put.
   *
   * @throws {CrossmemError} as `put`, but neither ERR_TIMEOUT nor ERR_NOT_FOUND
   */
  tryPut(record: ScalarInput<D>): boolean {
    return this.#out.tryPut(this.#encode(record), 1) > 0
  }

  /**
   * Puts records in, in order, as there is room. Records of other producers may come between them.
   * If one is refused, none is put. The timeout counts for each wait; what went in before stays in.
   *
   * @param records an array of records; columns, as `{ id: BigInt64Array, px: Float64Array }`; or a
   *   one-dimensional array or view of the queue's dtype. Before this waits, it copies them
   * @throws {CrossmemError} as `put`
   */
  async putMany(
    records: readonly ScalarInput<D>[] | RecordColumns<D> | NDView<D>,
    options?: WaitOptions,
  ): Promise<void> {
    checkBeforeAttempt(options)
    const bytes = this.#encodeAll(records)
    return this.#out.put(bytes, bytes.length / this.#info.itemBytes, options)
  }

  /** As `putMany`, but blocks this thread. */
  putManySync(
    records: readonly ScalarInput<D>[] | RecordColumns<D> | NDView<D>,
    options?: SyncWaitOptions,
  ): void {
    checkBeforeAttemptSync(options)
    const bytes = this.#encodeAll(records)
    this.#out.putSync(bytes, bytes.length / this.#info.itemBytes, options)
  }

  /**
   * Puts as many of the first records as there is room for now, none while a `put` of this thread
   * waits. Returns how many. If one is refused, none is put.
   *
   * @param records as for `putMany`
   * @throws {CrossmemError} as `tryPut`
   */
  tryPutMany(records: readonly ScalarInput<D>[] | RecordColumns<D> | NDView<D>): number {
    const bytes = this.#encodeAll(records)
    return this.#out.tryPut(bytes, bytes.length / this.#info.itemBytes)
  }

  /**
   * Takes a record out, once there is one.
   *
   * @throws {CrossmemError} ERR_ENDED: the queue was ended and is empty. ERR_INVALID_ARG: an option
   *   is refused. ERR_TIMEOUT, ERR_CLOSED, ERR_CORRUPT. ERR_NOT_FOUND: the queue was unlinked
   *   meanwhile. ERR_DETACHED: the ArrayBuffer of a view was transferred. Or the signal's reason
   */
  async get(options?: WaitOptions): Promise<ScalarOf<D>> {
    const source = this.#in
    return source.get(source.one, options)
  }

  /**
   * As `get`, but blocks this thread.
   *
   * @throws {CrossmemError} as `get`, and ERR_DEADLOCK: this thread holds a batch
   */
  getSync(options?: SyncWaitOptions): ScalarOf<D> {
    const source = this.#in
    return source.getSync(source.one, options)
  }

  /**
   * Takes a record out if there is one and no other process is taking any. Returns `undefined` if
   * not, and when the queue has ended.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT, ERR_DETACHED
   */
  tryGet(): ScalarOf<D> | undefined {
    const source = this.#in
    return source.tryGet(source.one)
  }

  /**
   * Takes out at most `max` records, once there is at least one.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `get`
   */
  async getMany(max: number, options?: WaitOptions): Promise<ScalarOf<D>[]> {
    return this.#in.get(this.#in.many(checkCount('max', max, 1)), options)
  }

  /** As `getMany`, but blocks this thread. */
  getManySync(max: number, options?: SyncWaitOptions): ScalarOf<D>[] {
    return this.#in.getSync(this.#in.many(checkCount('max', max, 1)), options)
  }

  /**
   * Takes out at most `max` of the records that are there now, none if the queue has ended.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `tryGet`. ERR_INVALID_ARG: `max` is refused
   */
  tryGetMany(max: number): ScalarOf<D>[] {
    return this.#in.tryGet(this.#in.many(checkCount('max', max, 1))) ?? []
  }

  /**
   * Gets at most `max` records as views of the queue's memory, once there is at least one. A batch
   * ends at the end of the ring, so the next one may have what is missing. It keeps the consumers'
   * end of the queue: other consumers wait until `batch.release()`, while producers go on.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `get`
   */
  async getBatch(max: number, options?: WaitOptions): Promise<RecordBatch<D>> {
    return this.#hold(await this.#in.get(this.#in.batch(checkCount('max', max, 1)), options))
  }

  /** As `getBatch`, but blocks this thread. */
  getBatchSync(max: number, options?: SyncWaitOptions): RecordBatch<D> {
    return this.#hold(this.#in.getSync(this.#in.batch(checkCount('max', max, 1)), options))
  }

  /**
   * As `getBatch`, but returns `undefined` if no record is there now, if another process is taking
   * some, and when the queue has ended.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `tryGet`. ERR_INVALID_ARG: `max` is refused
   */
  tryGetBatch(max: number): RecordBatch<D> | undefined {
    const batch = this.#in.tryGet(this.#in.batch(checkCount('max', max, 1)))
    return batch && this.#hold(batch)
  }

  /**
   * Yields records until the queue has ended and is empty.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  [Symbol.asyncIterator](): AsyncGenerator<ScalarOf<D>, void, void> {
    return untilEnded(() => this.get())
  }

  /**
   * Ends the queue for all processes. Puts fail with ERR_ENDED from now on; gets do so once the
   * queue is empty. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_CLOSED. ERR_TIMEOUT: a process has been stopped inside a put for
   *   ten seconds
   */
  end(): void {
    const { object } = this
    nativeRecordQueues.endRecords(object.handle)
    object.serveWaiters()
  }

  /**
   * Whether `end()` was called, by any process.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get isEnded(): boolean {
    return nativeRecordQueues.recordsHaveEnded(this.object.handle)
  }

  /**
   * Closes this handle. Records that were put stay, and so do those of a batch that was not
   * released. With the last handle of this thread, pending waits reject with ERR_CLOSED. Calling it
   * again does nothing.
   */
  override close(): void {
    const batch = this.#batch
    this.#batch = undefined
    try {
      batch?.abandon()
    } finally {
      super.close()
    }
  }

  /**
   * The reference that `open()` takes. It has the dtype if the queue's memory doesn't say what all
   * bytes are.
   */
  override toJSON(): { crossmem: 'RecordQueue'; name: string; dtype?: D } {
    const { crossmem, name } = this
    return Object.hasOwn(this, 'dtype') ? { crossmem, name, dtype: this.dtype } : { crossmem, name }
  }

  #hold(batch: RecordBatch<D>): RecordBatch<D> {
    this.#batch = batch
    return batch
  }

  #encode(record: ScalarInput<D>): Uint8Array {
    const to = this.#one ?? bytesFor(this.#info.itemBytes)
    // A getter of the record may put another one meanwhile.
    this.#one = undefined
    this.#codec.write(to, 0, record)
    this.#one = to
    return to.bytes
  }

  #encodeAll(records: unknown): Uint8Array {
    const { itemBytes } = this.#info
    if (Array.isArray(records)) return this.#encodeArray(records)
    if (isNDView(records)) {
      if (dtypeText(records.dtype) === dtypeText(this.dtype)) return recordsIn(records, itemBytes)
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        `the records have the dtype ${dtypeText(records.dtype)}, and those of "${this.name}" ${dtypeText(this.dtype)}`,
      )
    }
    if (typeof records === 'object' && records !== null && !ArrayBuffer.isView(records))
      return recordsOf(records as Record<string, unknown>, this.#info)
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `records are an array of records, an object of columns, or an array in shared memory, not ${show(records)}`,
    )
  }

  #encodeArray(records: readonly unknown[]): Uint8Array {
    const { itemBytes } = this.#info
    // A getter of a record may change it.
    const { length } = records
    const to = bytesFor(length * itemBytes)
    let i = 0
    try {
      // By index: `forEach` leaves out the holes of an array.
      for (; i < length; i++) this.#codec.write(to, i * itemBytes, records[i])
    } catch (cause) {
      if (!(cause instanceof CrossmemError)) throw cause
      throw new CrossmemError(cause.code, `record ${i}: ${cause.message}; nothing was put`, { cause })
    }
    return to.bytes
  }

  get #out(): RecordSink {
    void this.object
    return this.#sink
  }

  get #in(): RecordSource<D> {
    void this.object
    return this.#source
  }
}

function checkRecordQueue(options: RecordQueueOptions): { info: RecordInfo; capacity: number } {
  const { dtype, capacity = 1024 } = checkOptions(options, RECORD_QUEUE_OPTIONS)
  const info = recordDType(dtype)
  checkCount('capacity', capacity, 1, MOST)
  if (info.itemBytes <= MOST) return { info, capacity }
  throw new CrossmemError('ERR_INVALID_ARG', `a record has at most ${MOST} bytes, not ${info.itemBytes}`)
}
