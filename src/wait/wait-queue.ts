import { thrownHere } from '../errors.js'
import { attempts, channels } from '../native/index.js'
import { offAbort, onAbort, throwIfAborted } from './aborts.js'
import { now } from './clock.js'
import { type Expiring, expireLater, expireNever } from './deadlines.js'
import { checkWait, timedOut, type WaitOptions } from './options.js'
import { begin, end, type Listening, listen, unlisten } from './reactor.js'
import { afterTurn, loopIsStarved, loopTurn } from './turns.js'
import { type Attempt, HELD_HERE, type WaitSpec } from './wait-spec.js'

const { TRY, ARM, ARM_AGAIN } = attempts
const { CHANNELS } = channels

/** The object whose waits these are. */
export interface WaitedFor {
  /** Takes this environment out of the sleepers. */
  disarm(): void
  /** Called when the first wait begins. */
  onFirst(): void
  /** Called at a tick of the reactor while a wait is pending. */
  onTick(): void
}

/** The number of a set of sleepers, as the addon counts them: an object has one per channel. */
export const point = (handle: number, channel = 0): number => CHANNELS * handle + channel

/**
 * The asynchronous waits of this environment at one set of sleepers. They are served in order; the
 * first one is armed for all.
 */
export class WaitQueue implements Listening {
  readonly #point: number
  readonly #object: WaitedFor
  readonly #waiters = new Set<Waiter<unknown>>()
  #isArmed = false
  readonly #serve = (): void => this.serveWaiters()

  /** @param at its `point` */
  constructor(at: number, object: WaitedFor) {
    this.#point = at
    this.#object = object
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0
  }

  /** Waits behind the waits that are pending. */
  wait<T>(spec: WaitSpec<T>, options: WaitOptions | undefined): Promise<T> {
    // No async function: what it keeps while it waits would be most of what a wait costs.
    let isStarved = false
    try {
      const terms = checkWait(options)
      isStarved = loopIsStarved()
      const found = this.#begin(spec, terms, isStarved)
      if (found instanceof Waiter) return outcome(found)
      return isStarved ? loopTurn().then(() => found) : Promise.resolve(found)
    } catch (error) {
      return isStarved ? loopTurn().then(() => Promise.reject(error)) : Promise.reject(error)
    }
  }

