import { openOrCreate, Segment } from '../objects/index.js'
import { checkQueue } from './queue-handle.js'
import { createValueQueue, type OpenQueueOptions, ValueQueue, type ValueQueueOptions } from './value-queue.js'

/**
 * A bounded, lock-free queue of values between processes and threads: Python's `Queue` and
 * `SimpleQueue`. Any process may be killed at any instruction: the queue stays usable. Handles of
 * crossmem in a value travel as references.
 *
 * @example
 * ```js
 * import { Queue } from 'crossmem'
 *
 * const jobs = Queue.create(null, { capacity: 10 })
 * await jobs.putMany([{ page: 1 }, { page: 2 }])
 * jobs.end()
 * const pages = []
 * for await (const job of jobs) pages.push(job.page)
 * console.log(pages) // [ 1, 2 ]
 * jobs.close()
 * ```
 */
export class Queue<T = unknown> extends ValueQueue<T, 'Queue'> {
  private constructor(segment: Segment, options?: OpenQueueOptions<T>) {
    super(segment, 'Queue', options)
  }

  /** @internal */
  static attach(segment: Segment): Queue {
    return new Queue(segment)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random name
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create<T = unknown>(name: string | null, options?: ValueQueueOptions<T>): Queue<T> {
    return new Queue<T>(createValueQueue('Queue', name, options), options)
  }

  /**
   * Opens a queue that exists.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it has another codec. ERR_NOT_FOUND, ERR_WRONG_KIND,
   *   ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT
   */
  static open<T = unknown>(name: string, options?: OpenQueueOptions<T>): Queue<T> {
    return new Queue<T>(Segment.open(name, 'Queue'), options)
  }

  /**
   * Opens the queue if it exists, with the options that it was created with, else creates it.
   * Processes may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate<T = unknown>(name: string, options?: ValueQueueOptions<T>): Queue<T> {
    checkQueue(options)
    return openOrCreate(
      options,
      () => Queue.open<T>(name, options),
      () => Queue.create<T>(name, options),
    )
  }
}
