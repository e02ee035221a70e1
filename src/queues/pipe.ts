import type { Readable } from 'node:stream'
import type { ReadableStream, WritableStream } from 'node:stream/web'
import { type BoundCodec, type CodecOption, codecFor, codecOf } from '../codecs/index.js'
import { CrossmemError, hasCode } from '../errors.js'
import {
  checkBytes,
  checkRoom,
  copyInto,
  forRecord,
  forRoom,
  nodeReadableOf,
  readableOf,
  untilEnded,
  writableOf,
} from '../messages/index.js'
import { nativeQueues, nativeRecords, nativeSegments, transfers } from '../native/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  Handle,
  Segment,
  type WaitKind,
} from '../objects/index.js'
import { checkBoolean, checkCount, checkOptions, type OptionNames } from '../util/index.js'
import {
  checkBeforeAttempt,
  checkTimeout,
  checkWait,
  loopIsStarved,
  loopTurn,
  offAbort,
  onAbort,
  type SyncWaitOptions,
  TRY,
  type WaitOptions,
} from '../wait/index.js'
import { channelWaits, ringBytes } from './channel-end.js'
import { PipeReader } from './pipe-reader.js'
import { PipeWriter } from './pipe-writer.js'

const { NOT_YET } = transfers

/** Options of a pipe. */
export interface PipeOptions<T = unknown> extends CreateOptions {
  /**
   * Whether both ends send and receive. If not, the first end receives what the second end sends.
   * Default: true.
   */
  duplex?: boolean
  /**
   * How many bytes can be on their way in each direction, 1 to 2147483647, rounded up to a power of
   * two from 64 up. Default: 65536.
   */
  capacity?: number
  /**
   * How values become bytes: 'msgpack', 'v8', 'json', or a codec of your own. Default: 'msgpack'.
   */
  codec?: CodecOption<T>
  /** The pipe's name. Default: a random one. */
  name?: string
}

/** How to open an end of a pipe. */
type OpenOptions<T = unknown> = Pick<PipeOptions<T>, 'codec'>

const OPEN_OPTIONS: OptionNames<OpenOptions> = { codec: true }
const PIPE_OPTIONS: OptionNames<PipeOptions> = {
  ...CREATE_OPTIONS,
  ...OPEN_OPTIONS,
  duplex: true,
  capacity: true,
  name: true,
}

/** The reference of one end of a pipe. */
export interface PipeReference {
  /** The name of the class. */
  crossmem: 'Pipe'
  /** The pipe's name. */
  name: string
  /** The number of the end. */
  end: 0 | 1
}

/**
 * One end of a pipe: Python's `Connection`. The creating process owns both ends. Sending an unused
 * end's reference gives it away: it then belongs to the first process that opens the reference,
 * until that process closes it. If a process closes its end or exits, the other end receives what
 * was sent, and then ERR_ENDED. If a process is killed, the other end gets ERR_PEER_DIED.
 *
 * @example
 * ```js
 * import { Pipe } from 'crossmem'
 *
 * const [here, there] = Pipe.create() // send `there` to another process, which opens it
 * here.sendSync({ n: 1 })
 * console.log(there.recvSync(), there.pollSync()) // { n: 1 } false
 * for (const end of [here, there]) end.close()
 * ```
 */
export class Pipe<T = unknown> extends Handle<'Pipe'> implements AsyncIterable<T> {
  /**
   * The number of this end. It is part of the reference, so reading it gives an unused end away, as
   * sending it does.
   */
  declare readonly end: 0 | 1
  readonly #end: 0 | 1
  readonly #codec: BoundCodec<T>
  readonly #reader: PipeReader
  readonly #writer: PipeWriter
  #state: 'ours' | 'given away' | 'closed' = 'given away'
  /** Whether this handle has sent or received. */
  #isUsed = false
  #readable: ReadableStream<T> | undefined
  #writable: WritableStream<T> | undefined

