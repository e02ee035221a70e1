import type { SharedObject } from '../objects/index.js'
import { checkWait, MINE, type SyncWaitOptions, TRY, type WaitOptions, type Wanted } from '../wait/index.js'
import { Guard, type Lender } from './guard.js'
import { LockCore, type Locking } from './mutex-core.js'

/** A mutex that the environment which holds it takes again and again: its guards, over one guard of the mutex. */
export class NestedLock implements Locking, Lender {
  readonly #object: SharedObject
  readonly #core: LockCore
  readonly #guards: Guard[] = []
  readonly #wanted: Wanted<Guard>
  #outer: Guard | undefined

  private constructor(object: SharedObject) {
    this.#object = object
    this.#core = LockCore.of(object)
    this.#wanted = { attempt: how => this.#look(how), doing: `locking "${object.name}"` }
  }

  static of(object: SharedObject): NestedLock {
    const lock = locks.get(object) ?? new NestedLock(object)
    locks.set(object, lock)
    return lock
  }

  get guard(): Guard | undefined {
    return this.#guards.at(-1)
  }

  tryLock(): Guard | undefined {
    const found = this.#look(TRY)
    return found === MINE ? undefined : found
  }

  lockSync(options: SyncWaitOptions | undefined): Guard {
    return this.#object.waitSync(this.#wanted, options)
  }

  async lock(options: WaitOptions | undefined): Promise<Guard> {
    checkWait(options).signal?.throwIfAborted()
    // Not behind those of this thread who wait: they will be inside together with this one.
    return (this.#outer && this.tryLock()) ?? this.#object.wait(this.#wanted, options)
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

  /** The mutex's own guard is abandoned, too. */
  abandon(guard: Guard): void {
    this.#guards.splice(this.#guards.indexOf(guard), 1)
    this.#object.held.delete(guard)
  }

  #look(how: number): Guard | undefined | typeof MINE {
    // A guard of the mutex that was abandoned is none.
    if (this.#outer === undefined || this.#outer.isReleased) {
      const outer = this.#core.look(how)
      if (outer === undefined || outer === MINE) return outer
      this.#outer = outer
      this.#guards.length = 0
    }
    const guard = new Guard(this, this.#outer.ownerDied)
    this.#guards.push(guard)
    this.#object.held.add(guard)
    return guard
  }
}

const locks = new WeakMap<SharedObject, NestedLock>()
