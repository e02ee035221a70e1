import type { Readable } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { type BoundCodec, type CodecOption, codecFor, codecOf } from '../codecs/index.js'
import {
  Inbox,
  type Message,
  NO_MESSAGE,
  nodeReadableOf,
  Outbox,
  queueSink,
  queueSource,
  Receiver,
  readableOf,
  type Taken,
  untilEnded,
  valuesOf,
  writableOf,
} from '../messages/index.js'
import type { Segment } from '../objects/index.js'
import { checkOptions, type OptionNames } from '../util/index.js'
import { type SyncWaitOptions, WAIT_OPTIONS, type WaitOptions } from '../wait/index.js'
import { checkQueue, createQueue, QUEUE_OPTIONS, QueueHandle, type QueueOptions } from './queue-handle.js'
import { waysOf } from './value-ways.js'

/** Options of a queue of values. */
export interface ValueQueueOptions<T = unknown> extends QueueOptions {
  /**
   * How values become bytes: 'msgpack', 'v8', 'json', or a codec of your own. Default: 'msgpack'.
   */
  codec?: CodecOption<T>
}

/** Options of opening a queue of values. */
export interface OpenQueueOptions<T = unknown> {
  /** The codec that the queue was created with. It is needed only for a codec of your own. */
  codec?: CodecOption<T>
}

const OPEN_OPTIONS: OptionNames<OpenQueueOptions> = { codec: true }
const AWAIT_OPTIONS: OptionNames<OpenQueueOptions & WaitOptions> = { ...OPEN_OPTIONS, ...WAIT_OPTIONS }
const VALUE_QUEUE_OPTIONS: OptionNames<ValueQueueOptions> = { ...QUEUE_OPTIONS, ...OPEN_OPTIONS }

/** The options of a new queue of values, checked. */
export function checkValueQueue<T>(options: ValueQueueOptions<T> | undefined): ValueQueueOptions<T> {
  const checked = checkOptions<ValueQueueOptions<T>>(options, VALUE_QUEUE_OPTIONS)
  checkQueue(checked)
  codecFor(checked.codec)
  return checked
}

/** The codec in the options of opening a queue of values. */
export const codecIn = <T>(options: OpenQueueOptions<T> | undefined): CodecOption<T> | undefined =>
  checkOptions<OpenQueueOptions<T>>(options, OPEN_OPTIONS).codec

/** The options of waiting for a queue of values and opening it, checked as far as they can be. */
export function checkAwaited<T>(
  options: (OpenQueueOptions<T> & WaitOptions) | undefined,
): OpenQueueOptions<T> & WaitOptions {
  const checked = checkOptions<OpenQueueOptions<T> & WaitOptions>(options, AWAIT_OPTIONS)
  codecFor(checked.codec)
  return checked
}

/** Creates the segment of a queue of values. */
export function createValueQueue<T>(
  kind: 'Queue' | 'JoinableQueue' | 'Pool',
  name: string | null,
  options: ValueQueueOptions<T>,
): Segment {
  const { id, withStructures } = codecFor(options.codec)
  return createQueue(kind, name, options, {
    spill: true,
    codec: id,
    structures: withStructures !== undefined,
  })
}