  private constructor(segment: Segment, end: 0 | 1, codec?: CodecOption<T>) {
    super(segment, 'Pipe', pipeWaits)
    this.#end = end
    // Structured clone reads the properties of a handle that is sent. That must give the end away,
    // as `toJSON` does.
    Object.defineProperty(this, 'end', { enumerable: true, get: () => this.toJSON().end })
    const [reader, writer, bound] = this.orClose(object => {
      const params = nativeSegments.objectParams(object.handle)
      const most = (params[1 - end] as number) / 2 - 8
      return [
        new PipeReader(object, end),
        new PipeWriter(object, end, most),
        codecOf<T>(params[2] as number, codec, object.name),
      ] as const
    })
    this.#reader = reader
    this.#writer = writer
    this.#codec = bound
  }

  /** @internal */
  protected override state(): object {
    return { end: this.#end, state: this.#state, ...super.state() }
  }

  /** @internal */
  static attach(segment: Segment, end: unknown, sender?: number): Pipe {
    return Pipe.#claim(segment, end, undefined, sender)
  }

  /**
   * Creates a pipe. Use one of its two ends here, and send the other one to another process or
   * thread.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG, ERR_EXISTS, ERR_INVALID_NAME, ERR_NO_SPACE, ERR_LIMIT
   */
  static create<T = unknown>(options?: PipeOptions<T>): [Pipe<T>, Pipe<T>] {
    const {
      duplex = true,
      capacity = 65536,
      codec,
      name = null,
      ...creation
    } = checkOptions<PipeOptions<T>>(options, PIPE_OPTIONS)
    checkBoolean('duplex', duplex)
    const bytes = ringBytes(checkCount('capacity', capacity, 1))
    const params = [bytes, duplex ? bytes : 0, codecFor(codec).id]
    const segment = createObject('Pipe', name, creation, params)
    const ends: [Pipe<T>, Pipe<T>] = [new Pipe<T>(segment, 0, codec), new Pipe<T>(segment, 1, codec)]
    // If this process dies, an end that was given away has to notice, whether or not the other end
    // was used.
    for (const end of ends) end.#takeFirst()
    return ends
  }

  /**
   * Takes the end that a reference stands for. `open(reference)` does the same, except for a codec
   * of your own.
   *
   * @throws {CrossmemError} ERR_BUSY: a live process has the end. ERR_ENDED: it was closed.
   *   ERR_PEER_DIED: its owner died. ERR_INVALID_ARG: it is no reference, or has another codec.
   *   ERR_INVALID_NAME: the name in it is refused. ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN,
   *   ERR_PERMISSION, ERR_LIMIT
   */
  static open<T = unknown>(reference: PipeReference, options?: { codec?: CodecOption<T> }): Pipe<T> {
    const { codec } = checkOptions<OpenOptions<T>>(options, OPEN_OPTIONS)
    return Pipe.#claim<T>(Segment.open(reference?.name, 'Pipe'), reference?.end, codec)
  }

  static #claim<T>(segment: Segment, end: unknown, codec?: CodecOption<T>, sender?: number): Pipe<T> {
    if (end !== 0 && end !== 1) {
      segment.close()
      throw new CrossmemError(
        'ERR_INVALID_ARG',
        'an end of a pipe is opened by its reference, { crossmem, name, end }: what it becomes as JSON',
      )
    }
    const pipe = new Pipe<T>(segment, end, codec)
    try {
      pipe.#take(sender)
    } catch (error) {
      pipe.close()
      throw error
    }
    return pipe
  }

