import {
  asBytes,
  channelSource,
  checkRoom,
  copyInto,
  Inbox,
  NO_MESSAGE,
  untilEnded,
} from '../messages/index.js'
import { nativeRecords, pad } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { ChannelEnd, CONSUMER } from './channel-end.js'

const { elsewhere } = pad

/**
 * The end of an {@link SpscQueue} that takes messages out.
 *
 * @example
 * ```js
 * import { SpscQueue } from 'crossmem'
 *
 * const queue = SpscQueue.create(null)
 * const producer = queue.openProducer()
 * const consumer = queue.openConsumer()
 * producer.pushManySync([Uint8Array.of(1), Uint8Array.of(2)])
 * console.log(consumer.peek()) // Uint8Array(1) [ 1 ]
 * consumer.release()
 * console.log(consumer.tryPop(), consumer.tryPop()) // Uint8Array(1) [ 2 ] undefined
 * for (const handle of [producer, consumer, queue]) handle.close()
 * ```
 */
export class SpscConsumer extends ChannelEnd implements AsyncIterable<Uint8Array> {
  readonly #inbox: Inbox<Uint8Array>

  /** @internal */
  constructor(segment: Segment) {
    super(segment, CONSUMER)
    this.#inbox = this.orClose(object => new Inbox(channelSource(object, CONSUMER), asBytes))
  }

  /**
   * Takes a message out if there is one. Returns `undefined` if there is none, and when the queue
   * has ended.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT
   */
  tryPop(): Uint8Array | undefined {
    return this.#in.tryGet()
  }

  /**
   * Takes a message out, once there is one.
   *
   * @throws {CrossmemError} ERR_ENDED: the producer ended the queue, and it is empty.
   *   ERR_INVALID_ARG: an option is refused. ERR_TIMEOUT, ERR_CLOSED, ERR_CORRUPT. ERR_NOT_FOUND:
   *   the queue was unlinked meanwhile. Or the signal's reason
   */
  async pop(options?: WaitOptions): Promise<Uint8Array> {
    const now = this.#in.getNow(options)
    return now === NO_MESSAGE ? await this.#in.get(options) : now
  }

  /** As `pop`, but blocks this thread. */
  popSync(options?: SyncWaitOptions): Uint8Array {
    return this.#in.getSync(options)
  }

  /**
   * Takes out at most `max` of the messages that are there now, none if the queue has ended.
   * Several of them may share one buffer.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `tryPop`. ERR_INVALID_ARG: `max` is refused
   */
  tryPopMany(max: number): Uint8Array[] {
    return this.#in.tryGetMany(max)
  }

  /**
   * Takes out at most `max` messages, once there is at least one. Several of them
   * may share one buffer.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `pop`
   */
  async popMany(max: number, options?: WaitOptions): Promise<Uint8Array[]> {
    return this.#in.getMany(max, options)
  }

  /** As `popMany`, but blocks this thread. */
  popManySync(max: number, options?: SyncWaitOptions): Uint8Array[] {
    return this.#in.getManySync(max, options)
  }

  /**
   * Takes a message out and copies it into `buffer`. Returns its length, or `undefined` if there is
   * none.
   *
   * @throws {CrossmemError} as `tryPop`. ERR_INVALID_ARG: `buffer` is no Uint8Array. ERR_TOO_LARGE:
   *   the message doesn't fit; it is the error's `cause`
   */
  tryPopInto(buffer: Uint8Array): number | undefined {
    checkRoom(buffer)
    const message = this.tryPop()
    return message && copyInto(message, buffer)
  }

  /**
   * As `pop`, but copies the message into `buffer`. Returns its length.
   *
   * @throws {CrossmemError} as `pop` and `tryPopInto`
   */
  async popInto(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    checkRoom(buffer)
    return copyInto(await this.pop(options), buffer)
  }

  /** As `popInto`, but blocks this thread. */
  popIntoSync(buffer: Uint8Array, options?: SyncWaitOptions): number {
    checkRoom(buffer)
    return copyInto(this.popSync(options), buffer)
  }

  /**
   * Returns a view of the next message in the ring, valid until `release()` or until the message is
   * taken out in another way. Returns `undefined` if there is none now, and when the queue has
   * ended.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT. ERR_DETACHED: the ArrayBuffer of an earlier
   *   view was transferred. ERR_NO_EXTERNAL_BUFFERS: the runtime can't show shared memory
   *   (Electron); use `pop`
   */
  peek(): Uint8Array | undefined {
    const { object } = this
    const { buffer } = object.segment
    const status = nativeRecords.peekRecord(object.handle, CONSUMER, TRY)
    return status < 0 ? undefined : new Uint8Array(buffer, elsewhere[0], elsewhere[1])
  }

  /**
   * Takes out the message that `peek()` returned. The producer may overwrite its bytes from now on.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: there is no such message. ERR_CLOSED
   */
  release(): void {
    nativeRecords.releaseRecord(this.object.handle, CONSUMER)
  }

  /**
   * Yields messages until the queue has ended and is empty.
   *
   * @throws {CrossmemError} as `pop`, but not ERR_ENDED
   */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    return untilEnded(() => this.pop())
  }

  get #in(): Inbox<Uint8Array> {
    void this.object
    return this.#inbox
  }
}
