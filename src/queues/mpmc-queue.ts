import { CrossmemError } from '../errors.js'
import {
  asBytes,
  checkBytes,
  checkRoom,
  copyInto,
  copyTaken,
  hasEnded,
  Inbox,
  type Message,
  Outbox,
  queueSink,
  queueSource,
  Receiver,
  untilEnded,
  valuesOf,
} from '../messages/index.js'
import { elsewhere, messageFlags, nativeMessages, transfers } from '../native/index.js'
import { openOrCreate, Segment } from '../objects/index.js'
import { checkBoolean, checkCount } from '../util/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { createQueue, QueueHandle, type QueueOptions } from './queue-handle.js'

const { ENDED } = transfers
const { SPILLED } = messageFlags

/** How to make a queue of bytes. */
export interface MpmcOptions extends QueueOptions {
  /** Whether messages over `messageBytes` go through segments of their own; otherwise they are refused, ERR_TOO_LARGE. Default: true. */
  spill?: boolean
}

/**
 * A queue of bytes, from any number of producers to any number of consumers. Lock-free: a process that is stopped stops nobody; one
 * that is killed loses at most the message it had taken and not handed over.
 */
export class MpmcQueue extends QueueHandle<'MpmcQueue'> implements AsyncIterable<Uint8Array> {
  readonly #outbox: Outbox<Uint8Array>
  readonly #inbox: Inbox<Uint8Array>
  readonly #receiver: Receiver<Uint8Array>
  /** Chunks that were shown and not given back, by their views. */
  readonly #reserved = new Map<Uint8Array, number>()
  readonly #peeked = new Map<Uint8Array, number>()

  private constructor(segment: Segment) {
    super(segment, 'MpmcQueue')
    this.#outbox = new Outbox(queueSink(this.object, this.messageBytes), checkBytes)
    this.#inbox = new Inbox(queueSource(this.object), asBytes)
    this.#receiver = new Receiver(this.object, this.holdings, asBytes)
  }

  /** @internal */
  static attach(segment: Segment): MpmcQueue {
    return new MpmcQueue(segment)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: MpmcOptions): MpmcQueue {
    const spill = checkBoolean('spill', options?.spill ?? true)
    return new MpmcQueue(createQueue('MpmcQueue', name, options, { spill }))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): MpmcQueue {
    return new MpmcQueue(Segment.open(name, 'MpmcQueue'))
  }

  /**
   * Opens it if it exists, as it was made, else creates it; all sides may start in any order.
   *
   * @throws {CrossmemError} as both
   */
  static openOrCreate(name: string, options?: MpmcOptions): MpmcQueue {
    return openOrCreate(
      () => MpmcQueue.open(name),
      () => MpmcQueue.create(name, options),
    )
  }

  /**
   * Puts a message in if there is room at once.
   *
   * @throws {CrossmemError} ERR_TOO_LARGE (with `spill: false`), ERR_ENDED, ERR_CLOSED, ERR_CORRUPT; for a message over
   *   `messageBytes` also ERR_NO_SPACE, ERR_LIMIT
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

  /** Puts in all of them, in order, as there is room; others' may come between them. A time-out is for each wait. */
  async pushMany(messages: readonly Uint8Array[], options?: WaitOptions): Promise<void> {
    return this.#out.putMany(messages, options)
  }

  /** As `pushMany`, on this thread. */
  pushManySync(messages: readonly Uint8Array[], options?: SyncWaitOptions): void {
    this.#out.putManySync(messages, options)
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
   * @throws {CrossmemError} ERR_ENDED (the queue was ended, and is empty), ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked
   *   meanwhile), ERR_CORRUPT, or the signal's reason
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

  /** As `tryPop`, but the message keeps its place until it is released: if this process dies before, see `redeliver`. */
  tryReceive(): Message<Uint8Array> | undefined {
    return this.#messages.tryReceive()
  }

  /** As `pop`, but the message keeps its place until it is released. */
  async receive(options?: WaitOptions): Promise<Message<Uint8Array>> {
    return this.#messages.receive(options)
  }

  /** As `receive`, on this thread. */
  receiveSync(options?: SyncWaitOptions): Message<Uint8Array> {
    return this.#messages.receiveSync(options)
  }

  /**
   * Room for a message of at most `length` bytes in the queue itself, to be written and committed or cancelled; `undefined` if there
   * is none now.
   *
   * @param length at most `messageBytes`
   * @throws {CrossmemError} ERR_INVALID_ARG, ERR_ENDED, ERR_CLOSED
   */
  reserve(length: number): Uint8Array | undefined {
    const { object } = this
    checkCount('length', length, 0, this.messageBytes)
    const { buffer } = object.segment
    const status = nativeMessages.reserveMessage(object.handle, TRY)
    if (status === ENDED) throw hasEnded(this.name)
    if (status < 0) return undefined
    const [offset = 0, , , chunk = 0] = elsewhere
    const room = new Uint8Array(buffer, offset, length)
    this.holdings.reserved(chunk)
    this.#reserved.set(room, chunk)
    return room
  }

  /**
   * Puts in what was written to a reservation.
   *
   * @param length bytes of it, from the first on. Default: all of them
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it isn't one, or was committed or cancelled
   */
  commit(reservation: Uint8Array, length = reservation.byteLength): void {
    void this.object
    checkCount('length', length, 0, reservation.byteLength)
    this.holdings.commit(giveBack(this.#reserved, reservation), length)
  }

  /** Gives a reservation back. */
  cancel(reservation: Uint8Array): void {
    void this.object
    this.holdings.cancel(giveBack(this.#reserved, reservation))
  }

  /**
   * Takes a message and shows it where it lies, until `release(view)`; `undefined` if there is none now. If this process dies before,
   * see `redeliver`. A message that has a segment of its own is copied.
   */
  peek(): Uint8Array | undefined {
    const { object } = this
    const { buffer } = object.segment
    if (nativeMessages.takeMessage(object.handle, TRY) < 0) return undefined
    const [offset = 0, length = 0, flags = 0, chunk = 0] = elsewhere
    const shown = flags & SPILLED ? copyTaken(object) : new Uint8Array(buffer, offset, length)
    this.holdings.took(chunk)
    this.#peeked.set(shown, chunk)
    return shown
  }

  /**
   * Done with a message that `peek()` showed.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it isn't one, or was released
   */
  release(shown: Uint8Array): void {
    void this.object
    this.holdings.free(giveBack(this.#peeked, shown))
  }

  /**
   * Message after message, until the queue has ended and is empty. In a queue that redelivers, a message is done with when the next
   * one is asked for.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    return this.redeliver ? valuesOf(untilEnded(() => this.receive())) : untilEnded(() => this.pop())
  }

  get #out(): Outbox<Uint8Array> {
    void this.object
    return this.#outbox
  }

  get #in(): Inbox<Uint8Array> {
    void this.object
    return this.#inbox
  }

  get #messages(): Receiver<Uint8Array> {
    void this.object
    return this.#receiver
  }
}

function giveBack(views: Map<Uint8Array, number>, view: Uint8Array): number {
  const chunk = views.get(view)
  if (chunk === undefined) {
    throw new CrossmemError(
      'ERR_LOST_OWNERSHIP',
      'that is not a view of this queue, or it was given back before',
    )
  }
  views.delete(view)
  return chunk
}
