import { hasCode } from '../errors.js'
import { answers, nativeLocks, shared } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import type { WaitSpec } from '../wait/index.js'
import { Guard, type Lender, notHeld } from './guard.js'

const { NOT_YET } = answers

/**
 * A permit of a semaphore, until it is released or used up. If the process that holds it dies
 * before, the semaphore gets it back.
 *
 * @example
 * ```js
 * import { Semaphore } from 'crossmem'
 *
 * const items = Semaphore.create(null, 2)
 * const permit = await items.acquire()
 * permit.consume()
 * console.log(items.value, permit.isReleased) // 1 true
 * items.close()
 * ```
 */
export class Permit extends Guard {
  readonly #permits: Permits

  /** @internal */
  constructor(permits: Permits) {
    super(permits, false)
    this.#permits = permits
  }

  /**
   * Uses the permit up: the semaphore doesn't get it back, not even when this process dies. For
   * semaphores that count things which one process makes and another one takes.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the permit was released or used up before.
   *   ERR_TIMEOUT: a stopped process is inside a call to the semaphore
   */
  consume(): void {
    this.#permits.consume(this)
  }
}

/** The permits of one semaphore that this environment holds. */
export class Permits implements Lender<Permit> {
  readonly spec: WaitSpec<Permit>
  readonly #object: SharedObject
  readonly #held = new Set<Permit>()

  private constructor(object: SharedObject) {
    this.#object = object
    this.spec = { attempt: mode => this.attempt(mode), doing: `acquiring "${object.name}"` }
    object.held.add({ abandon: () => this.#abandonAll() })
  }

  static of(object: SharedObject): Permits {
    const permits = allPermits.get(object) ?? new Permits(object)
    allPermits.set(object, permits)
    return permits
  }

  get name(): string {
    return this.#object.name
  }

  attempt(mode: number): Permit | undefined {
    if (nativeLocks.acquirePermit(this.#object.handle, mode) === NOT_YET) return undefined
    const permit = new Permit(this)
    this.#held.add(permit)
    return permit
  }

  release(permit: Permit): void {
    try {
      nativeLocks.releasePermits(this.#object.handle, 1, true)
    } catch (error) {
      // A stopped process holds the semaphore's mutex. The permit can be released later.
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

  /**
   * Gives back permits held here, the oldest first. If there are fewer than `count`, adds new ones.
   */
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

const allPermits = shared('permits', () => new WeakMap<SharedObject, Permits>())
