import { type CreateOptions, createObject, openOrCreate, Segment } from '../objects/index.js'
import { LockHandle } from './lock-handle.js'
import { MutexCore } from './mutex-core.js'

/**
 * A mutex that processes share and that survives its holder: when that one is killed, the next in line gets the lock
 * and is told (`guard.ownerDied`), as with POSIX robust mutexes (`pthread_mutexattr_setrobust`). Fair enough that nobody
 * starves; the waits of one thread are served in order.
 *
 * It is held by a thread. A stopped holder (SIGSTOP, a debugger) is not a dead one.
 */
export class Mutex extends LockHandle<'Mutex'> {
  private constructor(segment: Segment) {
    super(segment, 'Mutex', MutexCore.of)
  }

  /** @internal */
  static attach(segment: Segment): Mutex {
    return new Mutex(segment)
  }

  /**
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: CreateOptions): Mutex {
    return new Mutex(createObject('Mutex', name, options, []))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): Mutex {
    return new Mutex(Segment.open(name, 'Mutex'))
  }

  /** Opens it if it exists, else creates it; both sides may start in any order. */
  static openOrCreate(name: string, options?: CreateOptions): Mutex {
    return openOrCreate(
      () => Mutex.open(name),
      () => Mutex.create(name, options),
    )
  }
}
