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
  /** Called every 100 ms while a wait is pending. */
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
  async wait<T>(spec: WaitSpec<T>, options: WaitOptions | undefined): Promise<T> {
    const { timeout, signal, unref } = checkWait(options)
    const isStarved = loopIsStarved()
    let hasSlept = false
    try {
      throwIfAborted(signal)
      // A wait that may last makes no attempt before the turn of the loop: others could need what it
      // would take.
      if (this.isEmpty && !(isStarved && timeout > 0)) {
        const found = this.#try(spec.attempt, timeout === 0 ? TRY : ARM)
        if (found !== undefined && found !== HELD_HERE) {
          if (isStarved) await loopTurn()
          return found
        }
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
      if (isStarved) await loopTurn()
      if (late !== undefined) return late
      throw error
    }
    return new Promise<T>((resolve, reject) => {
      if (this.isEmpty) {
        listen(this.#point, this)
        this.#object.onFirst()
      }
      const waiter = new Waiter(this, spec, { timeout, signal, unref, resolve, reject })
      waiter.hasSlept = hasSlept
      this.#waiters.add(waiter as Waiter<unknown>)
      if (isStarved) afterTurn(this.#serve)
    })
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

  /** 100 ms have passed. */
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

interface Terms<T> {
  timeout: number
  signal?: AbortSignal
  unref: boolean
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

class Waiter<T> implements Expiring {
  readonly spec: WaitSpec<T>
  readonly deadline: number
  /** It was among the sleepers before, so newcomers let it go first. */
  hasSlept = false
  readonly #queue: WaitQueue
  readonly #terms: Terms<T>

  constructor(queue: WaitQueue, spec: WaitSpec<T>, terms: Terms<T>) {
    this.spec = spec
    this.deadline = now() + terms.timeout
    this.#queue = queue
    this.#terms = terms
    begin(terms.unref)
    expireLater(this)
    if (terms.signal) onAbort(terms.signal, this.#abort)
  }

  resolve(value: T): void {
    this.#terms.resolve(value)
  }

  fail(error: unknown): void {
    let late: T | undefined
    try {
      late = this.spec.onFailure?.()
    } catch {
      // The wait ends all the same, for the reason that it had.
    }
    if (late === undefined) this.#terms.reject(error)
    else this.#terms.resolve(late)
  }

  stop(): void {
    const { signal, unref } = this.#terms
    end(unref)
    expireNever(this)
    if (signal) offAbort(signal, this.#abort)
  }

  expire(): void {
    this.#cancel(timedOut(this.spec.doing, this.#terms.timeout))
  }

  readonly #abort = (reason: unknown): void => this.#cancel(reason)

  #cancel(error: unknown): void {
    this.#queue.cancel(this as Waiter<unknown>, error)
  }
}
