import { hasCode } from '../errors.js'
import type { WaitOptions } from '../wait/index.js'
import type { Arrivals } from './connection.js'
import { type Anchor, defineProxy, fromWire, Managed, nothing, plain, toWire } from './managed.js'

/** The state of a manager's queue. */
export interface QueueState {
  /** How many values are in it. */
  size: number
  /** How many it has room for. */
  capacity: number
  /** Whether `end()` was called. */
  isEnded: boolean
  /** How many puts wait for room. */
  putting: number
  /** How many gets wait for a value. */
  getting: number
  /** Of a JoinableQueue: tasks that are not done. */
  unfinished?: number
  /** Of a JoinableQueue: tasks whose process was gone before it had done them. */
  failed?: number
}

/**
 * A queue that a manager owns. A message whose process is killed on its way is lost with it; a
 * {@link ManagedJoinableQueue} counts it as failed.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const queue = await manager.queue()
 * await queue.put({ n: 1 })
 * console.log(await queue.get()) // { n: 1 }
 * await manager.close()
 * ```
 */
export class ManagedQueue<T = unknown> extends Managed {
  /**
   * Puts a value; waits while the queue is full.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_TIMEOUT: `timeout` ms have passed. ERR_ENDED: the queue has ended
   * @throws the signal's reason, if `signal` is aborted
   */
  put(value: T, options?: WaitOptions): Promise<void> {
    return this.askAndWait('put', to => [toWire(to, value)], nothing, options)
  }

  /**
   * Puts a value if there is room. Resolves with whether it did.
   *
   * @throws {CrossmemError} ERR_ENDED
   */
  tryPut(value: T): Promise<boolean> {
    return this.ask('tryPut', to => [toWire(to, value)], plain<boolean>)
  }

  /**
   * Takes the first value; waits while there is none.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_TIMEOUT: `timeout` ms have passed. ERR_ENDED: the queue has ended, and all
   *   values were taken
   * @throws the signal's reason, if `signal` is aborted
   */
  async get(options?: WaitOptions): Promise<T> {
    const undo = ([value]: [T]): void => {
      this.ask('giveBack', to => [toWire(to, value)], nothing).catch(() => undefined)
    }
    const [value] = await this.askAndWait('get', () => [], taken<T>, options, undo)
    return value
  }

  /**
   * Takes the first value; `undefined` if there is none.
   *
   * @throws {CrossmemError} ERR_ENDED
   */
  tryGet(): Promise<T | undefined> {
    return this.ask(
      'tryGet',
      () => [],
      (result, arrivals) => (result ? taken<T>(result, arrivals)[0] : undefined),
    )
  }

  /** How many values are in it. */
  async size(): Promise<number> {
    return (await this.state()).size
  }

  /** All about it. */
  state(): Promise<QueueState> {
    return this.ask('state', () => [], plain<QueueState>)
  }

  /** Ends it: nothing more can be put, and who has taken the last value is told ERR_ENDED. */
  end(): Promise<void> {
    return this.ask('end', () => [], nothing)
  }

  /** Takes values until the queue has ended. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      let value: T
      try {
        value = await this.get()
      } catch (error) {
        if (hasCode(error, 'ERR_ENDED')) return
        throw error
      }
      yield value
    }
  }
}

const taken = <T>(result: unknown, arrivals: Arrivals): [T] => [
  fromWire((result as [unknown])[0], arrivals) as T,
]

/**
 * A queue of tasks that a manager owns: each that was taken is reported as done.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const tasks = await manager.joinableQueue()
 * await tasks.put('dig')
 * console.log(await tasks.get()) // dig
 * await tasks.taskDone()
 * await tasks.join()
 * await manager.close()
 * ```
 */
export class ManagedJoinableQueue<T = unknown> extends ManagedQueue<T> {
  /**
   * One task that this process has taken is done.
   *
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: it has none
   */
  taskDone(): Promise<void> {
    return this.ask('taskDone', () => [], nothing)
  }

  /**
   * Waits until all tasks are done, or have failed.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_TIMEOUT: `timeout` ms have passed
   * @throws the signal's reason, if `signal` is aborted
   */
  join(options?: WaitOptions): Promise<void> {
    return this.askAndWait('join', () => [], nothing, options)
  }
}

defineProxy('Queue', ManagedQueue as new (anchor: Anchor) => Managed)
defineProxy('JoinableQueue', ManagedJoinableQueue as new (anchor: Anchor) => Managed)
