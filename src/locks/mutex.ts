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
import { MutexCore } from './mutex-core.js'

/**
 * A mutex that processes share and that survives its holder. If the holder is killed, the next
 * waiter gets the lock with `guard.ownerDied` set, as with POSIX robust mutexes
 * (`pthread_mutexattr_setrobust`). No waiter starves, and the waits of one thread are served in
 * order.
 *
 * A thread holds the mutex. A holder that is only stopped (SIGSTOP, a debugger) keeps it.
 *
 * @example
 * ```js
 * import { Mutex } from 'crossmem'
 *
 * const mutex = Mutex.openOrCreate('ledger')
 * const guard = await mutex.lock({ timeout: 1000 })
 * console.log(mutex.isLocked) // true
 * guard.release()
 * console.log(await mutex.withLock(() => 'done')) // done
 * mutex.close()
 * ```
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
   * Creates a mutex that is free.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, options?: CreateOptions): Mutex {
    return new Mutex(createObject('Mutex', name, createOptions(options), []))
  }

  /**
   * Opens a mutex that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   a Mutex. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string): Mutex {
    return new Mutex(Segment.open(name, 'Mutex'))
  }

  /**
   * Opens the mutex once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<Mutex> {
    return whenCreated(name, () => Mutex.open(name), options)
  }

  /**
   * Opens the mutex if it exists, else creates it: processes that share it may start in any order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate(name: string, options?: CreateOptions): Mutex {
    return openOrCreate(
      createOptions(options),
      () => Mutex.open(name),
      () => Mutex.create(name, options),
    )
  }
}
