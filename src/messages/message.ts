import { dispose, type InspectionArguments, inspection, showAs, stays } from '../util/index.js'
import type { Holdings } from './holdings.js'

/**
 * A message that its reader has not finished yet. It keeps its slot of the queue until `release()`.
 * If the reader's process dies before that, a queue with `redeliver` gives the message to the next
 * reader; another queue loses it.
 *
 * @example
 * ```js
 * import { Queue } from 'crossmem'
 *
 * const jobs = Queue.create(null, { redeliver: true })
 * jobs.putSync('resize')
 * const message = jobs.receiveSync()
 * console.log(message.value, message.redelivered) // resize false
 * message.release()
 * jobs.close()
 * ```
 */
export class Message<T> implements Disposable {
  /** The value that was put. */
  readonly value: T
  /** Whether an earlier reader died with it. */
  readonly redelivered: boolean
  readonly #chunk: number
  #holdings: Holdings | undefined

  /** @internal */
  constructor(holdings: Holdings, chunk: number, value: T, redelivered: boolean) {
    this.#holdings = holdings
    this.#chunk = chunk
    this.value = value
    this.redelivered = redelivered
  }

  /**
   * Finishes the message: its slot of the queue is free again. Calling it again does nothing.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the queue's handle was closed before, which counts
   *   as the reader's death
   */
  release(): void {
    const holdings = this.#holdings
    this.#holdings = undefined
    holdings?.free(this.#chunk)
  }

  /** Finishes the message at the end of a `using` block. */
  [dispose](): void {
    this.release()
  }

  /** Shows the value in `console.log`, and whether the message was released. */
  [inspection](...how: InspectionArguments): string {
    return showAs(`Message${this.#holdings ? '' : ' (released)'}`, { ...this }, ...how)
  }
}

stays(Message, 'a message stays with its reader; send its value')
