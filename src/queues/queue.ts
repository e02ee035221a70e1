import type { CodecOption } from '../codecs/index.js'
import { openOrCreate, Segment, whenCreated } from '../objects/index.js'
import type { WaitOptions } from '../wait/index.js'
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
  private constructor(segment: Segment, codec?: CodecOption<T>) {
    super(segment, 'Queue', codec)
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
    const checked = checkValueQueue(options)
    return new Queue<T>(createValueQueue('Queue', name, checked), checked.codec)
  }

  /**
   * Opens a queue that exists.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it has another codec. ERR_NOT_FOUND, ERR_WRONG_KIND,
   *   ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT
   */
  static open<T = unknown>(name: string, options?: OpenQueueOptions<T>): Queue<T> {
    const codec = codecIn(options)
    return new Queue<T>(Segment.open(name, 'Queue'), codec)
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
  ): Promise<Queue<T>> {
    const { codec, ...wait } = checkAwaited(options)
    return whenCreated(name, () => Queue.open<T>(name, { codec }), wait)
  }

  /**
   * Opens the queue if it exists, with the options that it was created with, else creates it.
   * Processes may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate<T = unknown>(name: string, options?: ValueQueueOptions<T>): Queue<T> {
    const { codec, ...creation } = checkValueQueue(options)
    return openOrCreate(
      creation,
      () => Queue.open<T>(name, { codec }),
      () => Queue.create<T>(name, options),
    )
  }
}
