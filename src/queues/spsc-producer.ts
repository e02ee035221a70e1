import { asTheyAre, channelSink, hasEnded, Outbox } from '../messages/index.js'
import { nativeQueues, nativeRecords, nativeSegments, pad, transfers } from '../native/index.js'
import type { Segment } from '../objects/index.js'
import { checkCount } from '../util/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { ChannelEnd, PRODUCER } from './channel-end.js'

const { ENDED } = transfers
const { elsewhere } = pad

/**
 * The end of an {@link SpscQueue} that puts messages in.
 *
 * @example
 * ```js
 * import { SpscQueue } from 'crossmem'
 *
 * const queue = SpscQueue.create(null)
 * const producer = queue.openProducer()
 * producer.reserve(2)?.set([1, 2])
 * producer.commit()
 * console.log(queue.usedBytes) // 16
 * for (const handle of [producer, queue]) handle.close()
 * ```
 */
export class SpscProducer extends ChannelEnd {
  readonly #outbox: Outbox<Uint8Array>
  /** The length of the last reservation. */
  #reserved = 0

  /** @internal */
  constructor(segment: Segment) {
    super(segment, PRODUCER)
    this.#outbox = this.orClose(object => {
      const capacity = nativeSegments.objectParams(object.handle)[0] as number
      const most = capacity / 2 - 8
      return new Outbox(channelSink(object, PRODUCER, most), asTheyAre(object.name, most))
    })
  }

  /**
   * Puts a message in if there is room now and no `push` of this thread waits. Returns whether it
   * was put.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it is no Uint8Array. ERR_TOO_LARGE: it is longer than
   *   half the ring, less 8. ERR_ENDED, ERR_CLOSED, ERR_CORRUPT
   */
  tryPush(message: Uint8Array): boolean {
    return this.#out.tryPut(message)
  }

  /**
   * Puts a message in, once there is room. The caller must not change its bytes before that.
   *
   * @throws {CrossmemError} as `tryPush`, and ERR_TIMEOUT. ERR_INVALID_ARG: an option is refused.
   *   ERR_NOT_FOUND: the queue was unlinked meanwhile. Or the signal's reason
   */
  async push(message: Uint8Array, options?: WaitOptions): Promise<void> {
    const later = this.#out.put(message, options)
    if (later) await later
  }

  /** As `push`, but blocks this thread. It goes ahead of messages that wait in `push`. */
  pushSync(message: Uint8Array, options?: SyncWaitOptions): void {
    this.#out.putSync(message, options)
  }

  /**
   * Puts as many of the first messages as there is room for now, none while a `push` of this thread
   * waits. Returns how many. If one is refused, none is put.
   *
   * @throws {CrossmemError} as `tryPush`. ERR_INVALID_ARG: `messages` is no array
   */
  tryPushMany(messages: readonly Uint8Array[]): number {
    return this.#out.tryPutMany(messages)
  }

  /**
   * Puts messages in, in order, as there is room. If one is refused, none is put. The timeout
   * counts for each wait; what went in before stays in.
   *
   * @throws {CrossmemError} as `push`. ERR_INVALID_ARG: `messages` is no array
   */
  async pushMany(messages: readonly Uint8Array[], options?: WaitOptions): Promise<void> {
    return this.#out.putMany(messages, options)
  }

  /** As `pushMany`, but blocks this thread. */
  pushManySync(messages: readonly Uint8Array[], options?: SyncWaitOptions): void {
    this.#out.putManySync(messages, options)
  }

  /**
   * Reserves room for a message of `length` bytes in the ring itself. Write the message there, then
   * call `commit`. Returns `undefined` if there is no room now. A new reservation replaces the last
   * one, and a message that is put in another way ends it.
   *
   * @throws {CrossmemError} as `tryPush`. ERR_INVALID_ARG: `length` is no integer from 0 up.
   *   ERR_DETACHED: the ArrayBuffer of an earlier view was transferred. ERR_NO_EXTERNAL_BUFFERS:
   *   the runtime can't show shared memory (Electron); use `push`
   */
  reserve(length: number): Uint8Array | undefined {
    const { object } = this
    checkCount('length', length, 0)
    const { buffer } = object.segment
    const status = nativeRecords.reserveRecord(object.handle, PRODUCER, length, TRY)
    if (status === ENDED) throw hasEnded(this.name)
    if (status < 0) return undefined
    this.#reserved = length
    return new Uint8Array(buffer, elsewhere[0], length)
  }

  /**
   * Puts the message in that was written to the reservation.
   *
   * @param length how many bytes of the reservation it has. Default: all
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: there is no reservation. ERR_TOO_LARGE: it is
   *   longer than the reservation. ERR_INVALID_ARG: `length` is no integer from 0 up. ERR_CLOSED
   */
  commit(length = this.#reserved): void {
    const { handle } = this.object
    nativeRecords.commitRecord(handle, PRODUCER, checkCount('length', length, 0))
  }

  /**
   * Ends the queue. The consumer takes out the messages that are in it, and then gets ERR_ENDED.
   * Calling it again does nothing; no later producer can put messages in.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
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