  /**
   * Waits until at least one of these ends has something to receive or has ended. Returns all ends
   * that have; none after the timeout. Python's `connection.wait`.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: one is no end of a pipe or only sends, or an option is
   *   refused. ERR_CLOSED, ERR_CORRUPT. ERR_BUSY: another process has one of these ends.
   *   ERR_NOT_FOUND: a pipe was unlinked meanwhile. Or the signal's reason
   */
  static async wait<P extends Pipe<unknown>>(ends: Iterable<P>, options?: WaitOptions): Promise<P[]> {
    checkWait(options)
    const all = checkEnds(ends)
    const ready = (): P[] => all.filter(end => end.pollSync())
    if (loopIsStarved()) await loopTurn()
    checkBeforeAttempt(options)
    const found = ready()
    if (found.length > 0 || options?.timeout === 0 || all.length === 0) return found
    const enough = new AbortController()
    const stop = (reason?: unknown): void => enough.abort(reason)
    if (options?.signal) onAbort(options.signal, stop)
    const waits = all.map(end => end.untilReady({ ...options, signal: enough.signal }))
    try {
      await Promise.race(waits)
    } catch (error) {
      if (!isTimeout(error)) throw error
    } finally {
      if (options?.signal) offAbort(options.signal, stop)
      stop()
      await Promise.allSettled(waits)
    }
    return ready()
  }

  /**
   * Sends a value, once there is room. The value is encoded at once. A value that is larger than
   * half the capacity goes in parts; then timeout and signal count only until the first part is
   * sent.
   *
   * @throws {CrossmemError} ERR_INVALID_ARG: it can't be encoded, this end only receives, or an
   *   option is refused. ERR_ENDED: either end was closed. ERR_PEER_DIED: the other process died,
   *   found while waiting for room. ERR_BUSY: another process has this end. ERR_NOT_FOUND: the pipe
   *   was unlinked meanwhile. ERR_TIMEOUT, ERR_CLOSED, ERR_CORRUPT, or the signal's reason
   */
  async send(value: T, options?: WaitOptions): Promise<void> {
    return this.#out.send(this.#codec.encode(value), options, true)
  }

