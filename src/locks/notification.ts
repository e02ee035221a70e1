import { answers, nativeLocks, shared } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import type { WaitSpec } from '../wait/index.js'

/**
 * By object: how many waits of this environment were notified and don't hold the lock again yet.
 */
const notified = shared('notified', () => new WeakMap<SharedObject, number>())

/**
 * One wait for a notification. Shared memory keeps the notification until it is settled: if this
 * process dies before, the notification goes to another waiter.
 */
export class Notification implements WaitSpec<true> {
  readonly doing: string
  readonly #object: SharedObject
  #isNotified = false

  constructor(object: SharedObject) {
    this.#object = object
    this.doing = `waiting for a notification of "${object.name}"`
  }

  readonly attempt = (mode: number): true | undefined => {
    if (nativeLocks.waitCondition(this.#object.handle, this.#unsettled, mode) !== answers.GOT)
      return undefined
    this.#isNotified = true
    notified.set(this.#object, this.#unsettled + 1)
    return true
  }

  readonly onFailure = (): undefined =>
    nativeLocks.leaveCondition(this.#object.handle, this.#unsettled) as undefined

  /** The lock is held again, or will never be. */
  settle(): void {
    if (!this.#isNotified) return
    notified.set(this.#object, this.#unsettled - 1)
    if (!this.#object.isClosed) nativeLocks.settleCondition(this.#object.handle)
  }

  get #unsettled(): number {
    return notified.get(this.#object) ?? 0
  }
}
