import { checkFunction } from '../util/index.js'
import { RemoteGuard, within } from './guard.js'
import { LockLine } from './lock-line.js'
import type { Home } from './remote-object.js'
import type { Ask, RemoteWaitOptions } from './waiting.js'

/** Base of the locks that one holder has alone. */
export abstract class ExclusiveLock extends LockLine {
  /**
   * Waits for the lock, behind those that came before.
   *
   * @returns the guard, which releases the lock
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait. ERR_WRONG_KIND: the name is another object's. ERR_DISCONNECTED: no server answers.
   *   ERR_NO_SPACE, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER: the server refuses the call
   * @throws the signal's reason, if `signal` is aborted
   */
  async lock(options?: RemoteWaitOptions): Promise<RemoteGuard> {
    return this.askAndWait(this.#ask, options)
  }

  /**
   * Takes the lock if it is free, or if its holder is dead. Never waits for it.
   *
   * @returns the guard, or `undefined` if the lock is held
   * @throws {CrossmemError} as `lock`, but neither ERR_TIMEOUT nor ERR_NOT_FOUND
   */
  async tryLock(): Promise<RemoteGuard | undefined> {
    return this.askOnce(this.#ask)
  }

  /**
   * Waits for the lock as `lock` does, runs `act`, and releases the lock when the result of `act`
   * is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `lock`. ERR_INVALID_ARG: `act` is no function. ERR_LOST_OWNERSHIP:
   *   the lock was lost while `act` ran
   * @throws what `act` throws
   */
  async withLock<Result>(
    act: (guard: RemoteGuard) => Result | Promise<Result>,
    options?: RemoteWaitOptions,
  ): Promise<Result> {
    checkFunction('the callback', act)
    return within(await this.lock(options), act)
  }

  /**
   * Whether a living connection holds the lock at this instant.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  get isLocked(): Promise<boolean> {
    return this.countHolders().then(count => count > 0)
  }

  get #ask(): Ask<RemoteGuard> {
    return this.ask('x', 'locking', (fence, ownerDied) => new RemoteGuard(this, fence, ownerDied))
  }
}

/**
 * A mutex at a server. If its holder's connection ends, the next waiter gets the lock, with
 * `guard.ownerDied` set and a higher `guard.fence`. Waiters are served in the order of their
 * arrival, wherever they are.
 */
export class RemoteMutex extends ExclusiveLock {
  /** @internal */
  constructor(home: Home, name: string) {
    super(home, name, 'Mutex')
  }
}
