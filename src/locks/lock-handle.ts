import { nativeLocks } from '../native/index.js'
import { Handle, type Segment, type SharedObject, type WaitKind } from '../objects/index.js'
import type { SyncWaitOptions, WaitOptions } from '../wait/index.js'
import { type Guard, notHeld, within } from './guard.js'
import type { Locking } from './mutex-core.js'

const lockWaits: WaitKind = { disarm: [nativeLocks.giveUpLock] }

/** A handle of an object with one lock. */
export abstract class LockHandle<Kind extends string> extends Handle<Kind> {
  readonly #locking: Locking

  /** @internal */
  protected constructor(
    segment: Segment,
    kind: Kind,
    locking: (object: SharedObject) => Locking,
    waits: WaitKind = lockWaits,
  ) {
    super(segment, kind, waits)
    this.#locking = locking(this.object)
  }

  /**
   * Waits for the lock without blocking the event loop.
   *
   * @returns the guard, which releases the lock
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait. ERR_UNSUPPORTED: the object is a Value or SharedArray without a lock
   * @throws the signal's reason, if `signal` is aborted
   */
  async lock(options?: WaitOptions): Promise<Guard> {
    return this.#open.lock(options)
  }

  /**
   * Waits for the lock and blocks this thread meanwhile.
   *
   * @returns the guard, which releases the lock
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_DEADLOCK: this thread holds the lock and would wait for itself (never with an
   *   RLock). ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait. ERR_UNSUPPORTED: the object is a Value or SharedArray without a lock
   */
  lockSync(options?: SyncWaitOptions): Guard {
    return this.#open.lockSync(options)
  }

  /**
   * Takes the lock if it is free, or if its holder is dead. Never waits.
   *
   * @returns the guard, or `undefined` if the lock is held
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_UNSUPPORTED: the object is a
   *   Value or SharedArray without a lock
   */
  tryLock(): Guard | undefined {
    return this.#open.tryLock()
  }

  /**
   * Waits for the lock as `lock` does, runs `act`, and releases the lock when the result of `act`
   * is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `lock`. ERR_INVALID_ARG: `act` is no function
   * @throws what `act` throws
   */
  withLock<Result>(act: (guard: Guard) => Result | Promise<Result>, options?: WaitOptions): Promise<Result> {
    return within(() => this.lock(options), act)
  }

  /**
   * Releases the last guard that this thread took.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this thread doesn't hold the lock. ERR_CLOSED: the
   *   handle is closed. ERR_UNSUPPORTED: the object is a Value or SharedArray without a lock
   */
  unlock(): void {
    const { guard } = this.#open
    if (!guard) throw notHeld(this.name)
    guard.release()
  }

  /**
   * Whether a living thread holds the lock at this instant. What a dead thread held is free to be
   * taken. Always false for a Value or SharedArray without a lock.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get isLocked(): boolean {
    return nativeLocks.isLocked(this.object.handle)
  }

  get #open(): Locking {
    void this.object
    return this.#locking
  }
}
