import { nativeQueues, nativeSegments } from '../native/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  Handle,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import { checkCount, checkOptions, type OptionNames } from '../util/index.js'
import type { WaitOptions } from '../wait/index.js'
import { CONSUMER, channelWaits, PRODUCER, ringBytes } from './channel-end.js'
import { SpscConsumer } from './spsc-consumer.js'
import { SpscProducer } from './spsc-producer.js'

/** Options of a queue of one producer and one consumer. */
export interface SpscOptions extends CreateOptions {
  /**
   * Bytes of its ring, 1 to 2147483647, rounded up to a power of two from 64 up. A message takes
   * its length, rounded up to a multiple of 8, and 8 bytes more. Default: 65536.
   */
  capacity?: number
}

const SPSC_OPTIONS: OptionNames<SpscOptions> = { ...CREATE_OPTIONS, capacity: true }

/**
 * A queue of bytes from one producer to one consumer. Its two ends are roles. A handle that takes
 * an end has it until it is closed or its process dies; then another process can take the end, with
 * all messages that are in the queue.
 *
 * @example
 * ```js
 * import { SpscQueue } from 'crossmem'
 *
 * const queue = SpscQueue.create(null)
 * const producer = queue.openProducer()
 * const consumer = queue.openConsumer()
 * producer.pushSync(Uint8Array.of(7))
 * console.log(consumer.popSync()) // Uint8Array(1) [ 7 ]
 * for (const handle of [producer, consumer, queue]) handle.close()
 * ```
 */
export class SpscQueue extends Handle<'SpscQueue'> {
  private constructor(segment: Segment) {
    super(segment, 'SpscQueue', channelWaits)
  }

  /** @internal */
  static attach(segment: Segment): SpscQueue {
    return new SpscQueue(segment)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random name
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: SpscOptions): SpscQueue {
    return new SpscQueue(createObject('SpscQueue', name, options, [ringOf(options)]))
  }

  /**
   * Opens a queue that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME,
   *   ERR_PERMISSION, ERR_LIMIT
   */
  static open(name: string): SpscQueue {
    return new SpscQueue(Segment.open(name, 'SpscQueue'))
  }

  /**
   * Opens the queue once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<SpscQueue> {
    return whenCreated(name, () => SpscQueue.open(name), options)
  }

  /**
   * Opens the queue if it exists, with any capacity, else creates it. Both sides may start in any
   * order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate(name: string, options?: SpscOptions): SpscQueue {
    ringOf(options)
    return openOrCreate(
      options,
      () => SpscQueue.open(name),
      () => SpscQueue.create(name, options),
    )
  }

  /**
   * Opens the queue of that name and takes its producer's end.
   *
   * @throws {CrossmemError} as `open` and `openProducer`
   */
  static openProducer(name: string): SpscProducer {
    const queue = SpscQueue.open(name)
    try {
      return queue.openProducer()
    } finally {
      queue.close()
    }
  }

  /**
   * Opens the queue of that name and takes its consumer's end.
   *
   * @throws {CrossmemError} as `open` and `openConsumer`
   */
  static openConsumer(name: string): SpscConsumer {
    const queue = SpscQueue.open(name)
    try {
      return queue.openConsumer()
    } finally {
      queue.close()
    }
  }

  /**
   * Takes the producer's end, if it is free or its owner died.
   *
   * @throws {CrossmemError} ERR_BUSY: a live process has it. ERR_CLOSED
   */
  openProducer(): SpscProducer {
    return new SpscProducer(this.object.segment)
  }

  /**
   * Takes the consumer's end, if it is free or its owner died. A message that the dead consumer had
   * not released comes again.
   *
   * @throws {CrossmemError} ERR_BUSY: a live process has it. ERR_CLOSED
   */
  openConsumer(): SpscConsumer {
    return new SpscConsumer(this.object.segment)
  }

  /**
   * The size of the ring in bytes.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get capacity(): number {
    return nativeSegments.objectParams(this.object.handle)[0] as number
  }

  /**
   * The most bytes of a message: half the ring, less 8.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get maxMessageBytes(): number {
    return this.capacity / 2 - 8
  }

  /**
   * How many bytes of the ring are in use, at about this instant.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get usedBytes(): number {
    return nativeQueues.bytesTowards(this.object.handle, CONSUMER)
  }

  /**
   * Whether no message is in it, at about this instant.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get isEmpty(): boolean {
    return this.usedBytes === 0
  }

  /**
   * Whether the producer has ended the queue: no message follows.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get isEnded(): boolean {
    return nativeQueues.endIsClosed(this.object.handle, PRODUCER)
  }
}

function ringOf(options: SpscOptions | undefined): number {
  const { capacity = 65536 } = checkOptions(options, SPSC_OPTIONS)
  return ringBytes(checkCount('capacity', capacity, 1))
}
