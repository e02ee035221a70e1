import type { Holdings } from './holdings.js'

/**
 * A message that was taken and is not done with yet. Until `release()` it has its place in the queue; if its process dies
 * before, it goes to the next reader of a queue that redelivers, and is lost with its reader elsewhere.
 */
export class Message<T> implements Disposable {
  readonly value: T
  /** Whether another reader had it before, and died. */
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
   * Done with it. Idempotent.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the queue's handle was closed before, as if this process had died with it
   */
  release(): void {
    const holdings = this.#holdings
    this.#holdings = undefined
    holdings?.free(this.#chunk)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
