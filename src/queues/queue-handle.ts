import { FINISH, Holdings, MESSAGE, ROOM } from '../messages/index.js'
import { nativeQueues, nativeSegments, queueFlags } from '../native/index.js'
import { type CreateOptions, createObject, Handle, type Segment, type WaitKind } from '../objects/index.js'
import { checkBoolean, checkCount } from '../util/index.js'

/** How to make a queue. */
export interface QueueOptions extends CreateOptions {
  /** Messages that it has room for. Default: 1024. */
  capacity?: number
  /** Bytes of a message that lies in the queue itself; larger ones go through a segment of their own, which is slower. Default: 2048. */
  messageBytes?: number
  /**
   * A message whose reader died before it was done with it goes to the next one, marked `redelivered`: at least once, instead of
   * at most once. Default: false.
   */
  redeliver?: boolean
}

const { REDELIVER, SPILL } = queueFlags

const queueWaits: WaitKind = {
  disarm: [MESSAGE, ROOM, FINISH].map(channel => handle => nativeQueues.giveUpQueue(handle, channel)),
  feedsItself: true,
}

/** Makes the segment of a queue. */
export function createQueue(
  kind: string,
  name: string | null,
  options: QueueOptions | undefined,
  { spill, codec = 0 }: { spill: boolean; codec?: number },
): Segment {
  const { capacity = 1024, messageBytes = 2048, redeliver = false } = options ?? {}
  checkBoolean('redeliver', redeliver)
  const flags = (redeliver ? REDELIVER : 0) | (spill ? SPILL : 0)
  return createObject(kind, name, options, [
    checkCount('capacity', capacity, 1, 2 ** 22),
    checkCount('messageBytes', messageBytes, 0, 2 ** 30),
    flags,
    codec,
  ])
}

/** What all queues of many producers and consumers have in common. */
export abstract class QueueHandle<Kind extends string> extends Handle<Kind> {
  /** What it was made with: see `PARAMS` in the core. */
  readonly #params: number[]
  readonly #holdings: Holdings
  #isOpen = true

  /** @internal */
  protected constructor(segment: Segment, kind: Kind) {
    super(segment, kind, queueWaits)
    this.#params = nativeSegments.objectParams(this.object.handle)
    this.#holdings = new Holdings(this.object)
    this.orClose(({ handle }) => nativeQueues.joinQueue(handle))
  }

  /** Messages that it has room for; one that is being put or taken at this instant takes room, too. */
  get capacity(): number {
    return this.#params[0] as number
  }

  /** Bytes of a message that lies in the queue itself. */
  get messageBytes(): number {
    return this.#params[1] as number
  }

  /** Whether a message whose reader died goes to the next one. */
  get redeliver(): boolean {
    return ((this.#params[2] as number) & REDELIVER) !== 0
  }

  /** @internal */
  protected get holdings(): Holdings {
    return this.#holdings
  }

  /** @internal */
  protected get codecId(): number {
    return this.#params[3] as number
  }

  /** Messages in it, at about this instant. */
  get size(): number {
    return nativeQueues.queueSize(this.object.handle)
  }

  /** Whether no message is in it, at about this instant. */
  get isEmpty(): boolean {
    return this.size === 0
  }

  /** Whether as many messages are in it as there is room for, at about this instant. */
  get isFull(): boolean {
    return this.size >= this.capacity
  }

  /** Ends it for everyone: nothing is put in any more, readers take out what is in it and are then told ERR_ENDED. Idempotent. */
  end(): void {
    const { object } = this
    nativeQueues.endQueue(object.handle)
    object.serveWaiters()
  }

  /** Whether it was ended. */
  get isEnded(): boolean {
    return nativeQueues.queueHasEnded(this.object.handle)
  }

  /**
   * Lets go. What was put in stays; a message that was taken and not released goes to the next reader of a queue that redelivers, and is
   * lost elsewhere, as if this process had died. With the last handle of this thread, waits here reject with ERR_CLOSED. Idempotent.
   */
  override close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    try {
      this.#holdings.abandon()
    } finally {
      super.close()
    }
  }
}
