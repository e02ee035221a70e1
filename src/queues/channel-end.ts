import { forRecord, forRoom } from '../messages/index.js'
import { nativeQueues, ringOffsets } from '../native/index.js'
import { Handle, type Segment, type WaitKind } from '../objects/index.js'

/** The numbers of a channel's ends. The consumer pops from ring 0, the producer pushes into it. */
export const { CONSUMER, PRODUCER } = ringOffsets

/** The waits at a channel: for a record at end 0 and 1, for room at end 0 and 1. */
export const channelWaits: WaitKind = {
  disarm: [
    handle => nativeQueues.giveUpChannel(handle, 0, true),
    handle => nativeQueues.giveUpChannel(handle, 1, true),
    handle => nativeQueues.giveUpChannel(handle, 0, false),
    handle => nativeQueues.giveUpChannel(handle, 1, false),
  ],
  feedsItself: true,
}

/** The size of the smallest ring of at least `capacity` bytes: a power of two. */
export const ringBytes = (capacity: number): number => 2 ** Math.max(6, Math.ceil(Math.log2(capacity)))

/** Base of the two ends of an SpscQueue. */
export abstract class ChannelEnd extends Handle<'SpscQueue'> {
  readonly #end: number
  #isOurs = false

  /** @internal */
  protected constructor(segment: Segment, end: number) {
    super(segment, 'SpscQueue', channelWaits)
    this.#end = end
    this.orClose(({ handle }) => nativeQueues.takeEnd(handle, end))
    this.#isOurs = true
  }

  /**
   * Gives the end back, so that another handle can take it. Messages that were put stay. Pending
   * waits of this thread reject with ERR_CLOSED. Calling it again does nothing.
   */
  override close(): void {
    const isOurs = this.#isOurs
    this.#isOurs = false
    try {
      if (isOurs) {
        const { object } = this
        object.rejectWaits([forRecord(this.#end), forRoom(this.#end)])
        nativeQueues.releaseEnd(object.handle, this.#end, false)
      }
    } finally {
      super.close()
    }
  }
}
