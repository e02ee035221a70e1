import { forRecord, forRoom } from '../messages/index.js'
import { nativeQueues } from '../native/index.js'
import { Handle, type Segment, type WaitKind } from '../objects/index.js'

/** The end of a channel that pops from ring 0, and the other one. */
export const CONSUMER = 0
export const PRODUCER = 1

/** Waits at a channel: for a record at end 0 and 1, for room at end 0 and 1. */
export const channelWaits: WaitKind = {
  disarm: [
    handle => nativeQueues.giveUpChannel(handle, 0, true),
    handle => nativeQueues.giveUpChannel(handle, 1, true),
    handle => nativeQueues.giveUpChannel(handle, 0, false),
    handle => nativeQueues.giveUpChannel(handle, 1, false),
  ],
  feedsItself: true,
}

/** The least power of two that is a ring's size and at least so many bytes. */
export const ringBytes = (capacity: number): number => 2 ** Math.max(6, Math.ceil(Math.log2(capacity)))

/** A role at a queue of one producer and one consumer, until it is closed. */
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

  /** Gives the role back: the next one may take it. What was put in stays. Waits of this thread reject with ERR_CLOSED. Idempotent. */
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
