import type { ReadableStream, WritableStream } from 'node:stream/web'
import { type BoundCodec, type CodecOption, codecOf } from '../codecs/index.js'
import {
  Inbox,
  type Message,
  Outbox,
  queueSink,
  queueSource,
  Receiver,
  readableOf,
  untilEnded,
  valuesOf,
  writableOf,
} from '../messages/index.js'
import type { Segment } from '../objects/index.js'
import type { SyncWaitOptions, WaitOptions } from '../wait/index.js'
import { QueueHandle, type QueueOptions } from './queue-handle.js'

/** How to make a queue of values. */
export interface ValueQueueOptions<T = unknown> extends QueueOptions {
  /** How values become bytes: 'msgpack', 'v8', 'json', or a codec of yours. Default: 'msgpack'. */
  codec?: CodecOption<T>
}

/** What opening a queue of values takes. */
export interface OpenQueueOptions<T = unknown> {
  /** The codec that it was made with; needed if that is one of yours. */
  codec?: CodecOption<T>
}

/** A queue of values, from any number of producers to any number of consumers. */
export abstract class ValueQueue<T, Kind extends 'Queue' | 'JoinableQueue'>
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
  protected constructor(segment: Segment, kind: Kind, options?: OpenQueueOptions<T>) {
    super(segment, kind)
    this.#codec = this.orClose(({ name }) => codecOf(this.codecId, options?.codec, name))
    const { encode, decode } = this.#codec
    this.#outbox = new Outbox(queueSink(this.object, this.messageBytes), encode)
    this.#inbox = new Inbox(queueSource(this.object), decode)
    this.#receiver = new Receiver(this.object, this.holdings, decode)
  }

  /** What it was made with, for people: `'msgpack'`, `'v8'`, `'json'`, or a description of a custom codec. */
  get codec(): string {
    return this.#codec.label
  }

  /**
   * Puts a value in, once there is room. It is encoded at once: changing it afterwards changes nothing.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG (it can't be encoded; nothing was put), ERR_ENDED, ERR_TIMEOUT, ERR_CLOSED,
   *   ERR_NOT_FOUND (unlinked meanwhile), ERR_NO_SPACE and ERR_LIMIT (for one over `messageBytes`), or the signal's reason
   */
  async put(value: T, options?: WaitOptions): Promise<void> {
    return this.#out.put(value, options)
  }

  /** As `put`, on this thread; before values that wait in `put`. */
  putSync(value: T, options?: SyncWaitOptions): void {
    this.#out.putSync(value, options)
  }

  /** Puts a value in if there is room at once, and nobody here waits for that. */
  tryPut(value: T): boolean {
    return this.#out.tryPut(value)
  }

  /**
   * Puts all of them in, in order, as there is room; others' may come between them. If one can't be encoded, none is put. A time-out
   * is for each wait.
   */
  async putMany(values: readonly T[], options?: WaitOptions): Promise<void> {
    return this.#out.putMany(values, options)
  }

  /** As `putMany`, on this thread. */
  putManySync(values: readonly T[], options?: SyncWaitOptions): void {
    this.#out.putManySync(values, options)
  }

  /** Puts in the first ones of these values, as many as there is room for now; how many. */
  tryPutMany(values: readonly T[]): number {
    return this.#out.tryPutMany(values)
  }

  /**
   * Takes a value out, once there is one.
   *
   * @throws {CrossmemError} ERR_ENDED (the queue was ended, and is empty), ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked
   *   meanwhile), ERR_CORRUPT, or the signal's reason
   */
  async get(options?: WaitOptions): Promise<T> {
    return this.#in.get(options)
  }

  /** As `get`, on this thread. */
  getSync(options?: SyncWaitOptions): T {
    return this.#in.getSync(options)
  }

  /** Takes a value out if there is one; `undefined` otherwise, also at the end. */
  tryGet(): T | undefined {
    return this.#in.tryGet()
  }

  /** Takes out at most `max` values, once there is one. */
  async getMany(max: number, options?: WaitOptions): Promise<T[]> {
    return this.#in.getMany(max, options)
  }

  /** As `getMany`, on this thread. */
  getManySync(max: number, options?: SyncWaitOptions): T[] {
    return this.#in.getManySync(max, options)
  }

  /** Takes out at most `max` values that are there now. */
  tryGetMany(max: number): T[] {
    return this.#in.tryGetMany(max)
  }

  /** As `get`, but the message keeps its place until it is released: if this process dies before, see `redeliver`. */
  async receive(options?: WaitOptions): Promise<Message<T>> {
    return this.receiver.receive(options)
  }

  /** As `receive`, on this thread. */
  receiveSync(options?: SyncWaitOptions): Message<T> {
    return this.receiver.receiveSync(options)
  }

  /** As `tryGet`, but the message keeps its place until it is released. */
  tryReceive(): Message<T> | undefined {
    return this.receiver.tryReceive()
  }

  /**
   * Message after message, until the queue has ended and is empty: for consumers that say themselves when they are done with one.
   */
  messages(): AsyncGenerator<Message<T>, void, void> {
    return untilEnded(() => this.receive())
  }

  /**
   * Value after value, until the queue has ended and is empty. In a queue that redelivers, one is done with when the next one is asked
   * for.
   */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return this.redeliver ? valuesOf(this.messages()) : untilEnded(() => this.get())
  }

  /** A web stream of its values, which takes one out when somebody asks for it. */
  get readable(): ReadableStream<T> {
    void this.object
    this.#readable ??= readableOf(options => this.get(options))
    return this.#readable
  }

  /** A web stream into it; closing that ends the queue. */
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
