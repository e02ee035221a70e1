import { asBytes, channelSource, checkRoom, copyInto, Inbox, untilEnded, view } from '../messages/index.js'
import { elsewhere, nativeRecords } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { ChannelEnd, CONSUMER } from './channel-end.js'

/** The end of an {@link SpscQueue} that takes messages out. */
export class SpscConsumer extends ChannelEnd implements AsyncIterable<Uint8Array> {
  readonly #inbox: Inbox<Uint8Array>

  /** @internal */
  constructor(segment: Segment) {
    super(segment, CONSUMER)
    this.#inbox = this.orClose(object => new Inbox(channelSource(object, CONSUMER), asBytes))
  }

  /**
   * Takes a message out if there is one; `undefined` otherwise, also at the end.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT
   */
  tryPop(): Uint8Array | undefined {
    return this.#in.tryGet()
  }

  /**
   * Takes a message out, once there is one.
   *
   * @throws {CrossmemError} ERR_ENDED (the producer ended the queue, and it is empty), ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND
   *   (unlinked meanwhile), ERR_CORRUPT, or the signal's reason
   */
  async pop(options?: WaitOptions): Promise<Uint8Array> {
    return this.#in.get(options)
  }

  /** As `pop`, on this thread. */
  popSync(options?: SyncWaitOptions): Uint8Array {
    return this.#in.getSync(options)
  }

  /** Takes out at most `max` messages that are there now; they share one buffer. */
  tryPopMany(max: number): Uint8Array[] {
    return this.#in.tryGetMany(max)
  }

  /** Takes out at most `max` messages, once there is one. */
  async popMany(max: number, options?: WaitOptions): Promise<Uint8Array[]> {
    return this.#in.getMany(max, options)
  }

  /** As `popMany`, on this thread. */
  popManySync(max: number, options?: SyncWaitOptions): Uint8Array[] {
    return this.#in.getManySync(max, options)
  }

  /**
   * Takes a message out into a buffer of yours; how many bytes, or `undefined` if there is none.
   *
   * @throws {CrossmemError} as `tryPop`, and ERR_TOO_LARGE: it doesn't fit, and is the error's `cause`
   */
  tryPopInto(buffer: Uint8Array): number | undefined {
    checkRoom(buffer)
    const message = this.tryPop()
    return message && copyInto(message, buffer)
  }

  /** As `pop`, into a buffer of yours; how many bytes. */
  async popInto(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    checkRoom(buffer)
    return copyInto(await this.pop(options), buffer)
  }

  /** As `popInto`, on this thread. */
  popIntoSync(buffer: Uint8Array, options?: SyncWaitOptions): number {
    checkRoom(buffer)
    return copyInto(this.popSync(options), buffer)
  }

  /** The next message where it lies in the ring, until `release()`; `undefined` if there is none now. */
  peek(): Uint8Array | undefined {
    const { object } = this
    const status = nativeRecords.peekRecord(object.handle, CONSUMER, TRY)
    return status < 0 ? undefined : view(object, elsewhere[0] as number, elsewhere[1] as number)
  }

  /**
   * Takes out the message that `peek()` showed: its bytes are the producer's again.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: there is none
   */
  release(): void {
    nativeRecords.releaseRecord(this.object.handle, CONSUMER)
  }

  /** Message after message, until the queue has ended and is empty. */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    return untilEnded(() => this.pop())
  }

  get #in(): Inbox<Uint8Array> {
    void this.object
    return this.#inbox
  }
}
