import { CrossmemError } from './errors.js'
import { Guard, type Lockable } from './guard.js'
import { hot, native } from './native.js'
import type { SharedObject } from './shared-object.js'
import type { SyncWaitOptions, WaitOptions } from './wait.js'
import { MINE, type Wanted } from './wait-queue.js'

/** As the addon says it. */
const GOT_AFTER_DEATH = 2

/** How a lock is taken, whoever has it: a mutex of its own, or one that its holder may take again. */
export interface Locking {
  lock(options: WaitOptions | undefined): Promise<Guard>
  lockSync(options: SyncWaitOptions | undefined): Guard
  tryLock(): Guard | undefined
  /** The last guard of this environment, while it holds the lock. */
  readonly guard: Guard | undefined
}

/** The mutex of an object that has one: a Mutex, a Condition, a Value… One per environment and object. */
export class LockCore implements Locking, Lockable {
  readonly #object: SharedObject
  readonly #handle: number
  readonly #wanted: Wanted<Guard>
  #guard: Guard | undefined

  private constructor(object: SharedObject) {
    this.#object = object
    this.#handle = object.handle
    this.#wanted = { attempt: how => this.look(how), doing: `locking "${object.name}"` }
  }

  static of(object: SharedObject): LockCore {
    const core = cores.get(object) ?? new LockCore(object)
    cores.set(object, core)
    return core
  }

  get guard(): Guard | undefined {
    return this.#guard
  }

  tryLock(): Guard | undefined {
    const held = this.#lockHot()
    if (held) return held
    const found = this.look(0)
    return found === MINE ? undefined : found
  }

  lockSync(options: SyncWaitOptions | undefined): Guard {
    return (options === undefined && this.#lockHot()) || this.#object.waitSync(this.#wanted, options)
  }

  lock(options: WaitOptions | undefined): Promise<Guard> {
    return this.#object.wait(this.#wanted, options)
  }

  look(how: number): Guard | undefined | typeof MINE {
    return this.#look(how, ownerDied => this.#hold(ownerDied))
  }

  release(guard: Guard): void {
    if (guard !== this.#guard) throw notHeld(this.#object.name)
    this.#forget(guard)
    if (hot.unlock(this.#handle) !== undefined) native.unlock(this.#handle)
    this.#object.pump()
  }

  /** How to have again a lock that was released only for a while, by the same guard. */
  retaking(guard: Guard): Wanted<Guard> {
    const hold = (ownerDied: boolean) => {
      guard.renew(ownerDied)
      return this.#keep(guard)
    }
    return {
      ...this.#wanted,
      attempt: how => this.#look(how, hold),
      endures: true,
      onGivenUp: () => {
        guard.forget()
        return undefined
      },
    }
  }

  abandon(guard: Guard): void {
    this.#forget(guard)
    native.abandonLock(this.#handle)
  }

  markConsistent(): void {
    native.markConsistent(this.#handle)
  }

  #lockHot(): Guard | undefined {
    const status = hot.lock(this.#handle)
    return status === undefined || status === GOT_AFTER_DEATH ? this.#hold(status !== undefined) : undefined
  }

  #look(how: number, hold: (ownerDied: boolean) => Guard): Guard | undefined | typeof MINE {
    const status = native.lock(this.#handle, how)
    if (status === 0) return undefined
    return status === 3 ? MINE : hold(status === GOT_AFTER_DEATH)
  }

  #hold(ownerDied: boolean): Guard {
    return this.#keep(new Guard(this, ownerDied))
  }

  #keep(guard: Guard): Guard {
    this.#guard = guard
    this.#object.held.add(guard)
    return guard
  }

  #forget(guard: Guard): void {
    this.#guard = undefined
    this.#object.held.delete(guard)
  }
}

const cores = new WeakMap<SharedObject, LockCore>()

export const notHeld = (name: string): CrossmemError =>
  new CrossmemError('ERR_LOST_OWNERSHIP', `this thread doesn't hold "${name}"; lock it first`)
