import { hasCode } from '../errors.js'
import { nativeLocks } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import type { WaitSpec } from '../wait/index.js'
import { Guard, type Lender, notHeld } from './guard.js'

/** A permit of a {@link Semaphore}, until it is released or used up. If its process dies before, it returns. */
export class Permit extends Guard {
  readonly #permits: Permits

  /** @internal */
  constructor(permits: Permits) {
    super(permits, false)
    this.#permits = permits
  }

  /**
   * Uses the permit up: it comes back neither now nor when this process dies. For semaphores that count things, where one
   * process acquires and another one releases.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it was released before
   */
  consume(): void {
    this.#permits.consume(this)
  }
}

/** What this environment has of a semaphore. */
export class Permits implements Lender<Permit> {
  readonly spec: WaitSpec<Permit>
  readonly #object: SharedObject
  readonly #held = new Set<Permit>()

  private constructor(object: SharedObject) {
    this.#object = object
    this.spec = { attempt: mode => this.look(mode), doing: `acquiring "${object.name}"` }
    object.held.add({ abandon: () => this.#abandonAll() })
  }

  static of(object: SharedObject): Permits {
    const permits = allPermits.get(object) ?? new Permits(object)
    allPermits.set(object, permits)
    return permits
  }

  look(mode: number): Permit | undefined {
    if (nativeLocks.acquirePermit(this.#object.handle, mode) === 0) return undefined
    const permit = new Permit(this)
    this.#held.add(permit)
    return permit
  }

  release(permit: Permit): void {
    try {
      nativeLocks.releasePermits(this.#object.handle, 1, true)
    } catch (error) {
      // A stopped process was in the way: it can be released later.
      if (hasCode(error, 'ERR_TIMEOUT')) permit.keep(this)
      throw error
    }
    this.#forget(permit)
    this.#object.serveWaiters()
  }

  abandon(permit: Permit): void {
    this.release(permit)
  }

  consume(permit: Permit): void {
    if (!this.#held.has(permit)) throw notHeld(this.#object.name)
    nativeLocks.consumePermit(this.#object.handle)
    this.#forget(permit)
  }

  /** Gives back the permits held here, the oldest first, and adds new ones when there are fewer. */
  releaseMany(count: number): void {
    nativeLocks.releasePermits(this.#object.handle, count, false)
    for (const permit of [...this.#held].slice(0, count)) this.#forget(permit)
    this.#object.serveWaiters()
  }

  #forget(permit: Permit): void {
    permit.forget()
    this.#held.delete(permit)
  }

  #abandonAll(): void {
    for (const permit of [...this.#held]) permit.abandon()
  }
}

const allPermits = new WeakMap<SharedObject, Permits>()
