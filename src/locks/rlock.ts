import { type CreateOptions, createObject, openOrCreate, Segment } from '../objects/index.js'
import { LockHandle } from './lock-handle.js'
import { NestedLock } from './nested-lock.js'

/**
 * A {@link Mutex} that the thread which holds it may take again: Python's `RLock`. Each `lock()` has a guard of its own, and
 * the lock is free when all are released. It is held by a thread, so it doesn't keep the asynchronous tasks of one thread
 * apart; a Mutex does.
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
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: CreateOptions): RLock {
    return new RLock(createObject('RLock', name, options, []))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): RLock {
    return new RLock(Segment.open(name, 'RLock'))
  }

  /** Opens it if it exists, else creates it; both sides may start in any order. */
  static openOrCreate(name: string, options?: CreateOptions): RLock {
    return openOrCreate(
      () => RLock.open(name),
      () => RLock.create(name, options),
    )
  }
}
