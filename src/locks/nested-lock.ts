import { shared } from '../native/index.js'
import type { SharedObject } from '../objects/index.js'
import {
  checkWait,
  HELD_HERE,
  loopIsStarved,
  loopTurn,
  type SyncWaitOptions,
  TRY,
  throwIfAborted,
  type WaitOptions,
  type WaitSpec,
} from '../wait/index.js'
import { Guard, type Lender } from './guard.js'
import { type Locking, MutexCore } from './mutex-core.js'

/**
 * A mutex that the environment which holds it may take again: any number of guards over one guard
 * of the mutex.
 */
export class NestedLock implements Locking, Lender {
  readonly #object: SharedObject
  readonly #core: MutexCore
  readonly #guards: Guard[] = []
  readonly #spec: WaitSpec<Guard>
  #outer: Guard | undefined

  private constructor(object: SharedObject) {
    this.#object = object
    this.#core = MutexCore.of(object)
    this.#spec = { attempt: mode => this.#attempt(mode), doing: `locking "${object.name}"` }
  }

  static of(object: SharedObject): NestedLock {
    const lock = locks.get(object) ?? new NestedLock(object)
    locks.set(object, lock)
    return lock
  }

  get name(): string {
    return this.#object.name
  }

  get guard(): Guard | undefined {
    return this.#guards.at(-1)
  }

  tryLock(): Guard | undefined {
    const found = this.#attempt(TRY)
    return found === HELD_HERE ? undefined : found
  }

  lockSync(options: SyncWaitOptions | undefined): Guard {
    return this.#object.waitSync(this.#spec, options)
  }

  async lock(options: WaitOptions | undefined): Promise<Guard> {
    throwIfAborted(checkWait(options).signal)
    // A holder needn't queue behind this environment's waits: they will all share the lock.
    const again = this.#outer && this.tryLock()
    if (!again) return this.#object.wait(this.#spec, options)
    if (loopIsStarved()) await loopTurn()
    return again
  }

  release(guard: Guard): void {
    this.abandon(guard)
    if (this.#guards.length > 0) return
    const outer = this.#outer
    this.#outer = undefined
    outer?.release()
  }

  markConsistent(): void {
    this.#outer?.markConsistent()
  }

  /** The guard of the mutex is abandoned by the mutex itself. */
  abandon(guard: Guard): void {
    this.#guards.splice(this.#guards.indexOf(guard), 1)
    this.#object.held.delete(guard)
  }

  #attempt(mode: number): Guard | undefined | typeof HELD_HERE {
    // An abandoned guard of the mutex counts as none.
    if (this.#outer === undefined || this.#outer.isReleased) {
      const outer = this.#core.attempt(mode)
      if (outer === undefined || outer === HELD_HERE) return outer
      this.#outer = outer
      this.#guards.length = 0
    }
    const guard = new Guard(this, this.#outer.ownerDied)
    this.#guards.push(guard)
    this.#object.held.add(guard)
    return guard
  }
}

const locks = shared('nested locks', () => new WeakMap<SharedObject, NestedLock>())
