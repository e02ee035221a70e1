import { CrossmemError } from '../errors.js'
import { checkCount } from '../util/index.js'
import type { RemoteMessage } from './message.js'
import { RemoteQueueBase, type RemoteQueueOptions } from './queue.js'
import { cancelJoinScript, joinScript, lookScript } from './queue-scripts.js'
import type { Home } from './remote-object.js'
import { type Ask, type RemoteWaitOptions, TOO_LATE } from './waiting.js'

/**
 * A queue of tasks at a server whose completion can be awaited. A task keeps its place until
 * `taskDone()`. If its worker's connection ends before that, the task counts as failed; with
 * `redeliver` the next worker gets it. `capacity` counts unfinished tasks, too.
 */
export class RemoteJoinableQueue<T = unknown> extends RemoteQueueBase<T> {
  /** The unfinished tasks of this handle, the oldest first. */
  readonly #inWork: RemoteMessage<T>[] = []

  /** @internal */
  constructor(home: Home, name: string, options?: RemoteQueueOptions<T>) {
    super(home, name, 'JoinableQueue', options)
  }

  /**
   * Takes a task, once there is one. Call `taskDone()` when it is done.
   *
   * @throws {CrossmemError} as `RemoteQueue.get`
   * @throws the signal's reason, if `signal` is aborted
   */
  override async get(options?: RemoteWaitOptions): Promise<T> {
    return this.#begin(await this.receive(options))
  }

  /**
   * Takes a task if there is one. Returns `undefined` if there is none, and when the queue has
   * ended.
   *
   * @throws {CrossmemError} as `RemoteQueue.tryGet`
   */
  override async tryGet(): Promise<T | undefined> {
    const message = await this.tryReceive()
    return message && this.#begin(message)
  }

  /**
   * Takes at most `max` tasks, once there is at least one. Call `taskDone()` for each.
   *
   * @param max 1 to 2147483647; one call takes 1000 at the most
   * @throws {CrossmemError} as `RemoteQueue.get`
   * @throws the signal's reason, if `signal` is aborted
   */
  override async getMany(max: number, options?: RemoteWaitOptions): Promise<T[]> {
    const messages = await this.waitForMessages(checkCount('max', max, 1), 'k', options)
    return messages.map(message => this.#begin(message))
  }

  /**
   * Takes at most `max` of the tasks that are there now, none if the queue has ended. Call
   * `taskDone()` for each.
   *
   * @param max 1 to 2147483647; one call takes 1000 at the most
   * @throws {CrossmemError} as `RemoteQueue.tryGet`. ERR_INVALID_ARG: `max` is refused
   */
  override async tryGetMany(max: number): Promise<T[]> {
    const messages = await this.messagesNow(checkCount('max', max, 1), 'k')
    return messages.map(message => this.#begin(message))
  }

  /**
   * Yields tasks until the queue has ended and is empty. Call `taskDone()` for each.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  override async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for await (const message of this.messages()) yield this.#begin(message)
  }

  /**
   * Finishes the oldest task that was taken through this handle. A task that came from `receive()`
   * is finished by `message.release()` instead.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: every task that was taken is finished, or the
   *   connection was lost since. ERR_CLOSED. ERR_DISCONNECTED: the connection was lost during the
   *   call
   */
  async taskDone(): Promise<void> {
    this.checkOpen()
    const message = this.#inWork.shift()
    if (!message) {
      throw new CrossmemError(
        'ERR_LOST_OWNERSHIP',
        `taskDone() was called more often than tasks were taken out of "${this.name}" here`,
      )
    }
    await message.release()
  }

  /**
   * Waits until every task is finished, or its worker has died. With `redeliver`, a task whose
   * worker died counts as unfinished until another worker has finished it.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: an option is refused. ERR_TIMEOUT, ERR_CLOSED,
   *   ERR_WRONG_KIND. ERR_NOT_FOUND: the queue was unlinked meanwhile. ERR_DISCONNECTED: no server
   *   answers. ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER: it refuses the call
   * @throws the signal's reason, if `signal` is aborted
   */
  async join(options?: RemoteWaitOptions): Promise<void> {
    await this.askAndWait(this.#joining, options)
  }

  /**
   * How many tasks were put and are neither finished nor failed, at about this instant.
   *
   * @throws {CrossmemError} as `RemoteQueue.end`
   */
  get unfinished(): Promise<number> {
    return this.state().then(({ unfinished }) => unfinished)
  }

  /**
   * How many tasks failed because their worker died. With `redeliver`: 0.
   *
   * @throws {CrossmemError} as `RemoteQueue.end`
   */
  get failed(): Promise<number> {
    return this.state().then(({ failed }) => failed)
  }

  get #joining(): Ask<true> {
    return {
      doing: `joining "${this.name}"`,
      key: this.key,
      repeats: true,
      begin: async (session, number, mayWait) => {
        const answer = await this.runAttached(session, joinScript, [String(number), mayWait ? '1' : '0'])
        return answer !== null || undefined
      },
      hear: ({ words: [word] }) => {
        if (word === 'gone') throw this.gone()
        return true
      },
      cancel: async (session, number, begun) => {
        if (begun) return begun
        const cancelled = await this.runAttached(session, cancelJoinScript, [String(number)])
        return cancelled === 1 ? undefined : TOO_LATE
      },
      look: session => this.runAttached(session, lookScript, []),
    }
  }

  #begin(message: RemoteMessage<T>): T {
    this.#inWork.push(message)
    return message.value
  }
}
