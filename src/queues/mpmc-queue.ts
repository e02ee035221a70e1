import { CrossmemError } from '../errors.js'
import {
  asBytes,
  asTheyAre,
  checkRoom,
  copyInto,
  copyTaken,
  hasEnded,
  Inbox,
  type Message,
  NO_MESSAGE,
  Outbox,
  queueSink,
  queueSource,
  Receiver,
  untilEnded,
  valuesOf,
} from '../messages/index.js'
import { messageFlags, nativeMessages, pad, transfers } from '../native/index.js'
import { openOrCreate, Segment, whenCreated } from '../objects/index.js'
import { checkBoolean, checkCount, checkOptions, type OptionNames } from '../util/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { checkQueue, createQueue, QUEUE_OPTIONS, QueueHandle, type QueueOptions } from './queue-handle.js'

const { ENDED } = transfers
const { elsewhere } = pad
const { SPILLED } = messageFlags

/** Options of a queue of bytes. */
export interface MpmcOptions extends QueueOptions {
  /**
   * Whether a message over `messageBytes` gets its memory when it is put. If not, it is refused:
   * ERR_TOO_LARGE. Default: true.
   */
  spill?: boolean
}

const MPMC_OPTIONS: OptionNames<MpmcOptions> = { ...QUEUE_OPTIONS, spill: true }

/**
 * A queue of bytes, from any number of producers to any number of consumers. It is lock-free: a
 * stopped process stops no other process. If a process is killed, at most the message that it had
 * taken is lost; with `redeliver` not even that.
 *
 * @example
 * ```js
 * import { MpmcQueue } from 'crossmem'
 *
 * const frames = MpmcQueue.create(null, { capacity: 64, messageBytes: 1024 })
 * frames.pushSync(Uint8Array.of(1, 2, 3))
 * console.log(frames.size, frames.popSync()) // 1 Uint8Array(3) [ 1, 2, 3 ]
 * frames.close()
 * ```
 */
export class MpmcQueue extends QueueHandle<'MpmcQueue'> implements AsyncIterable<Uint8Array> {
  readonly #outbox: Outbox<Uint8Array>
  readonly #inbox: Inbox<Uint8Array>
  readonly #receiver: Receiver<Uint8Array>
  /** The chunks that were shown and not given back, by their views. */
  readonly #reserved = new Map<Uint8Array, number>()
  readonly #peeked = new Map<Uint8Array, number>()

  private constructor(segment: Segment) {
    super(segment, 'MpmcQueue')
    const limit = this.spills ? Number.POSITIVE_INFINITY : this.messageBytes
    this.#outbox = new Outbox(queueSink(this.object, this.messageBytes), asTheyAre(this.name, limit))
    this.#inbox = new Inbox(queueSource(this.object), asBytes)
    this.#receiver = new Receiver(this.object, this.holdings, asBytes.finish)
  }

  /** @internal */
  static attach(segment: Segment): MpmcQueue {
    return new MpmcQueue(segment)
  }

  /**
   * Creates an empty queue.
   *
   * @param name `null` makes a random name
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: MpmcOptions): MpmcQueue {
    return new MpmcQueue(createQueue('MpmcQueue', name, options, spillOf(options)))
  }

  /**
   * Opens a queue that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME,
   *   ERR_PERMISSION, ERR_LIMIT
   */
  static open(name: string): MpmcQueue {
    return new MpmcQueue(Segment.open(name, 'MpmcQueue'))
  }

