import type { ReadableStream, WritableStream } from 'node:stream/web'
import { type BoundCodec, type CodecOption, codecFor, codecOf } from '../codecs/index.js'
import { CrossmemError } from '../errors.js'
import { readableOf, untilEnded, writableOf } from '../messages/index.js'
import { checkBoolean, checkCount, checkOptions, type OptionNames, show } from '../util/index.js'
import { throwIfAborted } from '../wait/index.js'
import type { Argument, Link } from './link.js'
import { RemoteMessage } from './message.js'
import { PutBatches } from './put-batches.js'
import {
  abandonScript,
  attachScript,
  cancelGetScript,
  cancelPutScript,
  endScript,
  fetchScript,
  finishScript,
  getScript,
  lookScript,
  putScript,
  QUEUE_PARTS,
  stateScript,
} from './queue-scripts.js'
import { type Home, RemoteObject } from './remote-object.js'
import type { Script } from './script.js'
import { isForgotten, translated } from './server-errors.js'
import type { News, Session } from './session.js'
import {
  type Ask,
  checkRemoteWait,
  REMOTE_WAIT_OPTIONS,
  type RemoteWaitOptions,
  TOO_LATE,
} from './waiting.js'

/** How a queue is made. */
export interface RemoteQueueOptions<T = unknown> {
  /** How many messages it has room for, 1 to 4194304. Default: 1024. */
  capacity?: number
  /**
   * Whether a message whose reader died before finishing it goes to the next reader, marked
   * `redelivered`: at least once, instead of at most once. Default: false.
   */
  redeliver?: boolean
  /** How values become bytes, the same for all users of the queue. Default: 'msgpack'. */
  codec?: CodecOption<T>
}

/** How to put. */
export interface RemotePutOptions extends RemoteWaitOptions {
  /**
   * Whether to wait until the server has the message on disk, in its append-only file, which it has
   * to have. Default: false.
   */
  durable?: boolean
}

const QUEUE_OPTIONS: OptionNames<RemoteQueueOptions> = { capacity: true, redeliver: true, codec: true }
const PUT_OPTIONS: OptionNames<RemotePutOptions> = { ...REMOTE_WAIT_OPTIONS, durable: true }

/** The most messages that one call of the server puts or takes. */
const MOST_AT_ONCE = 1000

/** What a queue was made with, as the server has it. */
interface Facts<T> {
  capacity: number
  redeliver: boolean
  codec: BoundCodec<T>
}

/** t: takes it for good; k: keeps it until it is finished. */
export type Mode = 't' | 'k'

/** Base of the queues at a server. */
export abstract class RemoteQueueBase<T> extends RemoteObject implements AsyncIterable<T> {
  readonly #kind: string
  readonly #options: Required<Pick<RemoteQueueOptions<T>, 'capacity' | 'redeliver'>>
  readonly #codecOption: CodecOption<T>
  readonly #codec: BoundCodec<T>
  /** The sessions that have attached the queue, and what they found. */
  readonly #attached = new WeakMap<Session, Promise<Facts<T>>>()
  readonly #batches = new PutBatches(messages => this.#sendNow(messages))
  readonly #disk = new WeakMap<Session, Promise<Link>>()
  #readable: ReadableStream<T> | undefined
  #writable: WritableStream<T> | undefined

  /** @internal */
  protected constructor(home: Home, name: string, kind: string, options: RemoteQueueOptions<T> | undefined) {
    const {
      capacity = 1024,
      redeliver = false,
      codec = 'msgpack',
    } = checkOptions<RemoteQueueOptions<T>>(options, QUEUE_OPTIONS)
    checkCount('capacity', capacity, 1, 2 ** 22)
    checkBoolean('redeliver', redeliver)
    const bound = codecFor(codec)
    super(home, name, QUEUE_PARTS)
    this.#kind = kind
    this.#options = { capacity, redeliver }
    this.#codecOption = codec
    this.#codec = bound
  }

