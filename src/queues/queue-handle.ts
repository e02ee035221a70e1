import { FINISH, Holdings, MESSAGE, ROOM } from '../messages/index.js'
import { nativeQueues, nativeSegments, queueFlags } from '../native/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  Handle,
  type Segment,
  type WaitKind,
} from '../objects/index.js'
import { checkBoolean, checkCount, type OptionNames } from '../util/index.js'

/** Options of a queue of many producers and consumers. */
export interface QueueOptions extends CreateOptions {
  /** How many messages it has room for, 1 to 4194304. Default: 1024. */
  capacity?: number
  /**
   * The most bytes of a message that lies in the queue itself, 0 to 2^30. A larger message gets its
   * memory when it is put, which is slower. Default: 2048.
   */
  messageBytes?: number
  /**
   * Whether a message whose reader died before finishing it goes to the next reader, marked
   * `redelivered`: at least once, instead of at most once. Default: false.
   */
  redeliver?: boolean
}

/** The names of these options. A class that has more adds its own. */
export const QUEUE_OPTIONS: OptionNames<QueueOptions> = {
  ...CREATE_OPTIONS,
  capacity: true,
  messageBytes: true,
  redeliver: true,
}

const { REDELIVER, SPILL, STRUCTURES } = queueFlags

const queueWaits: WaitKind = {
  disarm: [MESSAGE, ROOM, FINISH].map(channel => handle => nativeQueues.giveUpQueue(handle, channel)),
  feedsItself: true,
}

/** What a class of queues adds to the options. */
interface Addition {
  spill: boolean
  codec?: number
  /** Whether it has a list of structures, for its codec. */
  structures?: boolean
}

/** Creates the segment of a queue. */
export const createQueue = (
  kind: string,
  name: string | null,
  options: QueueOptions | undefined,
  addition: Addition,
): Segment => createObject(kind, name, options, checkQueue(options, addition))

/** Capacity, message bytes, flags and codec, checked. The caller has checked the names. */
export function checkQueue(
  options: QueueOptions | undefined,
  { spill, codec = 0, structures = false }: Addition = { spill: true },
): number[] {
  const { capacity = 1024, messageBytes = 2048, redeliver = false } = options ?? {}
  checkBoolean('redeliver', redeliver)
  const flags = (redeliver ? REDELIVER : 0) | (spill ? SPILL : 0) | (structures ? STRUCTURES : 0)
  return [
    checkCount('capacity', capacity, 1, 2 ** 22),
    checkCount('messageBytes', messageBytes, 0, 2 ** 30),
    flags,
    codec,
  ]
}

/** Base of the queues of many producers and consumers. */
export abstract class QueueHandle<Kind extends string> extends Handle<Kind> {
  /** Capacity, message bytes, flags and codec, as the header has them. */
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

  /**
   * How many messages it has room for. A message that is being put, or that was received and not
   * released, takes room, too.
   */
  get capacity(): number {
    return this.#params[0] as number
  }

  /** The most bytes of a message that lies in the queue itself. */
  get messageBytes(): number {
    return this.#params[1] as number
  }

  /** Whether a message whose reader died goes to the next reader. */
  get redeliver(): boolean {
    return ((this.#params[2] as number) & REDELIVER) !== 0
  }

  /** Whether it takes messages of more than `messageBytes`. @internal */
  protected get spills(): boolean {
    return ((this.#params[2] as number) & SPILL) !== 0
  }

  /** @internal */
  protected get holdings(): Holdings {
    return this.#holdings
  }

  /** @internal */
  protected get codecId(): number {
    return this.#params[3] as number
  }

  /**
   * How many messages are in it, at about this instant. With `redeliver`, those of dead readers are
   * among them.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT
   */
  get size(): number {
    return nativeQueues.queueSize(this.object.handle)
  }

  /**
   * Whether no message is in it, at about this instant.
   *
   * @throws {CrossmemError} as `size`
   */
  get isEmpty(): boolean {
    return this.size === 0
  }

  /**
   * Whether as many messages are in it as it has room for, at about this instant. A message that is
   * being put, or that was received and not released, takes room, too: so a put may have to wait
   * although this is false.
   *
   * @throws {CrossmemError} as `size`
   */
  get isFull(): boolean {
    return this.size >= this.capacity
  }

  /**
   * Ends the queue for all processes. Puts fail with ERR_ENDED from now on; gets do so once the
   * queue is empty. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  end(): void {
    const { object } = this
    nativeQueues.endQueue(object.handle)
    object.serveWaiters()
  }

  /**
   * Whether `end()` was called, by any process.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get isEnded(): boolean {
    return nativeQueues.queueHasEnded(this.object.handle)
  }

  /**
   * Closes this handle. Messages that were put stay. A message that was received and not released
   * counts as if this process had died: with `redeliver` it goes to the next reader, else it is
   * lost. With the last handle of this thread, pending waits reject with ERR_CLOSED. Calling it
   * again does nothing.
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