  /**
   * Opens the queue once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<MpmcQueue> {
    return whenCreated(name, () => MpmcQueue.open(name), options)
  }

  /**
   * Opens the queue if it exists, with the options that it was created with, else creates it.
   * Processes may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate(name: string, options?: MpmcOptions): MpmcQueue {
    const addition = spillOf(options)
    checkQueue(options, addition)
    return openOrCreate(
      options,
      () => MpmcQueue.open(name),
      () => MpmcQueue.create(name, options),
    )
  }

  /**
   * Puts a message in if there is room now and no `push` of this thread waits. Returns whether it
   * was put.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it is no Uint8Array. ERR_TOO_LARGE: only with `spill:
   *   false`. ERR_ENDED, ERR_CLOSED, ERR_CORRUPT. ERR_NO_SPACE: only for a message over
   *   `messageBytes`
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
   * Puts messages in, in order, as there is room. Messages of other producers may come between
   * them. If one is refused, none is put. The timeout counts for each wait; what went in before
   * stays in.
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
   * @throws {CrossmemError} ERR_ENDED: the queue was ended and is empty. ERR_INVALID_ARG: an option
   *   is refused. ERR_TIMEOUT, ERR_CLOSED, ERR_CORRUPT. ERR_NOT_FOUND: the queue was unlinked
   *   meanwhile. Or the signal's reason
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
   * Takes out at most `max` of the messages that are there now, none if the queue has ended. They
   * share one buffer.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `tryPop`. ERR_INVALID_ARG: `max` is refused
   */
  tryPopMany(max: number): Uint8Array[] {
    return this.#in.tryGetMany(max)
  }

  /**
   * Takes out at most `max` messages, once there is at least one. They share one buffer.
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
   * As `tryPop`, but the message keeps its slot until it is released. If this process dies first,
   * see `redeliver`.
   *
   * @throws {CrossmemError} as `tryPop`
   */
  tryReceive(): Message<Uint8Array> | undefined {
    return this.#messages.tryReceive()
  }

  /**
   * As `pop`, but the message keeps its slot until it is released.
   *
   * @throws {CrossmemError} as `pop`
   */
  async receive(options?: WaitOptions): Promise<Message<Uint8Array>> {
    return this.#messages.receive(options)
  }

  /** As `receive`, but blocks this thread. */
  receiveSync(options?: SyncWaitOptions): Message<Uint8Array> {
    return this.#messages.receiveSync(options)
  }

  /**
   * Reserves room for a message in the queue itself. Write the message there, then call `commit` or
   * `cancel`. Returns `undefined` if there is no room now.
   *
   * @param length bytes to reserve, at most `messageBytes`
   * @throws {CrossmemError} ERR_INVALID_ARG: `length` is refused. ERR_ENDED, ERR_CLOSED,
   *   ERR_CORRUPT. ERR_DETACHED: the ArrayBuffer of an earlier view was transferred.
   *   ERR_NO_EXTERNAL_BUFFERS: the runtime can't show shared memory (Electron); use `push`
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
   * Puts the message in that was written to a reservation.
   *
   * @param length how many bytes of the reservation it has. Default: all
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it is no reservation of this queue, or was
   *   committed or cancelled before. ERR_INVALID_ARG: `length` is more than the reservation has.
   *   ERR_DETACHED: its ArrayBuffer was transferred. ERR_CLOSED
   */
  commit(reservation: Uint8Array, length = reservation.byteLength): void {
    const { object } = this
    // A transfer empties it.
    if (reservation.length === 0) void object.segment.buffer
    checkCount('length', length, 0, reservation.byteLength)
    this.holdings.commit(giveBack(this.#reserved, reservation), length)
  }

  /**
   * Gives a reservation back without putting a message.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: as `commit`. ERR_CLOSED
   */
  cancel(reservation: Uint8Array): void {
    void this.object
    this.holdings.cancel(giveBack(this.#reserved, reservation))
  }

  /**
   * Takes a message and returns a view of it in shared memory, valid until `release(view)`. Returns
   * `undefined` if there is none now, and when the queue has ended. If this process dies first, see
   * `redeliver`. A message over `messageBytes` is copied.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_CORRUPT. ERR_DETACHED: the ArrayBuffer of an earlier
   *   view was transferred. ERR_NO_EXTERNAL_BUFFERS: the runtime can't show shared memory
   *   (Electron); use `pop` or `receive`
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
   * Finishes a message that `peek()` returned.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it is no message of this queue, or was released
   *   before. ERR_CLOSED
   */
  release(shown: Uint8Array): void {
    void this.object
    this.holdings.free(giveBack(this.#peeked, shown))
  }

  /**
   * Yields messages until the queue has ended and is empty. With `redeliver`, a message counts as
   * finished when the next one is asked for.
   *
   * @throws {CrossmemError} as `pop`, but not ERR_ENDED
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

const spillOf = (options: MpmcOptions | undefined): { spill: boolean } => ({
  spill: checkBoolean('spill', checkOptions(options, MPMC_OPTIONS).spill ?? true),
})

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
