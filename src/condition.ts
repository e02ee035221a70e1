import { CrossmemError } from './errors.js'
import type { Guard } from './guard.js'
import { LockCore, notHeld } from './lock-core.js'
import { LockHandle } from './lock-handle.js'
import { native } from './native.js'
import { type CreateOptions, openOrCreate, Segment } from './segment.js'
import { createObject } from './shared-object.js'
import { checkTimeout, checkWait, type SyncWaitOptions, type WaitOptions } from './wait.js'
import type { Wanted } from './wait-queue.js'

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
    super(segment, 'Condition', LockCore.of, {
      giveUp: [native.giveUpLock, native.giveUpCondition],
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
    try {
      await object.wait(this.#notification(object.handle), options, NOTIFIED)
    } finally {
      await object.wait(core.retaking(guard), {})
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
    try {
      object.waitSync(this.#notification(object.handle), options, NOTIFIED)
    } finally {
      object.waitSync(core.retaking(guard), undefined)
    }
  }

  /**
   * Waits until `predicate` gives something truthy, and returns that. It is called while holding the lock, now and after
   * every notification.
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
      await this.wait({ ...options, timeout: Math.max(0, deadline - performance.now()) })
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
      this.waitSync({ timeout: Math.max(0, deadline - performance.now()) })
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
    if (!LockCore.of(object).guard) throw notHeld(this.name)
    const notified = native.notifyCondition(object.handle, Math.min(count, EVERYONE))
    object.pump()
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

  #letGo(): [LockCore, Guard] {
    const { object } = this
    const core = LockCore.of(object)
    const { guard } = core
    if (!guard) throw notHeld(this.name)
    native.enterCondition(object.handle)
    core.release(guard)
    return [core, guard]
  }

  #notification(handle: number): Wanted<true> {
    return {
      attempt: how => (native.waitCondition(handle, how) === 1 ? true : undefined),
      doing: `waiting for a notification of "${this.name}"`,
      onGivenUp: () => {
        native.leaveCondition(handle)
        return undefined
      },
    }
  }
}
