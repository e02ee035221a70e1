import { hot } from '../native.js'
import type { SharedObject } from '../shared-object.js'

/**
 * A message that was taken and is not done with yet. Until `release()` it has its place in the queue; if its process dies
 * before, it goes to the next reader of a queue that redelivers, and is lost with its reader elsewhere.
 */
export class Message<T> implements Disposable {
  readonly value: T
  /** Whether another reader had it before, and died. */
  readonly redelivered: boolean
  readonly #object: SharedObject
  readonly #chunk: number
  #isReleased = false

  /** @internal */
  constructor(object: SharedObject, chunk: number, value: T, redelivered: boolean) {
    this.#object = object
    this.#chunk = chunk
    this.value = value
    this.redelivered = redelivered
  }

  /**
   * Done with it. Idempotent.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_LOST_OWNERSHIP: the queue was closed, and the message given to others
   */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    hot.freeMessage(this.#object.segment.handle, this.#chunk)
    this.#object.pump()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
