import { CrossmemError } from '../errors.js'
import { asyncDispose, type InspectionArguments, inspection, showAs, stays } from '../util/index.js'
import type { Session } from './session.js'

/** The queue that a message came from. */
export interface MessageHome {
  readonly name: string
  finish(message: RemoteMessage<unknown>): Promise<void>
  leave(message: RemoteMessage<unknown>): Promise<void>
}

/**
 * A message that its reader has not finished yet. It keeps its place in the queue until
 * `release()`. If the reader's connection ends before that, a queue with `redeliver` gives the
 * message to the next reader; another queue loses it.
 */
export class RemoteMessage<T> implements AsyncDisposable {
  /** The value that was put. */
  readonly value: T
  /** Whether an earlier reader died with it. */
  readonly redelivered: boolean
  /** @internal */
  readonly session: Session
  /** Its entry in the stream. @internal */
  readonly id: string
  readonly #queue: MessageHome
  #state: 'held' | 'released' | 'lost' = 'held'
  #reason: CrossmemError | undefined

  /** @internal */
  constructor(queue: MessageHome, session: Session, id: string, value: T, redelivered: boolean) {
    this.#queue = queue
    this.session = session
    this.id = id
    this.value = value
    this.redelivered = redelivered
  }

  /**
   * Finishes the message: its place in the queue is free again. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the connection was lost or the handle closed
   *   before, which counts as the reader's death. ERR_DISCONNECTED: the connection was lost during
   *   the call
   */
  async release(): Promise<void> {
    if (this.#state === 'released') return
    if (this.#state === 'lost') {
      const why = this.#reason ? `: ${this.#reason.message}` : ''
      throw new CrossmemError('ERR_LOST_OWNERSHIP', `a message of "${this.#queue.name}" was lost${why}`, {
        cause: this.#reason,
      })
    }
    this.#state = 'released'
    await this.#queue.finish(this as RemoteMessage<unknown>)
  }

  /** Finishes the message at the end of an `await using` block. */
  async [asyncDispose](): Promise<void> {
    await this.release()
  }

  /** Shows the value in `console.log`, and whether the message was released. */
  [inspection](...how: InspectionArguments): string {
    const { value, redelivered } = this
    const title = `RemoteMessage${this.#state === 'held' ? '' : ` (${this.#state})`}`
    return showAs(title, { value, redelivered }, ...how)
  }

  /** @internal */
  lose(reason: CrossmemError): void {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    this.#reason = reason
  }

  /** The handle closes. @internal */
  async abandon(): Promise<void> {
    if (this.#state !== 'held') return
    this.#state = 'lost'
    await this.#queue.leave(this as RemoteMessage<unknown>)
  }
}

stays(RemoteMessage, 'a message stays with its reader; send its value')