  /** Makes an attempt, if it is the time for one; without success, a waiter. */
  #begin<T>(spec: WaitSpec<T>, terms: Terms, isStarved: boolean): T | Waiter<T> {
    const { timeout, signal } = terms
    let hasSlept = false
    try {
      throwIfAborted(signal)
      // A wait that may last makes no attempt before the turn of the loop: others could need what
      // it would take.
      if (this.isEmpty && !(isStarved && timeout > 0)) {
        const found = this.#try(spec.attempt, timeout === 0 ? TRY : ARM)
        if (found !== undefined && found !== HELD_HERE) return found
        hasSlept = found === undefined
      }
      if (timeout === 0) {
        if (!spec.isHalfDone?.()) throw timedOut(spec.doing, 0)
        // It can't be cancelled any more, so it has to be woken.
        const rest = this.#try(spec.attempt, ARM)
        if (rest !== undefined && rest !== HELD_HERE) return rest
      }
    } catch (error) {
      const late = spec.onFailure?.()
      if (late !== undefined) return late
      throw error
    }
    if (this.isEmpty) {
      listen(this.#point, this)
      this.#object.onFirst()
    }
    const waiter = new Waiter(this, spec, terms)
    waiter.hasSlept = hasSlept
    this.#waiters.add(waiter as Waiter<unknown>)
    if (isStarved) afterTurn(this.#serve)
    return waiter
  }

  /** Attempts each wait, the first one first, until one has to wait longer. */
  serveWaiters(): void {
    let again = true
    while (again) {
      again = false
      let sleeps = false
      for (const waiter of this.#waiters) {
        let settle: () => void
        try {
          const found = this.#try(waiter.spec.attempt, waiter.hasSlept ? ARM_AGAIN : ARM)
          if (found === undefined) waiter.hasSlept = true
          if (found === undefined || found === HELD_HERE) {
            if (!waiter.spec.isIndependent) return
            sleeps = true
            continue
          }
          settle = () => waiter.resolve(found)
        } catch (error) {
          settle = () => waiter.fail(error)
        }
        // A successful attempt has taken this environment out of the sleepers.
        again = sleeps
        this.#leave(waiter)
        settle()
      }
    }
  }

  /** As `serveWaiters`, but after a turn of the event loop if that is starved. */
  serveSoon(): void {
    if (loopIsStarved()) afterTurn(this.#serve)
    else this.serveWaiters()
  }

  /** Time has passed, and something may have changed without a ring. */
  tick(): void {
    this.#object.onTick()
  }

  /** Fails every wait that may be ended. No other wait is attempted before all of them know. */
  rejectAll(error: unknown, isClosed: boolean): void {
    const waiters = [...this.#waiters].filter(
      ({ spec }) => isClosed || !(spec.endures || spec.isHalfDone?.()),
    )
    if (waiters.length === 0) return
    this.#disarm()
    for (const waiter of waiters) this.#leave(waiter)
    for (const waiter of waiters) waiter.fail(error)
    this.serveWaiters()
  }

  /** Fails one wait, unless it has ended or is half done. */
  cancel(waiter: Waiter<unknown>, error: unknown): void {
    if (!this.#waiters.has(waiter) || waiter.spec.isHalfDone?.()) return
    const wasFirst = this.#waiters.values().next().value === waiter
    this.#leave(waiter)
    if (wasFirst) {
      this.#disarm()
      this.serveWaiters()
    }
    waiter.fail(error)
  }

  #try<T>(attempt: Attempt<T>, mode: number): T | undefined | typeof HELD_HERE {
    const found = attempt(mode)
    if (mode < 0) this.#isArmed = found === undefined
    return found
  }

  #leave(waiter: Waiter<unknown>): void {
    this.#waiters.delete(waiter)
    waiter.stop()
    if (this.isEmpty) unlisten(this.#point)
  }

  #disarm(): void {
    if (this.#isArmed) this.#object.disarm()
    this.#isArmed = false
  }
}

/** The options of a wait, checked. */
type Terms = ReturnType<typeof checkWait>

class Waiter<T> implements Expiring {
  readonly spec: WaitSpec<T>
  readonly deadline: number
  readonly settled: Promise<T>
  /** It was among the sleepers before, so newcomers let it go first. */
  hasSlept = false
  readonly #queue: WaitQueue
  readonly #terms: Terms
  readonly #abort: ((reason: unknown) => void) | undefined
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void

  constructor(queue: WaitQueue, spec: WaitSpec<T>, terms: Terms) {
    this.spec = spec
    this.deadline = now() + terms.timeout
    this.#queue = queue
    this.#terms = terms
    this.settled = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    begin(terms.unref)
    expireLater(this)
    if (!terms.signal) return
    this.#abort = reason => this.#cancel(reason)
    onAbort(terms.signal, this.#abort)
  }

  /** Whether the caller gave this error as the reason of its signal. */
  isReason(error: unknown): boolean {
    const { signal } = this.#terms
    return signal?.aborted === true && error === signal.reason
  }

  resolve(value: T): void {
    this.#resolve(value)
  }

  fail(error: unknown): void {
    let late: T | undefined
    try {
      late = this.spec.onFailure?.()
    } catch {
      // The wait ends all the same, for the reason that it had.
    }
    if (late === undefined) this.#reject(error)
    else this.#resolve(late)
  }

  stop(): void {
    const { signal, unref } = this.#terms
    end(unref)
    expireNever(this)
    if (signal && this.#abort) offAbort(signal, this.#abort)
  }

  expire(): void {
    this.#cancel(timedOut(this.spec.doing, this.#terms.timeout))
  }

  #cancel(error: unknown): void {
    this.#queue.cancel(this as Waiter<unknown>, error)
  }
}

/** What became of a wait. Its error has the stack of the caller: an `await` keeps that. */
async function outcome<T>(waiter: Waiter<T>): Promise<T> {
  try {
    return await waiter.settled
  } catch (error) {
    throw waiter.isReason(error) ? error : thrownHere(error)
  }
}
