import { CrossmemError, hasCode } from '../errors.js'
import { channels, nativeLocks } from '../native/index.js'
import {
  type CreateOptions,
  createObject,
  createOptions,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import { checkFunction, isThenable, show } from '../util/index.js'
import {
  checkTimeout,
  checkWait,
  now,
  type SyncWaitOptions,
  throwIfAborted,
  type WaitOptions,
} from '../wait/index.js'
import { type Guard, notHeld } from './guard.js'
import { LockHandle } from './lock-handle.js'
import { MutexCore } from './mutex-core.js'
import { Notification } from './notification.js'

const { NOTIFIED } = channels
/** More waiters than there can be. */
const ALL = 2 ** 32 - 1

/**
 * A lock, and waiting for a change of the data that it guards: Python's `Condition`. The caller of
 * `wait` and `notify` holds the lock. `wait` releases the lock for the time of the wait, and holds
 * it again when it returns or throws.
 *
 * @example
 * ```js
 * import { Condition } from 'crossmem'
 *
 * const stock = Condition.create(null)
 * let items = 0
 * const taken = stock.withLock(() => stock.waitFor(() => items > 0))
 * const guard = await stock.lock()
 * items++
 * console.log(stock.notify()) // 1
 * guard.release()
 * console.log(await taken) // true
 * stock.close()
 * ```
 */
export class Condition extends LockHandle<'Condition'> {
  private constructor(segment: Segment) {
    super(segment, 'Condition', MutexCore.of, {
      disarm: [nativeLocks.giveUpLock, nativeLocks.giveUpCondition],
      needsOthers: channel => channel === NOTIFIED,
    })
  }

  /** @internal */
  static attach(segment: Segment): Condition {
    return new Condition(segment)
  }

  /**
   * Creates a condition whose lock is free.
   *
   * @param name `null` picks a random name
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, options?: CreateOptions): Condition {
    return new Condition(createObject('Condition', name, createOptions(options), []))
  }

  /**
   * Opens a condition that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   a Condition. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string): Condition {
    return new Condition(Segment.open(name, 'Condition'))
  }

  /**
   * Opens the condition once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<Condition> {
    return whenCreated(name, () => Condition.open(name), options)
  }

  /**
   * Opens the condition if it exists, else creates it: processes that share it may start in any
   * order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS
   */
  static openOrCreate(name: string, options?: CreateOptions): Condition {
    return openOrCreate(
      createOptions(options),
      () => Condition.open(name),
      () => Condition.create(name, options),
    )
  }

  /**
   * Releases the lock, waits for a notification, and takes the lock again, without blocking the
   * event loop. The guard stays the same. Check your condition again afterwards: another holder may
   * have changed the data in between. After an error the lock is held again, too, except after
   * ERR_CLOSED.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this thread doesn't hold the lock. ERR_TIMEOUT:
   *   `timeout` ms have passed. ERR_INVALID_ARG: an option is refused. ERR_CLOSED: the handle is
   *   closed. ERR_NOT_FOUND: the object was unlinked during the wait. ERR_PEER_DIED: the last other
   *   process that could notify has gone during the wait. ERR_LIMIT: 65,535 waits of this thread
   *   are pending
   * @throws the signal's reason, if `signal` is aborted
   */
  async wait(options?: WaitOptions): Promise<void> {
    checkWait(options)
    const { object } = this
    const [core, guard] = this.#suspend()
    object.serveWaiters()
    const notification = new Notification(object)
    try {
      await object.wait(notification, options, NOTIFIED)
    } finally {
      try {
        await object.wait(core.resuming(guard), {})
      } finally {
        notification.settle()
      }
    }
  }

  /**
   * Waits as `wait` does, and blocks this thread meanwhile.
   *
   * @throws {CrossmemError} as `wait`
   */
  waitSync(options?: SyncWaitOptions): void {
    checkTimeout(options)
    const { object } = this
    const [core, guard] = this.#suspend()
    const notification = new Notification(object)
    try {
      // The waits of this environment can't go on while this thread is blocked, so none may get the
      // lock.
      object.waitSync(notification, options, NOTIFIED, false)
    } finally {
      try {
        object.waitSync(core.resuming(guard), undefined)
      } finally {
        notification.settle()
      }
    }
  }

  /**
   * Waits until `predicate` returns something truthy. `predicate` is called with the lock held: at
   * once, after every notification, and a last time when the timeout is over.
   *
   * @returns what `predicate` returned
   * @throws {CrossmemError} as `wait`. ERR_INVALID_ARG: `predicate` is no function
   * @throws the signal's reason, if `signal` is aborted
   * @throws what `predicate` throws
   */
  async waitFor<Result>(
    predicate: () => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<NonNullable<Result>> {
    const { timeout, signal } = checkWait(options)
    throwIfAborted(signal)
    checkFunction('the predicate', predicate)
    const deadline = now() + timeout
    for (;;) {
      this.#checkHeld()
      const result = await predicate()
      if (result) return result
      try {
        await this.wait({ ...options, timeout: Math.max(0, deadline - now()) })
      } catch (error) {
        // The predicate may have become true without a notification.
        const last = hasCode(error, 'ERR_TIMEOUT') && (await predicate())
        if (last) return last
        throw error
      }
    }
  }

  /**
   * Waits as `waitFor` does, with a synchronous `predicate`, and blocks this thread meanwhile.
   *
   * @returns what `predicate` returned
   * @throws {CrossmemError} as `wait`. ERR_INVALID_ARG: `predicate` is no function or is
   *   asynchronous
   * @throws what `predicate` throws
   */
  waitForSync<Result>(predicate: () => Result, options?: SyncWaitOptions): NonNullable<Result> {
    const deadline = now() + checkTimeout(options)
    checkFunction('the predicate', predicate)
    const call = () => refusePromise(predicate())
    for (;;) {
      this.#checkHeld()
      const result = call()
      if (result) return result
      try {
        this.waitSync({ timeout: Math.max(0, deadline - now()) })
      } catch (error) {
        const last = hasCode(error, 'ERR_TIMEOUT') && call()
        if (last) return last
        throw error
      }
    }
  }

  /**
   * Ends up to `count` of the waits that are pending now; waits that begin later are not affected.
   *
   * @param count default: 1
   * @returns how many waits were ended
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this thread doesn't hold the lock. ERR_INVALID_ARG:
   *   `count` is no integer from 1 up. ERR_CLOSED: the handle is closed
   */
  notify(count = 1): number {
    if (!Number.isInteger(count) || count < 1) {
      throw new CrossmemError('ERR_INVALID_ARG', `count is a whole number from 1 up, not ${show(count)}`)
    }
    const { object } = this
    this.#checkHeld()
    const notified = nativeLocks.notifyCondition(object.handle, Math.min(count, ALL))
    object.serveWaiters()
    return notified
  }

  /**
   * Ends all waits that are pending now.
   *
   * @returns how many waits were ended
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this thread doesn't hold the lock. ERR_CLOSED: the
   *   handle is closed
   */
  notifyAll(): number {
    return this.notify(ALL)
  }

  #checkHeld(): void {
    if (!MutexCore.of(this.object).guard) throw notHeld(this.name)
  }

  #suspend(): [MutexCore, Guard] {
    const { object } = this
    const core = MutexCore.of(object)
    const { guard } = core
    if (!guard) throw notHeld(this.name)
    nativeLocks.enterCondition(object.handle)
    core.suspend(guard)
    return [core, guard]
  }
}

/** A promise is truthy, whatever it resolves to. */
function refusePromise<Result>(result: Result): Result {
  if (!isThenable(result)) return result
  throw new CrossmemError('ERR_INVALID_ARG', 'waitForSync() needs a synchronous predicate; await waitFor()')
}