  /**
   * Puts a value in, once there is room, behind the puts that wait already. The value is encoded at
   * once, so later changes to it have no effect.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it can't be encoded, an option is refused, or the
   *   queue exists with another codec; nothing was put. ERR_ENDED, ERR_TIMEOUT, ERR_CLOSED,
   *   ERR_WRONG_KIND. ERR_NOT_FOUND: the queue was unlinked meanwhile. ERR_DISCONNECTED: no server
   *   answers, or the connection was lost: the message may or may not be in. ERR_UNSUPPORTED:
   *   `durable`, and the server has no append-only file. ERR_NO_SPACE, ERR_READ_ONLY,
   *   ERR_PERMISSION, ERR_SERVER: the server refuses the call
   * @throws the signal's reason, if `signal` is aborted
   */
  async put(value: T, options?: RemotePutOptions): Promise<void> {
    const message = copyOf(this.#codec.encode(value))
    const { durable, wait } = checkPut(options)
    throwIfAborted(wait.signal)
    this.checkOpen()
    await this.#batches.put({ message, wait: () => this.#waitForRoom([message], wait) })
    if (durable) await this.#onDisk()
  }

  /**
   * Puts a value in if there is room now and no put waits. Returns whether it was put.
   *
   * @throws {CrossmemError} as `put`, but neither ERR_TIMEOUT nor ERR_NOT_FOUND
   */
  async tryPut(value: T): Promise<boolean> {
    return (await this.#putNow([copyOf(this.#codec.encode(value))])) === 1
  }

  /**
   * Puts values in, in order, as there is room. Values of other producers may come between them. If
   * one can't be encoded, none is put. What went in before an error stays in.
   *
   * @throws {CrossmemError} as `put`. ERR_INVALID_ARG: `values` is no array
   * @throws the signal's reason, if `signal` is aborted
   */
  async putMany(values: readonly T[], options?: RemotePutOptions): Promise<void> {
    const messages = this.#encodeAll(values)
    const { durable, wait } = checkPut(options)
    throwIfAborted(wait.signal)
    this.checkOpen()
    await this.#batches.sent()
    for (let at = 0; at < messages.length; at += MOST_AT_ONCE) {
      await this.#waitForRoom(messages.slice(at, at + MOST_AT_ONCE), wait)
    }
    if (durable) await this.#onDisk()
  }

  /**
   * Puts as many of the first values as there is room for now, none while a put waits. Returns how
   * many. If one can't be encoded, none is put.
   *
   * @throws {CrossmemError} as `tryPut`. ERR_INVALID_ARG: `values` is no array
   */
  async tryPutMany(values: readonly T[]): Promise<number> {
    return this.#putNow(this.#encodeAll(values))
  }

  /**
   * Takes a value out, once there is one, in the order of arrival.
   *
   * @throws {CrossmemError} ERR_ENDED: the queue was ended and is empty. ERR_INVALID_ARG: an option
   *   is refused, or the queue exists with another codec. ERR_TIMEOUT, ERR_CLOSED, ERR_WRONG_KIND.
   *   ERR_NOT_FOUND: the queue was unlinked meanwhile. ERR_CORRUPT: the message can't be decoded.
   *   ERR_DISCONNECTED: no server answers. ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER: it refuses
   *   the call
   * @throws the signal's reason, if `signal` is aborted
   */
  async get(options?: RemoteWaitOptions): Promise<T> {
    const [message] = await this.waitForMessages(1, 't', options)
    return (message as RemoteMessage<T>).value
  }

  /**
   * Takes a value out if there is one. Returns `undefined` if there is none, and when the queue has
   * ended.
   *
   * @throws {CrossmemError} as `get`, but neither ERR_ENDED, ERR_TIMEOUT nor ERR_NOT_FOUND
   */
  async tryGet(): Promise<T | undefined> {
    return (await this.messagesNow(1, 't'))[0]?.value
  }

  /**
   * Takes out at most `max` values, once there is at least one.
   *
   * @param max 1 to 2147483647; one call takes 1000 at the most
   * @throws {CrossmemError} as `get`
   * @throws the signal's reason, if `signal` is aborted
   */
  async getMany(max: number, options?: RemoteWaitOptions): Promise<T[]> {
    return valuesIn(await this.waitForMessages(checkCount('max', max, 1), 't', options))
  }

  /**
   * Takes out at most `max` of the values that are there now, none if the queue has ended.
   *
   * @param max 1 to 2147483647; one call takes 1000 at the most
   * @throws {CrossmemError} as `tryGet`. ERR_INVALID_ARG: `max` is refused
   */
  async tryGetMany(max: number): Promise<T[]> {
    return valuesIn(await this.messagesNow(checkCount('max', max, 1), 't'))
  }

  /**
   * As `get`, but returns a message, which keeps its place until it is released. If this
   * connection ends first, see `redeliver`.
   *
   * @throws {CrossmemError} as `get`
   * @throws the signal's reason, if `signal` is aborted
   */
  async receive(options?: RemoteWaitOptions): Promise<RemoteMessage<T>> {
    const [message] = await this.waitForMessages(1, 'k', options)
    return message as RemoteMessage<T>
  }

  /**
   * As `tryGet`, but returns a message, which keeps its place until it is released.
   *
   * @throws {CrossmemError} as `tryGet`
   */
  async tryReceive(): Promise<RemoteMessage<T> | undefined> {
    return (await this.messagesNow(1, 'k'))[0]
  }

  /**
   * Yields messages until the queue has ended and is empty. The consumer releases each message
   * itself.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  messages(): AsyncGenerator<RemoteMessage<T>, void, void> {
    return untilEnded(() => this.receive())
  }

  /**
   * Yields values until the queue has ended and is empty. With `redeliver`, a value counts as
   * finished when the next one is asked for.
   *
   * @throws {CrossmemError} as `get`, but not ERR_ENDED
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    const { redeliver } = await this.#facts(await this.session())
    if (!redeliver) {
      yield* untilEnded(() => this.get())
      return
    }
    for await (const message of this.messages()) {
      try {
        yield message.value
      } finally {
        await message.release()
      }
    }
  }

  /**
   * A web stream of the values. It takes a value out only when its reader asks for one. The stream
   * fails with the errors of `get` but ERR_ENDED, which is its end.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get readable(): ReadableStream<T> {
    this.checkOpen()
    this.#readable ??= readableOf(
      options => this.get(options),
      value => void this.put(value).catch(() => undefined),
    )
    return this.#readable
  }

  /**
   * A web stream into the queue. Closing the stream ends the queue; aborting it doesn't. The stream
   * fails with the errors of `put`.
   *
   * @throws {CrossmemError} ERR_CLOSED
   */
  get writable(): WritableStream<T> {
    this.checkOpen()
    this.#writable ??= writableOf(
      (value: T, options) => this.put(value, options),
      () => this.end(),
    )
    return this.#writable
  }

  /**
   * Ends the queue for all connections. Puts fail with ERR_ENDED from now on; gets do so once the
   * queue is empty. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_WRONG_KIND, ERR_INVALID_ARG, ERR_DISCONNECTED,
   *   ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  async end(): Promise<void> {
    await this.ask(endScript)
  }

  /**
   * Whether `end()` was called, by any connection.
   *
   * @throws {CrossmemError} as `end`
   */
  get isEnded(): Promise<boolean> {
    return this.state().then(({ isEnded }) => isEnded)
  }

  /**
   * How many messages are in it, at about this instant, without those that were received and are
   * not released.
   *
   * @throws {CrossmemError} as `end`
   */
  get size(): Promise<number> {
    return this.state().then(({ size }) => size)
  }

  /**
   * Whether no message is in it, at about this instant.
   *
   * @throws {CrossmemError} as `end`
   */
  get isEmpty(): Promise<boolean> {
    return this.size.then(size => size === 0)
  }

  /**
   * Whether as many messages are in it as it has room for, at about this instant.
   *
   * @throws {CrossmemError} as `end`
   */
  get isFull(): Promise<boolean> {
    return Promise.all([this.size, this.capacity]).then(([size, capacity]) => size >= capacity)
  }

  /**
   * How many messages it has room for, as it was made.
   *
   * @throws {CrossmemError} as `end`
   */
  get capacity(): Promise<number> {
    return this.#factsNow().then(({ capacity }) => capacity)
  }

  /**
   * Whether a message whose reader died goes to the next reader, as it was made.
   *
   * @throws {CrossmemError} as `end`
   */
  get redeliver(): Promise<boolean> {
    return this.#factsNow().then(({ redeliver }) => redeliver)
  }

  /** @internal */
  async finish(message: RemoteMessage<unknown>): Promise<void> {
    this.drop(message.session, message)
    if ((await this.runAttached(message.session, finishScript, [message.id])) === 1) return
    throw new CrossmemError('ERR_LOST_OWNERSHIP', `another reader of "${this.name}" has this message by now`)
  }

  /** @internal */
  async leave(message: RemoteMessage<unknown>): Promise<void> {
    this.drop(message.session, message)
    await this.runAttached(message.session, abandonScript, [message.id])
  }

  /** @internal */
  protected async state(): Promise<{ unfinished: number; size: number; failed: number; isEnded: boolean }> {
    const [unfinished, size, failed, ended] = (await this.ask(stateScript)) as [
      number,
      number,
      number,
      number,
    ]
    return { unfinished, size, failed, isEnded: ended === 1 }
  }

  /** Runs a script of queues, in the session of now. @internal */
  protected async ask(script: Script, ...args: Argument[]): Promise<unknown> {
    return this.runAttached(await this.session(), script, args)
  }

  /** Runs a script of queues; the queue is made first if it isn't there. @internal */
  protected async runAttached(
    session: Session,
    script: Script,
    args: readonly Argument[],
    on?: Link,
  ): Promise<unknown> {
    for (let isAgain = false; ; isAgain = true) {
      await this.#facts(session)
      try {
        return await session.run(script, this.key, [this.#kind, ...args], on)
      } catch (error) {
        if (isAgain || !isForgotten(error)) throw translated(error, this.name)
        this.#attached.delete(session)
      }
    }
  }

  /** @internal */
  protected async messagesNow(max: number, mode: Mode): Promise<RemoteMessage<T>[]> {
    try {
      return (await this.askOnce(this.#get(max, mode))) ?? []
    } catch (error) {
      if (error instanceof CrossmemError && error.code === 'ERR_ENDED') return []
      throw error
    }
  }

  /** @internal */
  protected waitForMessages(
    max: number,
    mode: Mode,
    options: RemoteWaitOptions | undefined,
  ): Promise<RemoteMessage<T>[]> {
    return this.askAndWait(this.#get(max, mode), options)
  }

  #get(max: number, mode: Mode): Ask<RemoteMessage<T>[]> {
    const most = String(Math.min(max, MOST_AT_ONCE))
    return {
      doing: `getting from "${this.name}"`,
      key: this.key,
      repeats: true,
      begin: async (session, number, mayWait) => {
        const args = [String(number), mayWait ? '1' : '0', most, mode]
        const answer = await this.runAttached(session, getScript, args)
        if (answer === null) return undefined
        if (!Array.isArray(answer)) throw this.#ended()
        const taken = answer as Buffer[]
        return this.#received(session, mode, range(taken.length / 3), i => ({
          id: String(taken[3 * i]),
          bytes: taken[3 * i + 1] as Buffer,
          redelivered: String(taken[3 * i + 2]) === '1',
        }))
      },
      hear: (news, session) => this.#hearMessages(news, session, mode),
      cancel: async (session, number, begun) => {
        if (begun) return begun
        const cancelled = await this.runAttached(session, cancelGetScript, [String(number), most, mode])
        return cancelled === 1 ? undefined : TOO_LATE
      },
      look: session => this.runAttached(session, lookScript, []),
    }
  }

  async #hearMessages({ words, bytes }: News, session: Session, mode: Mode): Promise<RemoteMessage<T>[]> {
    const [word, ...rest] = words
    if (word === 'gone') throw this.gone()
    if (word === 'ended') throw this.#ended()
    const heads = range(rest.length / 3).map(i => ({
      id: rest[3 * i] as string,
      length: Number(rest[3 * i + 1]),
      redelivered: rest[3 * i + 2] === '1',
    }))
    const parts: (Buffer | null)[] = []
    if (word === 'fetch') {
      parts.push(
        ...((await this.runAttached(session, fetchScript, [mode, ...heads.map(({ id }) => id)])) as Buffer[]),
      )
    } else {
      let at = 0
      for (const { length } of heads) {
        parts.push(bytes.subarray(at, at + length))
        at += length
      }
    }
    // One that the server has lost meanwhile, as by FLUSHALL, is no message.
    const there = range(heads.length).filter(i => parts[i])
    return this.#received(session, mode, there, i => ({
      ...(heads[i] as { id: string; redelivered: boolean }),
      bytes: parts[i] as Buffer,
    }))
  }

  /** Makes messages of bytes. What can't be decoded is removed, since no reader could. */
  async #received(
    session: Session,
    mode: Mode,
    indices: readonly number[],
    at: (i: number) => { id: string; bytes: Buffer; redelivered: boolean },
  ): Promise<RemoteMessage<T>[]> {
    const { codec } = await this.#facts(session)
    const messages: RemoteMessage<T>[] = []
    let failure: { error: unknown } | undefined
    for (const i of indices) {
      const { id, bytes, redelivered } = at(i)
      try {
        const message = new RemoteMessage(this, session, id, codec.decode(bytes), redelivered)
        if (mode === 'k') this.hold(session, message)
        messages.push(message)
      } catch (error) {
        failure ??= { error }
        if (mode === 'k') await this.runAttached(session, finishScript, [id])
      }
    }
    if (failure && messages.length === 0) throw failure.error
    return messages
  }

  #encodeAll(values: readonly T[]): Buffer[] {
    if (!Array.isArray(values)) {
      throw new CrossmemError('ERR_INVALID_ARG', `values are an array, not ${show(values)}`)
    }
    return values.map((value: T, i) => copyOf(this.#codec.encode(value, `values[${i}]`)))
  }

  async #putNow(messages: readonly Buffer[]): Promise<number> {
    let put = 0
    while (put < messages.length) {
      const some = messages.slice(put, put + MOST_AT_ONCE)
      const count = await this.#sendNow(some)
      put += count
      if (count < some.length) break
    }
    return put
  }

  async #sendNow(messages: readonly Buffer[]): Promise<number> {
    const answer = await this.ask(putScript, '0', '0', ...messages)
    if (typeof answer === 'number') return answer
    throw this.#ended()
  }

  async #waitForRoom(messages: readonly Buffer[], wait: RemoteWaitOptions): Promise<void> {
    await this.askAndWait(this.#put(messages), wait)
  }

  #put(messages: readonly Buffer[]): Ask<true> {
    return {
      doing: `putting into "${this.name}"`,
      key: this.key,
      repeats: false,
      begin: async (session, number, mayWait) => {
        const answer = await this.runAttached(session, putScript, [
          String(number),
          mayWait ? '1' : '0',
          ...messages,
        ])
        if (typeof answer !== 'number') throw this.#ended()
        return answer === messages.length || undefined
      },
      hear: ({ words: [word] }) => {
        if (word === 'gone') throw this.gone()
        if (word === 'ended') throw this.#ended()
        return true
      },
      cancel: async (session, number, begun) => {
        if (begun) return begun
        return (await this.runAttached(session, cancelPutScript, [String(number)])) === 1
          ? undefined
          : TOO_LATE
      },
      look: session => this.runAttached(session, lookScript, []),
    }
  }

  /** Waits until the server's file has all that it has done until now. */
  async #onDisk(): Promise<void> {
    const session = await this.session()
    // The command holds up all that follows it, so it has a connection of its own.
    const disk = this.#disk.get(session) ?? session.anotherLink()
    this.#disk.set(session, disk)
    const link = await disk
    try {
      // The server waits for the writes of this connection; this one comes behind the message.
      await session.commandOn(link, 'HSET', this.key, 'durable', session.id)
      await session.commandOn(link, 'WAITAOF', '1', '0', '0')
    } catch (error) {
      if (!(error instanceof CrossmemError) || error.code !== 'ERR_SERVER') throw error
      throw new CrossmemError(
        'ERR_UNSUPPORTED',
        `durable needs a server with WAITAOF (Redis 7.2, Valkey 8) and "appendonly yes"; the message is in "${this.name}"`,
        { cause: error },
      )
    }
  }

  async #factsNow(): Promise<Facts<T>> {
    return this.#facts(await this.session())
  }

  #facts(session: Session): Promise<Facts<T>> {
    const known = this.#attached.get(session)
    if (known) return known
    const attaching = this.#attach(session)
    this.#attached.set(session, attaching)
    attaching.catch(() => this.#attached.delete(session))
    return attaching
  }

  async #attach(session: Session): Promise<Facts<T>> {
    const { capacity, redeliver } = this.#options
    const args = [this.#kind, String(capacity), redeliver ? '1' : '0', String(this.#codec.id)]
    const facts = (await this.run(session, attachScript, args)) as [Buffer, Buffer, Buffer]
    return {
      capacity: Number(facts[0]),
      redeliver: String(facts[1]) === '1',
      codec: codecOf(Number(facts[2]), this.#codecOption, this.name),
    }
  }

  #ended(): CrossmemError {
    return new CrossmemError('ERR_ENDED', `"${this.name}" was ended`)
  }
}

/** A bounded queue of values at a server. Values go through the codecs of local queues. */
export class RemoteQueue<T = unknown> extends RemoteQueueBase<T> {
  /** @internal */
  constructor(home: Home, name: string, options?: RemoteQueueOptions<T>) {
    super(home, name, 'Queue', options)
  }
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

function checkPut(options: RemotePutOptions | undefined): { durable: boolean; wait: RemoteWaitOptions } {
  const { durable = false, ...wait } = checkOptions<RemotePutOptions>(options, PUT_OPTIONS)
  checkRemoteWait(wait)
  return { durable: checkBoolean('durable', durable), wait }
}

/** What a codec returns is valid only until its next call. */
const copyOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes)

const valuesIn = <T>(messages: readonly RemoteMessage<T>[]): T[] => messages.map(({ value }) => value)
