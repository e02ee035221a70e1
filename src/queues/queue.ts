import { codecFor } from '../codecs/index.js'
import { openOrCreate, Segment } from '../objects/index.js'
import { createQueue } from './queue-handle.js'
import { type OpenQueueOptions, ValueQueue, type ValueQueueOptions } from './value-queue.js'

/**
 * A queue of values that processes and threads share: Python's `Queue`, and with its defaults `SimpleQueue`. Lock-free, bounded, and
 * whole whoever is killed. Handles of crossmem in a value travel as references.
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
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create<T = unknown>(name: string | null, options?: ValueQueueOptions<T>): Queue<T> {
    const codec = codecFor(options?.codec).id
    return new Queue<T>(createQueue('Queue', name, options, { spill: true, codec }), options)
  }

  /**
   * @throws {CrossmemError} ERR_INVALID_ARG (it has another codec), ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME,
   *   ERR_PERMISSION, ERR_LIMIT
   */
  static open<T = unknown>(name: string, options?: OpenQueueOptions<T>): Queue<T> {
    return new Queue<T>(Segment.open(name, 'Queue'), options)
  }

  /**
   * Opens it if it exists, as it was made, else creates it; all sides may start in any order.
   *
   * @throws {CrossmemError} as both
   */
  static openOrCreate<T = unknown>(name: string, options?: ValueQueueOptions<T>): Queue<T> {
    return openOrCreate(
      () => Queue.open<T>(name, options),
      () => Queue.create<T>(name, options),
    )
  }
}
