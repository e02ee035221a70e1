import {
  type CreateOptions,
  createObject,
  createOptions,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import type { WaitOptions } from '../wait/index.js'
import { LockHandle } from './lock-handle.js'
import { NestedLock } from './nested-lock.js'

/**
 * A {@link Mutex} that the thread which holds it may take again: Python's `RLock`. Each `lock()`
 * has a guard of its own, and the lock is free when all guards are released. A thread holds the
 * lock, so it doesn't keep the asynchronous tasks of one thread apart; a Mutex does.
 *
 * @example
 * ```js
 * import { RLock } from 'crossmem'
 *
 * const lock = RLock.create(null)
 * const outer = await lock.lock()
 * const inner = await lock.lock()
 * outer.release()
 * console.log(lock.isLocked) // true
 * inner.release()
 * console.log(lock.isLocked) // false
 * lock.close()
 * ```
 */
export class RLock extends LockHandle<'RLock'> {
  private constructor(segment: Segment) {
    super(segment, 'RLock', NestedLock.of)
  }

  /** @internal */
  static attach(segment: Segment): RLock {
    return new RLock(segment)
  }

  /**
   * Creates a lock that is free.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, options?: CreateOptions): RLock {
    return new RLock(createObject('RLock', name, createOptions(options), []))
  }

  /**
   * Opens a lock that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   an RLock. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string): RLock {
    return new RLock(Segment.open(name, 'RLock'))
  }

  /**
   * Opens the lock once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<RLock> {
    return whenCreated(name, () => RLock.open(name), options)
  }

  /**
   * Opens the lock if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate(name: string, options?: CreateOptions): RLock {
    return openOrCreate(
      createOptions(options),
      () => RLock.open(name),
      () => RLock.create(name, options),
    )
  }
}