/** Base of the queues of values. */
export abstract class ValueQueue<T, Kind extends 'Queue' | 'JoinableQueue' | 'Pool'>
  extends QueueHandle<Kind>
  implements AsyncIterable<T>
{
  readonly #codec: BoundCodec<T>
  readonly #outbox: Outbox<T>
  readonly #inbox: Inbox<T>
  readonly #receiver: Receiver<T>
  #readable: ReadableStream<T> | undefined
  #writable: WritableStream<T> | undefined

  /** @internal */
  protected constructor(segment: Segment, kind: Kind, codec?: CodecOption<T>) {
    super(segment, kind)
    this.#codec = this.orClose(({ name }) => codecOf(this.codecId, codec, name))
    const { packing, unpacking, decode } = waysOf(this.#codec, this.object)
    this.#outbox = new Outbox(queueSink(this.object, this.messageBytes), packing)
    this.#inbox = new Inbox(queueSource(this.object), unpacking)
    this.#receiver = new Receiver(this.object, this.holdings, decode)
  }

  /**
   * The codec that it was created with: `msgpack`, `v8`, `json`, or a description of one of your
   * own.
   */
  get codec(): string {
    return this.#codec.label.replaceAll("'", '')
  }

  /**
   * Puts a value in, once there is room. The value is encoded at once, so later changes to it have
   * no effect.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it can't be encoded, or an option is refused; nothing
   *   was put. ERR_ENDED, ERR_TIMEOUT, ERR_CLOSED, ERR_CORRUPT. ERR_NOT_FOUND: the queue was
   *   unlinked meanwhile. ERR_NO_SPACE: only for a value over `messageBytes`. Or the
   *   signal's reason
   */
  async put(value: T, options?: WaitOptions): Promise<void> {
    const later = this.#out.put(value, options)
    if (later) await later
  }

  /** As `put`, but blocks this thread. It goes ahead of values that wait in `put`. */
  putSync(value: T, options?: SyncWaitOptions): void {
    this.#out.putSync(value, options)
  }

  /**
   * Puts a value in if there is room now and no `put` of this thread waits. Returns whether it was
   * put.
   *
   * @throws {CrossmemError} as `put`, but neither ERR_TIMEOUT nor ERR_NOT_FOUND
   */
  tryPut(value: T): boolean {
    return this.#out.tryPut(value)
  }

  /**
   * Puts values in, in order, as there is room. Values of other producers may come between them. If
   * one can't be encoded, none is put. The timeout counts for each wait; what went in before stays
   * in.
   *
   * @throws {CrossmemError} as `put`. ERR_INVALID_ARG: `values` is no array
   */
  async putMany(values: readonly T[], options?: WaitOptions): Promise<void> {
    return this.#out.putMany(values, options)
  }

  /** As `putMany`, but blocks this thread. */
  putManySync(values: readonly T[], options?: SyncWaitOptions): void {
    this.#out.putManySync(values, options)
  }

  /**
   * Puts as many of the first values as there is room for now, none while a `put` of this thread
   * waits. Returns how many. If one can't be encoded, none is put.
   *
   * @throws {CrossmemError} as `tryPut`. ERR_INVALID_ARG: `values` is no array
   */
  tryPutMany(values: readonly T[]): number {
    return this.#out.tryPutMany(values)
  }

  /**
   * Takes a value out, once there is one.
   *
   * @throws {CrossmemError} ERR_ENDED: the queue was ended and is empty. ERR_INVALID_ARG: an option
   *   is refused. ERR_TIMEOUT, ERR_CLOSED. ERR_NOT_FOUND: the queue was unlinked meanwhile.
   *   ERR_CORRUPT: the message can't be decoded. Or the signal's reason
   */
  async get(options?: WaitOptions): Promise<T> {
    const now = this.#in.getNow(options)
    return now === NO_MESSAGE ? await this.#in.get(options) : now
  }

  /** As `get`, but blocks this thread. */
  getSync(options?: SyncWaitOptions): T {
    return this.#in.getSync(options)
  }

  /**
   * Takes a value out if there is one. Returns `undefined` if there is none, and when the queue has
   * ended.
   *
   * @throws {CrossmemError} ERR_CLOSED. ERR_CORRUPT: the message can't be decoded
   */
  tryGet(): T | undefined {
    return this.#in.tryGet()
  }

  /**
   * Takes out at most `max` values, once there is at least one.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `get`
   */
  async getMany(max: number, options?: WaitOptions): Promise<T[]> {
    return this.#in.getMany(max, options)
  }

  /** As `getMany`, but blocks this thread. */
  getManySync(max: number, options?: SyncWaitOptions): T[] {
    return this.#in.getManySync(max, options)
  }

  /**
   * Takes out at most `max` of the values that are there now, none if the queue has ended.
   *
   * @param max 1 to 2147483647
   * @throws {CrossmemError} as `tryGet`. ERR_INVALID_ARG: `max` is refused
   */
  tryGetMany(max: number): T[] {
    return this.#in.tryGetMany(max)
  }

  /**
   * As `get`, but returns a message, which keeps its slot until it is released. If this process
   * dies first, see `redeliver`.
   *
   * @throws {CrossmemError} as `get`
   */
  async receive(options?: WaitOptions): Promise<Message<T>> {
    return this.receiver.receive(options)
  }

  /** As `receive`, but blocks this thread. */
  receiveSync(options?: SyncWaitOptions): Message<T> {
    return this.receiver.receiveSync(options)
  }

  /**
   * As `tryGet`, but returns a message, which keeps its slot until it is released.
   *
   * @throws {CrossmemError} as `tryGet`
   */
  tryReceive(): Message<T> | undefined {
    return this.receiver.tryReceive()
  }

  /**
   * Yields messages until the queue has ended and is empty. The consumer releases each message
   * itself.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  messages(): AsyncGenerator<Message<T>, void, void> {
    return untilEnded(() => this.receive())
  }

  /**
   * Yields values until the queue has ended and is empty. With `redeliver`, a value counts as
   * finished when the next one is asked for.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.redeliver ? valuesOf(this.messages()) : untilEnded(() => this.get())
  }

  /**
   * A web stream of the values. It takes a value out only when its reader asks for one. The stream
   * fails with the errors of `get` but ERR_ENDED, which is its end.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get readable(): ReadableStream<T> {
    void this.object
    this.#readable ??= readableOf(
      options => this.get(options),
      value => this.giveBack({ value }),
    )
    return this.#readable
  }

  /**
   * A new Node stream of the values, in object mode. It takes a value out only when its consumer
   * asks for one, so a stream that is destroyed, by `break` or by a pipeline that fails, has lost
   * none: `Readable.fromWeb(queue.readable)` takes values ahead, and loses them. A value that
   * arrives in the very moment in which the stream is destroyed is put back at the end of the
   * queue.
   *
   * With `redeliver`, a value counts as finished when the next one is asked for.
   *
   * @throws {CrossmemError} ERR_CLOSED. The stream emits the errors of `get` but ERR_ENDED, which
   *   is its end, and ERR_UNSUPPORTED for `null` and `undefined`, which end a Node stream
   */
  toNodeReadable(): Readable {
    void this.object
    return nodeReadableOf(
      options => this.takeForStream(options),
      taken => this.giveBack(taken),
    )
  }

  /** @internal */
  protected async takeForStream(options: WaitOptions): Promise<Taken<T>> {
    return this.redeliver ? this.receive(options) : { value: await this.get(options) }
  }

  /** Puts back what no consumer has seen. @internal */
  protected giveBack(taken: Taken<T>): void {
    // A message that can't be put back is left to `redeliver`.
    this.put(taken.value).then(
      () => taken.release?.(),
      () => undefined,
    )
  }

  /**
   * A web stream into the queue. Closing the stream ends the queue; aborting it doesn't. The stream
   * fails with the errors of `put`.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get writable(): WritableStream<T> {
    void this.object
    this.#writable ??= writableOf(
      (value: T, options) => this.put(value, options),
      () => this.end(),
    )
    return this.#writable
  }

  get #out(): Outbox<T> {
    void this.object
    return this.#outbox
  }

  get #in(): Inbox<T> {
    void this.object
    return this.#inbox
  }

  /** @internal */
  protected get receiver(): Receiver<T> {
    void this.object
    return this.#receiver
  }
}
