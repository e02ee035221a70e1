import type { Call } from './stored.js'
import type { Waiter } from './waiter.js'

/** Calls that wait for the same, in their order, each with what it waits with. */
export class Line<About = undefined> {
  readonly #waiters = new Map<Waiter<Call>, About>()

  get length(): number {
    return this.#waiters.size
  }

  /**
   * The call waits here.
   *
   * @param token the client's number for this wait, by which it can cancel it
   * @param gaveUp what else is to be done when it waits in vain
   */
  join(call: Call, token: unknown, timeout: number, about: About, gaveUp?: () => void): Promise<unknown> {
    const waiter = call.client.waiter(call, token, timeout, () => {
      this.#waiters.delete(waiter)
      gaveUp?.()
    })
    this.#waiters.set(waiter, about)
    return waiter.promise
  }

  /** Takes the first one out. */
  shift(): [waiter: Waiter<Call>, about: About] | undefined {
    for (const entry of this.#waiters) {
      this.#waiters.delete(entry[0])
      return entry
    }
    return undefined
  }

  /** Takes all of them out. */
  empty(): Waiter<Call>[] {
    const waiters = [...this.#waiters.keys()]
    this.#waiters.clear()
    return waiters
  }

  about(): Iterable<About> {
    return this.#waiters.values()
  }
}
