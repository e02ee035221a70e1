import { CrossmemError } from '../errors.js'
import { clearTimeout, setTimeout, timedOut } from '../wait/index.js'

/**
 * A call that waits: until it is resolved, its time is over, or its client cancels it or is gone.
 */
export class Waiter<Call> {
  readonly call: Call
  readonly promise: Promise<unknown>
  #resolve: (value: unknown) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #timer: NodeJS.Timeout | undefined
  #isSettled = false
  readonly #giveUp: () => void
  readonly #forget: () => void

  /**
   * @param giveUp takes it from where it waits: nothing resolves it any more
   * @param forget it is settled
   */
  constructor(call: Call, timeout: number, giveUp: () => void, forget: () => void) {
    this.call = call
    this.#giveUp = giveUp
    this.#forget = forget
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // The client may be gone.
    this.promise.catch(() => undefined)
    if (timeout === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.fail(timedOut('waiting at the manager', timeout)), timeout)
  }

  resolve(value: unknown): void {
    if (this.#settle()) this.#resolve(value)
  }

  /** It waits in vain. */
  fail(error: CrossmemError): void {
    if (!this.#settle()) return
    this.#giveUp()
    this.#reject(error)
  }

  #settle(): boolean {
    if (this.#isSettled) return false
    this.#isSettled = true
    clearTimeout(this.#timer)
    this.#forget()
    return true
  }
}

export const cancelled = (): CrossmemError => new CrossmemError('ERR_CLOSED', 'the wait was cancelled')
