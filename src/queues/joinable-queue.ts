import type { CodecOption } from '../codecs/index.js'
import { CrossmemError } from '../errors.js'
import { FINISH, type Message, type Taken } from '../messages/index.js'
import { answers, nativeQueues } from '../native/index.js'
import { openOrCreate, Segment, whenCreated } from '../objects/index.js'
import { checkCount } from '../util/index.js'
import type { SyncWaitOptions, WaitOptions, WaitSpec } from '../wait/index.js'
import {
  checkAwaited,
  checkValueQueue,
  codecIn,
  createValueQueue,
  type OpenQueueOptions,
  ValueQueue,
  type ValueQueueOptions,
} from './value-queue.js'

/**
 * A queue of tasks whose completion can be awaited: Python's `JoinableQueue`. A task keeps its slot
 * until `taskDone()`. If its worker dies before that, the task counts as failed; with `redeliver`
 * the next worker gets it. `capacity` counts unfinished tasks, too.
 *
 * @example
 * ```js
 * import { JoinableQueue } from 'crossmem'
 *
 * const tasks = JoinableQueue.create(null)
 * tasks.putSync('resize')
 * console.log(tasks.getSync(), tasks.unfinished) // resize 1
 * tasks.taskDone()
 * await tasks.join()
 * console.log(tasks.unfinished) // 0
 * tasks.close()
 * ```
 */
export class JoinableQueue<T = unknown> extends ValueQueue<T, 'JoinableQueue'> {
  /** The unfinished tasks of this handle, the oldest first. */
  readonly #inWork: Message<T>[] = []

  private constructor(segment: Segment, codec?: CodecOption<T>) {
    super(segment, 'JoinableQueue', codec)
  }

  /** @internal */
  static attach(segment: Segment): JoinableQueue {
    return new JoinableQueue(segment)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random name
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create<T = unknown>(name: string | null, options?: ValueQueueOptions<T>): JoinableQueue<T> {
    const checked = checkValueQueue(options)
    return new JoinableQueue<T>(createValueQueue('JoinableQueue', name, checked), checked.codec)
  }

  /**
   * Opens a queue that exists.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it has another codec. ERR_NOT_FOUND, ERR_WRONG_KIND,
   *   ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT
   */
  static open<T = unknown>(name: string, options?: OpenQueueOptions<T>): JoinableQueue<T> {
    const codec = codecIn(options)
    return new JoinableQueue<T>(Segment.open(name, 'JoinableQueue'), codec)
  }

  /**
   * Opens the queue once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated<T = unknown>(
    name: string,
    options?: OpenQueueOptions<T> & WaitOptions,
  ): Promise<JoinableQueue<T>> {
    const { codec, ...wait } = checkAwaited(options)
    return whenCreated(name, () => JoinableQueue.open<T>(name, { codec }), wait)
  }

  /**
   * Opens the queue if it exists, with the options that it was created with, else creates it.
   * Processes may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate<T = unknown>(name: string, options?: ValueQueueOptions<T>): JoinableQueue<T> {
    const { codec, ...creation } = checkValueQueue(options)
    return openOrCreate(
      creation,
      () => JoinableQueue.open<T>(name, { codec }),
      () => JoinableQueue.create<T>(name, options),
    )
  }

  /**
   * Takes a task, once there is one. Call `taskDone()` when it is done.
   *
   * @throws {CrossmemError} as `Queue.get`
   */
  override async get(options?: WaitOptions): Promise<T> {
    return this.#begin(await this.receive(options))
  }

  /** As `get`, but blocks this thread. */
  override getSync(options?: SyncWaitOptions): T {
    return this.#begin(this.receiveSync(options))
  }

  /**
   * Takes a task if there is one. Returns `undefined` if there is none, and when the queue has
   * ended.
   *
   * @throws {CrossmemError} as `Queue.tryGet`
   */
  override tryGet(): T | undefined {
    const message = this.tryReceive()
    return message && this.#begin(message)
  }

  /**
   * Takes at most `max` tasks, once there is at least one. Call `taskDone()` for each.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `Queue.get`
   */
  override async getMany(max: number, options?: WaitOptions): Promise<T[]> {
    return this.#beginAll(await this.receiver.receiveMany(checkCount('max', max, 1), options))
  }

  /** As `getMany`, but blocks this thread. */
  override getManySync(max: number, options?: SyncWaitOptions): T[] {
    return this.#beginAll(this.receiver.receiveManySync(checkCount('max', max, 1), options))
  }

  /**
   * Takes at most `max` of the tasks that are there now, none if the queue has ended. Call
   * `taskDone()` for each.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `Queue.tryGet`. ERR_INVALID_ARG: `max` is refused
   */
  override tryGetMany(max: number): T[] {
    return this.#beginAll(this.receiver.tryReceiveMany(checkCount('max', max, 1)))
  }

  /**
   * Yields tasks until the queue has ended and is empty. Call `taskDone()` for each.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  override async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for await (const message of this.messages()) yield this.#begin(message)
  }

  /** @internal */
  protected override async takeForStream(options: WaitOptions): Promise<Taken<T>> {
    return { value: await this.get(options) }
  }

  /** @internal */
  protected override giveBack({ value }: Taken<T>): void {
    super.giveBack({ value, release: () => this.taskDone() })
  }

  /**
   * Finishes the oldest task that was taken through this handle. A task that came from `receive()`
   * is finished by `message.release()` instead.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: every task that was taken is finished. ERR_CLOSED
   */
  taskDone(): void {
    void this.object
    const message = this.#inWork.shift()
    if (!message) {
      throw new CrossmemError(
        'ERR_LOST_OWNERSHIP',
        `taskDone() was called more often than tasks were taken out of "${this.name}" here`,
      )
    }
    message.release()
  }

  /**
   * Waits until every task is finished, or its worker has died. With `redeliver`, a task whose
   * worker died counts as unfinished until another worker has finished it.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: an option is refused. ERR_TIMEOUT, ERR_CLOSED,
   *   ERR_CORRUPT. ERR_NOT_FOUND: the queue was unlinked meanwhile. Or the signal's reason
   */
  async join(options?: WaitOptions): Promise<void> {
    await this.object.wait(this.#finished, options, FINISH)
  }

  /** As `join`, but blocks this thread. */
  joinSync(options?: SyncWaitOptions): void {
    this.object.waitSync(this.#finished, options, FINISH)
  }

  /**
   * How many tasks were put and are neither finished nor failed, at about this instant.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT
   */
  get unfinished(): number {
    return nativeQueues.unfinishedMessages(this.object.handle)[0] as number
  }

  /**
   * How many tasks failed because their worker died. With `redeliver`: 0.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT
   */
  get failed(): number {
    return nativeQueues.unfinishedMessages(this.object.handle)[1] as number
  }

  get #finished(): WaitSpec<true> {
    const { handle } = this.object
    return {
      attempt: mode => (nativeQueues.joinMessages(handle, mode) === answers.GOT ? true : undefined),
      doing: `joining "${this.name}"`,
    }
  }

  #beginAll(messages: Message<T>[]): T[] {
    return messages.map(message => this.#begin(message))
  }

  #begin(message: Message<T>): T {
    this.#inWork.push(message)
    return message.value
  }
}
