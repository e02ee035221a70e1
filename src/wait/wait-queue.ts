import { offAbort, onAbort } from './aborts.js'
import { type Expiring, expireLater, expireNever } from './deadlines.js'
import { checkWait, timedOut, type WaitOptions } from './options.js'
import { begin, end, type Listening, listen, unlisten } from './reactor.js'
import { type Attempt, MINE, type Wanted } from './wanted.js'

const ARM = -1
const ARM_AGAIN = -2
/** The object whose waits these are. */
export interface WaitedFor {
  /** Leaves the set of sleepers. */
  giveUp(): void
  /** The first one waits. */
  onFirst(): void
  /** Called every 100 ms while anyone waits. */
  onTick(): void
}

/** Waits that an object has at most, each at sleepers of its own. */
const CHANNELS = 4

/** The waits at one channel of an object, as the addon numbers them. */
export const point = (handle: number, channel = 0): number => CHANNELS * handle + channel

/** The asynchronous waits of this environment at one set of sleepers: served in order, the first one looks for all. */
export class WaitQueue implements Listening {
  readonly #point: number
  readonly #object: WaitedFor
  readonly #waiters = new Set<Waiter<unknown>>()
  #isArmed = false

  /** @param at its `point` */
  constructor(at: number, object: WaitedFor) {
    this.#point = at
    this.#object = object
  }

  get isEmpty(): boolean {
    return this.#waiters.size === 0
  }

  /** Waits behind those who wait already. */
  async wait<T>(wanted: Wanted<T>, options: WaitOptions | undefined): Promise<T> {
    const { timeout, signal, unref } = checkWait(options)
    let hasSlept = false
    try {
      signal?.throwIfAborted()
      if (this.isEmpty) {
        const found = this.#look(wanted.attempt, timeout === 0 ? 0 : ARM)
        if (found !== undefined && found !== MINE) return found
        hasSlept = found === undefined
      }
      if (timeout === 0) {
        if (!wanted.isHalfDone?.()) throw timedOut(wanted.doing, 0)
        // Nothing but its end ends it now: from here on it is to be woken.
        const rest = this.#look(wanted.attempt, ARM)
        if (rest !== undefined && rest !== MINE) return rest
      }
    } catch (error) {
      const late = wanted.onGivenUp?.()
      if (late !== undefined) return late
      throw error
    }
    return new Promise<T>((resolve, reject) => {
      if (this.isEmpty) {
        listen(this.#point, this)
        this.#object.onFirst()
      }
      const waiter = new Waiter(this, wanted, { timeout, signal, unref, resolve, reject })
      waiter.hasSlept = hasSlept
      this.#waiters.add(waiter as Waiter<unknown>)
    })
  }

  /** Looks for those who wait, the first one first, until one has to wait on. */
  pump(): void {
    let again = true
    while (again) {
      again = false
      let sleeps = false
      for (const waiter of this.#waiters) {
        let settle: () => void
        try {
          const found = this.#look(waiter.wanted.attempt, waiter.hasSlept ? ARM_AGAIN : ARM)
          if (found === undefined) waiter.hasSlept = true
          if (found === undefined || found === MINE) {
            if (!waiter.wanted.looksForItself) return
            sleeps = true
            continue
          }
          settle = () => waiter.resolve(found)
        } catch (error) {
          settle = () => waiter.giveUp(error)
        }
        // Whoever finds something takes this environment out of the set of sleepers.
        again = sleeps
        this.#leave(waiter)
        settle()
      }
    }
  }

  /** 100 ms have passed. */
  tick(): void {
    this.#object.onTick()
  }

  /** Everyone who waits is told, and nobody else has a look before. */
  rejectAll(error: unknown, isClosed: boolean): void {
    const waiters = [...this.#waiters].filter(
      ({ wanted }) => isClosed || !(wanted.endures || wanted.isHalfDone?.()),
    )
    if (waiters.length === 0) return
    this.#disarm()
    for (const waiter of waiters) this.#leave(waiter)
    for (const waiter of waiters) waiter.giveUp(error)
    this.pump()
  }

  /** One wait ends in vain, unless it has ended. */
  cancel(waiter: Waiter<unknown>, error: unknown): void {
    if (!this.#waiters.has(waiter) || waiter.wanted.isHalfDone?.()) return
    const wasFirst = this.#waiters.values().next().value === waiter
    this.#leave(waiter)
    if (wasFirst) {
      this.#disarm()
      this.pump()
    }
    waiter.giveUp(error)
  }

  #look<T>(attempt: Attempt<T>, how: number): T | undefined | typeof MINE {
    const found = attempt(how)
    if (how < 0) this.#isArmed = found === undefined
    return found
  }

  #leave(waiter: Waiter<unknown>): void {
    this.#waiters.delete(waiter)
    waiter.stop()
    if (this.isEmpty) unlisten(this.#point)
  }

  #disarm(): void {
    if (this.#isArmed) this.#object.giveUp()
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
  readonly wanted: Wanted<T>
  readonly deadline: number
  /** Was among the sleepers once, so newcomers let it go first. */
  hasSlept = false
  readonly #queue: WaitQueue
  readonly #terms: Terms<T>

  constructor(queue: WaitQueue, wanted: Wanted<T>, terms: Terms<T>) {
    this.wanted = wanted
    this.deadline = performance.now() + terms.timeout
    this.#queue = queue
    this.#terms = terms
    begin(terms.unref)
    expireLater(this)
    if (terms.signal) onAbort(terms.signal, this.#abort)
  }

  resolve(value: T): void {
    this.#terms.resolve(value)
  }

  giveUp(error: unknown): void {
    let late: T | undefined
    try {
      late = this.wanted.onGivenUp?.()
    } catch {
      // The wait ends all the same, and for the reason it had.
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
    this.#cancel(timedOut(this.wanted.doing, this.#terms.timeout))
  }

  readonly #abort = (reason: unknown): void => this.#cancel(reason)

  #cancel(error: unknown): void {
    this.#queue.cancel(this as Waiter<unknown>, error)
  }
}
