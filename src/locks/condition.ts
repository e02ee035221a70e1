import { CrossmemError, hasCode } from '../errors.js'
import { nativeLocks } from '../native/index.js'
import { type CreateOptions, createObject, openOrCreate, Segment } from '../objects/index.js'
import { checkTimeout, checkWait, type SyncWaitOptions, type WaitOptions } from '../wait/index.js'
import { type Guard, notHeld } from './guard.js'
import { LockHandle } from './lock-handle.js'
import { MutexCore } from './mutex-core.js'
import { Notification } from './notification.js'

/** The channel on which notifications are waited for; the other one is the lock's. */
const NOTIFIED = 1
/** More than there can be. */
const EVERYONE = 2 ** 32 - 1

/**
 * A lock, and waiting for a change of what it guards: Python's `Condition`. `wait` and `notify` are called while holding
 * the lock; `wait` lets go of it, and has it again when it returns, whatever way.
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
   * @param name `null` makes a random one
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, options?: CreateOptions): Condition {
    return new Condition(createObject('Condition', name, options, []))
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): Condition {
    return new Condition(Segment.open(name, 'Condition'))
  }

  /** Opens it if it exists, else creates it; both sides may start in any order. */
  static openOrCreate(name: string, options?: CreateOptions): Condition {
    return openOrCreate(
      () => Condition.open(name),
      () => Condition.create(name, options),
    )
  }

  /**
   * Lets go of the lock, waits for a notification, and takes the lock again, without blocking the event loop. The guard
   * stays the same. Check again what you waited for: somebody may have been faster.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP (this thread doesn't hold the lock), ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND
   *   (unlinked meanwhile), ERR_PEER_DIED (everyone else who could notify has gone meanwhile), or the signal's reason. The
   *   lock is held again then, too, except after ERR_CLOSED
   */
  async wait(options?: WaitOptions): Promise<void> {
    checkWait(options)
    const { object } = this
    const [core, guard] = this.#letGo()
    object.serveWaiters()
    const notification = new Notification(object)
    try {
      await object.wait(notification, options, NOTIFIED)
    } finally {
      try {
        await object.wait(core.retaking(guard), {})
      } finally {
        notification.settle()
      }
    }
  }

  /**
   * As `wait`, on this thread.
   *
   * @throws {CrossmemError} as `wait`
   */
  waitSync(options?: SyncWaitOptions): void {
    checkTimeout(options)
    const { object } = this
    const [core, guard] = this.#letGo()
    const notification = new Notification(object)
    try {
      // Those who wait here can't go on before this thread does: they must not get the lock meanwhile.
      object.waitSync(notification, options, NOTIFIED, false)
    } finally {
      try {
        object.waitSync(core.retaking(guard), undefined)
      } finally {
        notification.settle()
      }
    }
  }

  /**
   * Waits until `predicate` gives something truthy, and returns that. It is called while holding the lock, now and after
   * every notification, and a last time when the time is over.
   *
   * @throws {CrossmemError} as `wait`
   */
  async waitFor<Result>(
    predicate: () => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<NonNullable<Result>> {
    const deadline = performance.now() + checkWait(options).timeout
    for (;;) {
      const result = await predicate()
      if (result) return result
      try {
        await this.wait({ ...options, timeout: Math.max(0, deadline - performance.now()) })
      } catch (error) {
        // It may have come true unnoticed.
        const last = hasCode(error, 'ERR_TIMEOUT') && (await predicate())
        if (last) return last
        throw error
      }
    }
  }

  /**
   * As `waitFor`, on this thread.
   *
   * @throws {CrossmemError} as `wait`
   */
  waitForSync<Result>(predicate: () => Result, options?: SyncWaitOptions): NonNullable<Result> {
    const deadline = performance.now() + checkTimeout(options)
    for (;;) {
      const result = predicate()
      if (result) return result
      try {
        this.waitSync({ timeout: Math.max(0, deadline - performance.now()) })
      } catch (error) {
        const last = hasCode(error, 'ERR_TIMEOUT') && predicate()
        if (last) return last
        throw error
      }
    }
  }

  /**
   * Wakes up to `count` of those who wait; those who come later are not meant.
   *
   * @param count default: 1
   * @returns how many there were
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP (this thread doesn't hold the lock), ERR_INVALID_ARG
   */
  notify(count = 1): number {
    if (!Number.isInteger(count) || count < 1) {
      throw new CrossmemError('ERR_INVALID_ARG', `count is a whole number from 1 up, not ${String(count)}`)
    }
    const { object } = this
    if (!MutexCore.of(object).guard) throw notHeld(this.name)
    const notified = nativeLocks.notifyCondition(object.handle, Math.min(count, EVERYONE))
    object.serveWaiters()
    return notified
  }

  /**
   * Wakes all who wait.
   *
   * @returns how many there were
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: this thread doesn't hold the lock
   */
  notifyAll(): number {
    return this.notify(EVERYONE)
  }

  #letGo(): [MutexCore, Guard] {
    const { object } = this
    const core = MutexCore.of(object)
    const { guard } = core
    if (!guard) throw notHeld(this.name)
    nativeLocks.enterCondition(object.handle)
    core.letGo(guard)
    return [core, guard]
  }
}