  /**
   * As `send`, but a reader that sleeps may sleep on until `rouse()` is called. Returns `undefined`
   * if there is nothing to wait for.
   *
   * @internal
   */
  sendQuietly(value: T, options?: WaitOptions): Promise<unknown> | undefined {
    const message = this.#codec.encode(value)
    if (!this.#out.sendQuietly(message)) return this.#out.send(message, options, true)
    return loopIsStarved() ? loopTurn() : undefined
  }

  /** Wakes the reader of what was sent. @internal */
  rouse(): void {
    this.#out.rouse()
  }

  /**
   * As `send`, but blocks this thread.
   *
   * @throws {CrossmemError} as `send`. ERR_BUSY: a large value is being sent, or this one is large
   *   and a `send` waits
   */
  sendSync(value: T, options?: SyncWaitOptions): void {
    this.#out.sendSync(this.#codec.encode(value), options)
  }

  /**
   * Sends bytes as they are, for `recvBytes`. The caller must not change them before they are sent.
   *
   * @throws {CrossmemError} as `send`. ERR_INVALID_ARG: `message` is no Uint8Array
   */
  async sendBytes(message: Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#out.send(checkBytes(message), options, false)
  }

  /**
   * As `sendBytes`, but blocks this thread.
   *
   * @throws {CrossmemError} as `sendBytes` and `sendSync`
   */
  sendBytesSync(message: Uint8Array, options?: SyncWaitOptions): void {
    this.#out.sendSync(checkBytes(message), options)
  }

  /**
   * Receives a value, once there is one.
   *
   * @throws {CrossmemError} ERR_ENDED: the other end was closed, and everything was received.
   *   ERR_PEER_DIED: its process was killed. ERR_INVALID_ARG: this end only sends, or an option is
   *   refused. ERR_BUSY: another process has this end. ERR_CORRUPT: the message can't be decoded.
   *   ERR_NOT_FOUND: the pipe was unlinked meanwhile. ERR_TIMEOUT, ERR_CLOSED, or the signal's
   *   reason
   */
  async recv(options?: WaitOptions): Promise<T> {
    return this.#codec.decode(await this.#in.receive(options))
  }

  /** As `recv`, but blocks this thread. */
  recvSync(options?: SyncWaitOptions): T {
    return this.#codec.decode(this.#in.receiveSync(options))
  }

  /**
   * Receives a value if there is one. Returns `undefined` if there is none, and when the other end
   * was closed and everything was received.
   *
   * @throws {CrossmemError} ERR_PEER_DIED: the process of the other end was killed, and everything
   *   was received. ERR_INVALID_ARG: this end only sends. ERR_BUSY: another process has this end.
   *   ERR_CORRUPT: the message can't be decoded. ERR_CLOSED
   */
  tryRecv(): T | undefined {
    const message = this.#in.tryReceive()
    return message && this.#codec.decode(message)
  }

  /** Receives bytes as they were sent, once there are some. Throws as `recv`. */
  async recvBytes(options?: WaitOptions): Promise<Uint8Array> {
    return this.#in.receive(options)
  }

  /** As `recvBytes`, but blocks this thread. */
  recvBytesSync(options?: SyncWaitOptions): Uint8Array {
    return this.#in.receiveSync(options)
  }

  /**
   * Receives bytes and copies them into `buffer`. Returns how many.
   *
   * @throws {CrossmemError} as `recv`. ERR_INVALID_ARG: `buffer` is no Uint8Array. ERR_TOO_LARGE:
   *   they don't fit; they are the error's `cause`
   */
  async recvBytesInto(buffer: Uint8Array, options?: WaitOptions): Promise<number> {
    checkRoom(buffer)
    return copyInto(await this.recvBytes(options), buffer)
  }

  /** As `recvBytesInto`, but blocks this thread. */
  recvBytesIntoSync(buffer: Uint8Array, options?: SyncWaitOptions): number {
    checkRoom(buffer)
    return copyInto(this.recvBytesSync(options), buffer)
  }

  /**
   * Waits for something to receive. Returns whether there is, or the pipe has ended.
   *
   * @param timeout milliseconds to wait at most; default: 0
   * @throws {CrossmemError} ERR_INVALID_ARG: this end only sends, or `timeout` is refused.
   *   ERR_BUSY: another process has this end. ERR_NOT_FOUND: the pipe was unlinked meanwhile.
   *   ERR_CLOSED, ERR_CORRUPT
   */
  async poll(timeout = 0): Promise<boolean> {
    checkTimeout({ timeout })
    if (loopIsStarved()) await loopTurn()
    if (this.pollSync()) return true
    if (timeout === 0) return false
    try {
      await this.untilReady({ timeout })
      return true
    } catch (error) {
      if (isTimeout(error)) return false
      throw error
    }
  }

  /** As `poll`, but blocks this thread. */
  pollSync(timeout = 0): boolean {
    const end = this.#use()
    const { object } = this
    if (checkTimeout({ timeout }) === 0) return this.#isReady(TRY) === true
    try {
      object.waitSync({ attempt: mode => this.#isReady(mode), doing: '' }, { timeout }, forRecord(end))
      return true
    } catch (error) {
      if (isTimeout(error)) return false
      throw error
    }
  }

  /**
   * Yields values until the other end is closed and everything was received.
   *
   * @throws {CrossmemError} as `recv`, but not ERR_ENDED
   */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    return untilEnded(() => this.recv())
  }

  /**
   * A web stream of the values that are received. The stream fails with the errors of `recv` but
   * ERR_ENDED, which is its end.
   *
   * @throws {CrossmemError} ERR_CLOSED. ERR_BUSY: another process has this end
   */
  get readable(): ReadableStream<T> {
    this.#use()
    this.#readable ??= readableOf(
      options => this.recv(options),
      () => undefined,
    )
    return this.#readable
  }

  /**
   * A new Node stream of the values that are received, in object mode. It receives a value only
   * when its consumer asks for one, as `readable` does. A value that arrives in the very moment in
   * which the stream is destroyed is lost: a pipe has no way back.
   */
  toNodeReadable(): Readable {
    this.#use()
    return nodeReadableOf(
      async options => ({ value: await this.recv(options) }),
      () => undefined,
    )
  }

  /**
   * A web stream of values to send. Closing the stream ends sending; this end can receive until it
   * is closed itself.
   */
  get writable(): WritableStream<T> {
    this.#use()
    this.#writable ??= writableOf(
      (value: T, options) => this.send(value, options),
      () => nativeQueues.closeEnd(this.object.handle, this.#end),
    )
    return this.#writable
  }

  /**
   * Closes this end: the other end receives what was sent, and then ERR_ENDED. If this end was
   * given away, only this handle is closed; the process that took the end closes it. Calling it
   * again does nothing.
   */
  override close(): void {
    if (this.#state === 'closed') return
    const { object } = this
    const isOurs = this.#state === 'ours'
    this.#state = 'closed'
    try {
      if (isOurs) {
        object.rejectWaits([forRecord(this.#end), forRoom(this.#end)])
        nativeQueues.releaseEnd(object.handle, this.#end, true)
        object.serveWaiters()
      }
    } finally {
      super.close()
    }
  }

  /**
   * The reference that `open()` takes in another process or thread. Making it gives an unused end
   * away.
   */
  override toJSON(): PipeReference {
    if (this.#state === 'ours' && !this.#isUsed) {
      nativeQueues.releaseEnd(this.object.handle, this.#end, false)
      this.#state = 'given away'
    }
    return { crossmem: 'Pipe', name: this.name, end: this.#end }
  }

  #take(sender?: number): void {
    nativeQueues.takeEnd(this.object.handle, this.#end, sender)
    this.#state = 'ours'
  }

  /**
   * Another process that knows the name may have been faster. Then it has the end, as if the end
   * had been given away.
   */
  #takeFirst(): void {
    try {
      this.#take()
    } catch (error) {
      if (!hasCode(error, 'ERR_BUSY', 'ERR_ENDED', 'ERR_PEER_DIED')) throw error
    }
  }

  /** Begins to use this end. If it was given away and no process took it, it is taken back. */
  #use(): 0 | 1 {
    void this.object
    if (this.#state !== 'ours') this.#take()
    this.#isUsed = true
    return this.#end
  }

  /** @internal */
  async untilReady(options: WaitOptions): Promise<true> {
    const end = this.#use()
    const spec = { attempt: (mode: number) => this.#isReady(mode), doing: `polling "${this.name}"` }
    return this.object.wait(spec, options, forRecord(end))
  }

  #isReady(mode: number): true | undefined {
    try {
      return nativeRecords.peekRecord(this.object.handle, this.#end, mode) === NOT_YET ? undefined : true
    } catch (error) {
      // The news of the death is something to receive.
      if (hasCode(error, 'ERR_PEER_DIED')) return true
      throw error
    }
  }

  get #in(): PipeReader {
    this.#use()
    return this.#reader
  }

  get #out(): PipeWriter {
    this.#use()
    return this.#writer
  }
}

/** By a method: an end may be one of another copy of this package. */
function checkEnds<P extends Pipe<unknown>>(ends: Iterable<P>): P[] {
  const all = typeof ends?.[Symbol.iterator] === 'function' ? [...ends] : [undefined]
  if (all.every((end): end is P => typeof end?.pollSync === 'function')) return all
  throw new CrossmemError('ERR_INVALID_ARG', `Pipe.wait() takes ends of pipes, as an array or iterable`)
}

/** If the last other process is gone, no process can take an end that isn't taken. */
const pipeWaits: WaitKind = {
  ...channelWaits,
  needsOthers: (channel, handle) => !nativeQueues.hasEnd(handle, 1 - (channel % 2)),
}

const isTimeout = (error: unknown): boolean => hasCode(error, 'ERR_TIMEOUT')
