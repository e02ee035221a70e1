import { channelSink, checkBytes, hasEnded, Outbox, view } from '../messages/index.js'
import { elsewhere, nativeQueues, nativeRecords, nativeSegments, transfers } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import { checkCount } from '../util/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { ChannelEnd, PRODUCER } from './channel-end.js'

const { ENDED } = transfers

/** The end of an {@link SpscQueue} that puts messages in. */
export class SpscProducer extends ChannelEnd {
  readonly #outbox: Outbox<Uint8Array>
  /** Bytes of the last reservation. */
  #reserved = 0

  /** @internal */
  constructor(segment: Segment) {
    super(segment, PRODUCER)
    this.#outbox = this.orClose(object => {
      const capacity = nativeSegments.objectParams(object.handle)[0] as number
      return new Outbox(channelSink(object, PRODUCER, capacity / 2 - 8), checkBytes)
    })
  }

  /**
   * Puts a message in if there is room at once.
   *
   * @throws {CrossmemError} ERR_TOO_LARGE (more than half the ring, less 8), ERR_ENDED, ERR_CLOSED, ERR_CORRUPT
   */
  tryPush(message: Uint8Array): boolean {
    return this.#out.tryPut(message)
  }

  /**
   * Puts a message in, once there is room. Don't change its bytes before that.
   *
   * @throws {CrossmemError} as `tryPush`, and ERR_TIMEOUT, ERR_NOT_FOUND (unlinked meanwhile), or the signal's reason
   */
  async push(message: Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#out.put(message, options)
  }

  /** As `push`, on this thread; before messages that wait in `push`. */
  pushSync(message: Uint8Array, options?: SyncWaitOptions): void {
    this.#out.putSync(message, options)
  }

  /** Puts in the first ones of these messages, as many as there is room for now; how many. */
  tryPushMany(messages: readonly Uint8Array[]): number {
    return this.#out.tryPutMany(messages)
  }

  /** Puts in all of them, in order, as there is room. A time-out is for each wait. */
  async pushMany(messages: readonly Uint8Array[], options?: WaitOptions): Promise<void> {
    return this.#out.putMany(messages, options)
  }

  /** As `pushMany`, on this thread. */
  pushManySync(messages: readonly Uint8Array[], options?: SyncWaitOptions): void {
    this.#out.putManySync(messages, options)
  }

  /**
   * Room for a message of `length` bytes in the ring itself, to be written and committed; `undefined` if there is none now. The
   * last reservation counts.
   *
   * @throws {CrossmemError} as `tryPush`
   */
  reserve(length: number): Uint8Array | undefined {
    const { object } = this
    checkCount('length', length, 0)
    const status = nativeRecords.reserveRecord(object.handle, PRODUCER, length, TRY)
    if (status === ENDED) throw hasEnded(this.name)
    if (status < 0) return undefined
    this.#reserved = length
    return view(object, elsewhere[0] as number, length)
  }

  /**
   * Puts in what was written where `reserve` said.
   *
   * @param length bytes of it, from the first on. Default: all that were reserved
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP (nothing is reserved), ERR_TOO_LARGE
   */
  commit(length = this.#reserved): void {
    const { handle } = this.object
    nativeRecords.commitRecord(handle, PRODUCER, checkCount('length', length, 0))
  }

  /** Ends the queue: the consumer takes out what is in it, and is then told ERR_ENDED. */
  end(): void {
    const { object } = this
    nativeQueues.closeEnd(object.handle, PRODUCER)
    object.serveWaiters()
  }

  get #out(): Outbox<Uint8Array> {
    void this.object
    return this.#outbox
  }
}
