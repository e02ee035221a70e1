import { answers, attempts, nativeLocks, shared } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import {
  HELD_HERE,
  loopIsStarved,
  type SyncWaitOptions,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import { FastMutex } from './fast-mutex.js'
import { Guard, type Lender, notHeld } from './guard.js'

const { NOT_YET, GOT_AFTER_DEATH, HELD_HERE: HOLDS_IT } = answers
// Bound here: what is imported is read through accessors of two modules at each use.
const { TRY, IN_TURN } = attempts
const isStarved = loopIsStarved

/** How a lock is taken: a plain mutex, or one that its holder may take again. */
export interface Locking {
  lock(options: WaitOptions | undefined): Guard | Promise<Guard>
  lockSync(options: SyncWaitOptions | undefined): Guard
  tryLock(): Guard | undefined
  /** The last guard of this environment while it holds the lock. */
  readonly guard: Guard | undefined
}

/** The mutex of a Mutex, a Condition, a Value… One per environment and object. */
export class MutexCore implements Locking, Lender {
  readonly #object: SharedObject
  readonly #handle: number
  readonly #spec: WaitSpec<Guard>
  readonly #fast: FastMutex
  /** Guards whose lock `suspend` released, until it is held again. */
  readonly #suspended = new WeakSet<Guard>()
  #guard: Guard | undefined

  private constructor(object: SharedObject) {
    this.#object = object
    this.#handle = object.handle
    this.#spec = { attempt: mode => this.attempt(mode), doing: `locking "${object.name}"` }
    this.#fast = new FastMutex(object.segment)
    // Added once: adding and deleting each guard would be most of what a lock costs.
    object.held.add({ abandon: () => this.#guard?.abandon() })
  }

  static of(object: SharedObject): MutexCore {
    const core = cores.get(object) ?? new MutexCore(object)
    cores.set(object, core)
    return core
  }

  get name(): string {
    return this.#object.name
  }

  get guard(): Guard | undefined {
    return this.#guard
  }

  tryLock(): Guard | undefined {
    const found = this.attempt(TRY)
    return found === HELD_HERE ? undefined : found
  }

  lockSync(options: SyncWaitOptions | undefined): Guard {
    if (options === undefined && this.#fast.take()) return this.#hold(false)
    return this.#object.waitSync(this.#spec, options)
  }

  lock(options: WaitOptions | undefined): Guard | Promise<Guard> {
    // In order: never before the waits of this environment that began earlier.
    const mayTake = options === undefined && !this.#object.isAwaited && !isStarved()
    if (mayTake && this.#fast.take()) return this.#hold(false)
    return this.#object.wait(this.#spec, options)
  }

  attempt(mode: number): Guard | undefined | typeof HELD_HERE {
    return this.#attempt(mode, ownerDied => this.#hold(ownerDied))
  }

  release(guard: Guard): void {
    // Its lock is suspended, so there is nothing to release; `resuming` won't take it again.
    if (guard !== this.#guard && this.#suspended.has(guard)) return
    this.#give(guard)
    this.#object.serveWaiters()
  }

  /** Releases the lock for a while; its guard stays valid. The caller serves the waiters. */
  suspend(guard: Guard): void {
    this.#give(guard)
    this.#suspended.add(guard)
  }

  /**
   * How to take a suspended lock again for the same guard, unless the guard was released in
   * between.
   */
  resuming(guard: Guard): WaitSpec<Guard> {
    const hold = (ownerDied: boolean) => {
      this.#suspended.delete(guard)
      guard.renew(ownerDied)
      return this.#keep(guard)
    }
    return {
      ...this.#spec,
      attempt: mode => (guard.isReleased ? guard : this.#attempt(mode, hold)),
      endures: true,
      onFailure: () => {
        guard.forget()
        return undefined
      },
    }
  }

  abandon(): void {
    this.#guard = undefined
    nativeLocks.abandonLock(this.#handle)
  }

  markConsistent(): void {
    nativeLocks.markConsistent(this.#handle)
  }

  #give(guard: Guard): void {
    if (guard !== this.#guard) throw notHeld(this.#object.name)
    this.#guard = undefined
    if (!this.#fast.give()) nativeLocks.unlock(this.#handle)
  }

  #attempt(mode: number, hold: (ownerDied: boolean) => Guard): Guard | undefined | typeof HELD_HERE {
    if ((mode === TRY || mode === IN_TURN) && this.#fast.take()) return hold(false)
    const status = nativeLocks.lock(this.#handle, mode)
    if (status === NOT_YET) return undefined
    return status === HOLDS_IT ? HELD_HERE : hold(status === GOT_AFTER_DEATH)
  }

  #hold(ownerDied: boolean): Guard {
    return this.#keep(new Guard(this, ownerDied))
  }

  #keep(guard: Guard): Guard {
    this.#guard = guard
    return guard
  }
}

const cores = shared('mutexes', () => new WeakMap<SharedObject, MutexCore>())
