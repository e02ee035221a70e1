import { codecFor } from '../codecs/index.js'
import { CrossmemError } from '../errors.js'
import { FINISH, type Message } from '../messages/index.js'
import { answers, nativeQueues } from '../native/index.js'
import { openOrCreate, Segment } from '../objects/index.js'
import { checkCount } from '../util/index.js'
import type { SyncWaitOptions, WaitOptions, WaitSpec } from '../wait/index.js'
import { createQueue } from './queue-handle.js'
import { type OpenQueueOptions, ValueQueue, type ValueQueueOptions } from './value-queue.js'

/**
 * A queue of tasks that are waited for: Python's `JoinableQueue`. A task keeps its place until `taskDone()`; a worker that dies before
 * has failed it, or with `redeliver` the next worker gets it. `capacity` counts tasks in work, too.
 */
export class JoinableQueue<T = unknown> extends ValueQueue<T, 'JoinableQueue'> {
  /** Tasks of this handle that are not done yet, the oldest first. */
  readonly #inWork: Message<T>[] = []

  private constructor(segment: Segment, options?: OpenQueueOptions<T>) {
    super(segment, 'JoinableQueue', options)
  }

  /** @internal */
  static attach(segment: Segment): JoinableQueue {
    return new JoinableQueue(segment)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create<T = unknown>(name: string | null, options?: ValueQueueOptions<T>): JoinableQueue<T> {
    const codec = codecFor(options?.codec).id
    return new JoinableQueue<T>(createQueue('JoinableQueue', name, options, { spill: true, codec }), options)
  }

  /**
   * @throws {CrossmemError} ERR_INVALID_ARG (it has another codec), ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME,
   *   ERR_PERMISSION, ERR_LIMIT
   */
  static open<T = unknown>(name: string, options?: OpenQueueOptions<T>): JoinableQueue<T> {
    return new JoinableQueue<T>(Segment.open(name, 'JoinableQueue'), options)
  }

  /**
   * Opens it if it exists, as it was made, else creates it; all sides may start in any order.
   *
   * @throws {CrossmemError} as both
   */
  static openOrCreate<T = unknown>(name: string, options?: ValueQueueOptions<T>): JoinableQueue<T> {
    return openOrCreate(
      () => JoinableQueue.open<T>(name, options),
      () => JoinableQueue.create<T>(name, options),
    )
  }

  /** Takes a task, once there is one. Call `taskDone()` when it is done. */
  override async get(options?: WaitOptions): Promise<T> {
    return this.#begin(await this.receive(options))
  }

  override getSync(options?: SyncWaitOptions): T {
    return this.#begin(this.receiveSync(options))
  }

  override tryGet(): T | undefined {
    const message = this.tryReceive()
    return message && this.#begin(message)
  }

  override async getMany(max: number, options?: WaitOptions): Promise<T[]> {
    return this.#beginAll(await this.receiver.receiveMany(checkCount('max', max, 1), options))
  }

  override getManySync(max: number, options?: SyncWaitOptions): T[] {
    return this.#beginAll(this.receiver.receiveManySync(checkCount('max', max, 1), options))
  }

  override tryGetMany(max: number): T[] {
    return this.#beginAll(this.receiver.tryReceiveMany(checkCount('max', max, 1)))
  }

  /** Task after task, until the queue has ended and is empty; each is to be done with `taskDone()`. */
  override async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for await (const message of this.messages()) yield this.#begin(message)
  }

  /**
   * The oldest task that was taken through this handle is done. Tasks taken with `receive()` are done with `message.release()`.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: every task that was taken is done
   */
  taskDone(): void {
    void this.object
    const message = this.#inWork.shift()
    if (message) return message.release()
    throw new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      `taskDone() was called more often than tasks were taken out of "${this.name}" here`,
    )
  }

  /**
   * Waits until no task is left: all were taken and are done, or their workers have died.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile), or the signal's reason
   */
  async join(options?: WaitOptions): Promise<void> {
    await this.object.wait(this.#finished, options, FINISH)
  }

  /** As `join`, on this thread. */
  joinSync(options?: SyncWaitOptions): void {
    this.object.waitSync(this.#finished, options, FINISH)
  }

  /** Tasks that were put in and are not done, at about this instant. */
  get unfinished(): number {
    return nativeQueues.unfinishedMessages(this.object.handle)[0] as number
  }

  /** Tasks whose workers died, as far as anybody has noticed. Of a queue that redelivers: 0. */
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
