import { nativeLocks } from '../native/index.js'
import { Handle, type Segment, type SharedObject, type WaitKind } from '../objects/index.js'
import type { SyncWaitOptions, WaitOptions } from '../wait/index.js'
import { type Guard, notHeld, within } from './guard.js'
import type { Locking } from './mutex-core.js'

const lockWaits: WaitKind = { disarm: [nativeLocks.giveUpLock] }

/** A handle that is a lock and nothing else. */
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
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile), or the signal's reason
   */
  async lock(options?: WaitOptions): Promise<Guard> {
    return this.#open.lock(options)
  }

  /**
   * Waits for the lock on this thread.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_DEADLOCK (this thread would wait for itself), ERR_CLOSED, ERR_NOT_FOUND
   *   (unlinked meanwhile)
   */
  lockSync(options?: SyncWaitOptions): Guard {
    return this.#open.lockSync(options)
  }

  /** Takes the lock if it can be had at once, also from a dead holder; `undefined` otherwise. */
  tryLock(): Guard | undefined {
    return this.#open.tryLock()
  }

  /** Runs `act` while holding the lock. */
  withLock<Result>(act: (guard: Guard) => Result | Promise<Result>, options?: WaitOptions): Promise<Result> {
    return within(this.lock(options), act)
  }

  /**
   * Releases this thread's last guard.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this thread doesn't hold the lock
   */
  unlock(): void {
    const { guard } = this.#open
    if (!guard) throw notHeld(this.name)
    guard.release()
  }

  /** Whether anyone holds it at this instant, dead or alive. */
  get isLocked(): boolean {
    return nativeLocks.isLocked(this.object.handle)
  }

  get #open(): Locking {
    void this.object
    return this.#locking
  }
}
