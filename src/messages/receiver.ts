import { messageFlags, nativeMessages, pad, transfers } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import { type Attempt, type SyncWaitOptions, TRY, type WaitOptions, type WaitSpec } from '../wait/index.js'
import type { Holdings } from './holdings.js'
import { isDrained } from './inbox.js'
import { Message } from './message.js'
import { copyTaken, MESSAGE } from './queue-transport.js'

const { ENDED, NOT_YET } = transfers
const { REDELIVERED } = messageFlags
const { elsewhere } = pad

/** A message that was taken, and the chunk that it keeps. */
interface Taken {
  bytes: Uint8Array
  chunk: number
  redelivered: boolean
}

/**
 * Takes messages that keep their chunk until they are released. As in an inbox, all messages of a
 * call are taken before the first is decoded: a codec is the user's code and may use the same
 * queue.
 */
export class Receiver<T> {
  readonly #object: SharedObject
  readonly #holdings: Holdings
  readonly #decode: (message: Uint8Array) => T
  /** Messages that were taken behind one that can't be decoded. */
  #backlog: Taken[] = []

  constructor(object: SharedObject, holdings: Holdings, decode: (message: Uint8Array) => T) {
    this.#object = object
    this.#holdings = holdings
    this.#decode = decode
  }

  /** Returns `undefined` if no message is there, or the queue has ended. */
  tryReceive(): Message<T> | undefined {
    const taken = this.#attempt(TRY)
    return typeof taken === 'object' ? this.#message(taken) : undefined
  }

  async receive(options: WaitOptions | undefined): Promise<Message<T>> {
    return this.#message(
      await this.#object.wait(
        this.#spec(mode => this.#take(mode)),
        options,
        MESSAGE,
      ),
    )
  }

  receiveSync(options: SyncWaitOptions | undefined): Message<T> {
    return this.#message(
      this.#object.waitSync(
        this.#spec(mode => this.#take(mode)),
        options,
        MESSAGE,
      ),
    )
  }

  /** Returns at most `max` of the messages that are there now. */
  tryReceiveMany(max: number): Message<T>[] {
    return this.#messages(this.#rest([], max))
  }

  /** Waits for at least one message, and returns at most `max` of those that are there then. */
  async receiveMany(max: number, options: WaitOptions | undefined): Promise<Message<T>[]> {
    const spec = this.#spec(mode => this.#takeMany(max, mode))
    return this.#messages(await this.#object.wait(spec, options, MESSAGE))
  }

  receiveManySync(max: number, options: SyncWaitOptions | undefined): Message<T>[] {
    const spec = this.#spec(mode => this.#takeMany(max, mode))
    return this.#messages(this.#object.waitSync(spec, options, MESSAGE))
  }

  #spec<R>(attempt: Attempt<R>): WaitSpec<R> {
    return { attempt, doing: `receiving from "${this.#object.name}"` }
  }

  #takeMany(max: number, mode: number): Taken[] | undefined {
    const first = this.#take(mode)
    return first && this.#rest([first], max)
  }

  #rest(taken: Taken[], max: number): Taken[] {
    while (taken.length < max) {
      let next: Taken | typeof NOT_YET | typeof ENDED
      try {
        next = this.#attempt(TRY)
      } catch (error) {
        // An error behind messages that were taken must not lose them.
        if (taken.length === 0) throw error
        break
      }
      if (typeof next !== 'object') break
      taken.push(next)
    }
    return taken
  }

  #take(mode: number): Taken | undefined {
    const taken = this.#attempt(mode)
    if (taken === ENDED) throw isDrained(this.#object.name)
    return taken === NOT_YET ? undefined : taken
  }

  #attempt(mode: number): Taken | typeof NOT_YET | typeof ENDED {
    const earlier = this.#backlog.shift()
    if (earlier) return earlier
    const status = nativeMessages.takeMessage(this.#object.handle, mode)
    if (status === NOT_YET || status === ENDED) return status
    const [, , flags = 0, chunk = 0] = elsewhere
    const bytes = copyTaken(this.#object)
    this.#holdings.took(chunk)
    return { bytes, chunk, redelivered: (flags & REDELIVERED) !== 0 }
  }

  #messages(taken: Taken[]): Message<T>[] {
    const messages: Message<T>[] = []
    for (const [at, one] of taken.entries()) {
      try {
        messages.push(this.#decoded(one))
      } catch (error) {
        // The error is reported when this message comes to the front. The messages behind it stay
        // in the backlog.
        this.#backlog.unshift(...taken.slice(at === 0 ? 1 : at))
        if (at > 0) break
        this.#holdings.free(one.chunk)
        throw error
      }
    }
    return messages
  }

  #message(taken: Taken): Message<T> {
    try {
      return this.#decoded(taken)
    } catch (error) {
      // No other reader could decode it either.
      this.#holdings.free(taken.chunk)
      throw error
    }
  }

  #decoded({ bytes, chunk, redelivered }: Taken): Message<T> {
    return new Message(this.#holdings, chunk, this.#decode(bytes), redelivered)
  }
}
