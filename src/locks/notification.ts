import { nativeLocks } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import type { WaitSpec } from '../wait/index.js'

/** How many waits of this environment have heard their notification and don't have the lock again. */
const heard = new WeakMap<SharedObject, number>()

/** One wait for a notification, which stays the object's until it is settled: if this process dies, another one gets it. */
export class Notification implements WaitSpec<true> {
  readonly doing: string
  readonly #object: SharedObject
  #isHeard = false

  constructor(object: SharedObject) {
    this.#object = object
    this.doing = `waiting for a notification of "${object.name}"`
  }

  readonly attempt = (mode: number): true | undefined => {
    if (nativeLocks.waitCondition(this.#object.handle, this.#heard, mode) !== 1) return undefined
    this.#isHeard = true
    heard.set(this.#object, this.#heard + 1)
    return true
  }

  readonly onFailure = (): undefined =>
    nativeLocks.leaveCondition(this.#object.handle, this.#heard) as undefined

  /** The lock is held again, or never will be. */
  settle(): void {
    if (!this.#isHeard) return
    heard.set(this.#object, this.#heard - 1)
    if (!this.#object.isClosed) nativeLocks.settleCondition(this.#object.handle)
  }

  get #heard(): number {
    return heard.get(this.#object) ?? 0
  }
}
