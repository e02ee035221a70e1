import { nativeQueues, nativeSegments } from '../native/index.js'
import { type CreateOptions, createObject, Handle, openOrCreate, Segment } from '../objects/index.js'
import { checkCount } from '../util/index.js'
import { CONSUMER, channelWaits, PRODUCER, ringBytes } from './channel-end.js'
import { SpscConsumer } from './spsc-consumer.js'
import { SpscProducer } from './spsc-producer.js'

/** How to make a queue of one producer and one consumer. */
export interface SpscOptions extends CreateOptions {
  /** Bytes of its ring, rounded up to a power of two; a message takes 8 bytes more than it has, in multiples of 8. Default: 65536. */
  capacity?: number
}

/**
 * A queue of bytes from one producer to one consumer: a ring of records. The two ends are roles: whoever takes one has it until
 * it closes it or dies; then the next one takes it over with everything that is in the ring.
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
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: SpscOptions): SpscQueue {
    const { capacity = 65536 } = options ?? {}
    const params = [ringBytes(checkCount('capacity', capacity, 1))]
    return new SpscQueue(createObject('SpscQueue', name, options, params))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): SpscQueue {
    return new SpscQueue(Segment.open(name, 'SpscQueue'))
  }

  /**
   * Opens it if it exists, whatever its capacity, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both
   */
  static openOrCreate(name: string, options?: SpscOptions): SpscQueue {
    return openOrCreate(
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
    using queue = SpscQueue.open(name)
    return queue.openProducer()
  }

  /**
   * Opens the queue of that name and takes its consumer's end.
   *
   * @throws {CrossmemError} as `open` and `openConsumer`
   */
  static openConsumer(name: string): SpscConsumer {
    using queue = SpscQueue.open(name)
    return queue.openConsumer()
  }

  /**
   * Takes the producer's end, from nobody or from the dead.
   *
   * @throws {CrossmemError} ERR_BUSY: somebody living has it
   */
  openProducer(): SpscProducer {
    return new SpscProducer(this.object.segment)
  }

  /**
   * Takes the consumer's end, from nobody or from the dead; what the dead one had not finished reading comes again.
   *
   * @throws {CrossmemError} ERR_BUSY: somebody living has it
   */
  openConsumer(): SpscConsumer {
    return new SpscConsumer(this.object.segment)
  }

  /** Bytes of the ring. */
  get capacity(): number {
    return nativeSegments.objectParams(this.object.handle)[0] as number
  }

  /** Most bytes of a message: half the ring, less 8. */
  get maxMessageBytes(): number {
    return this.capacity / 2 - 8
  }

  /** Bytes of the ring that are in use, at about this instant. */
  get usedBytes(): number {
    return nativeQueues.bytesTowards(this.object.handle, CONSUMER)
  }

  /** Whether nothing is in it, at about this instant. */
  get isEmpty(): boolean {
    return this.usedBytes === 0
  }

  /** Whether the producer has ended it: nothing is put in any more. */
  get isEnded(): boolean {
    return nativeQueues.endIsClosed(this.object.handle, PRODUCER)
  }
}
