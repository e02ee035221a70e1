import { CrossmemError } from '../errors.js'
import {
  asyncDispose,
  checkCount,
  checkFunction,
  type InspectionArguments,
  inspection,
  showAs,
  stays,
} from '../util/index.js'
import { checkWait, now, timedOut, type WaitOptions } from '../wait/index.js'
import { type Anchor, defineProxy, Managed, nothing, plain } from './managed.js'
import { refused } from './values.js'

type Grant = [fence: number, ownerDied: boolean]

/** What a guard calls. */
interface Lender {
  unlock(fence: number): Promise<void>
  markConsistent(fence: number): Promise<void>
}

/**
 * A lock of a manager that this process's connection holds, until it is released. If the process
 * dies, or its connection breaks, the lock goes to the next waiter, whose guard has `ownerDied`
 * set.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const guard = await (await manager.lock()).lock()
 * console.log(guard.fence, guard.ownerDied, guard.isReleased) // 1 false false
 * await guard.release()
 * await manager.close()
 * ```
 */
export class ManagedGuard implements AsyncDisposable {
  readonly #lender: Lender
  #fence: number
  #ownerDied: boolean
  #isReleased = false

  /** @internal */
  constructor(lender: Lender, [fence, ownerDied]: Grant) {
    this.#lender = lender
    this.#fence = fence
    this.#ownerDied = ownerDied
  }

  /**
   * A number that grows with each holder of the lock. A network that is cut can take the lock from
   * a holder that doesn't know yet. So whatever the lock protects can note the highest number that
   * it has seen, and refuse writes with a lower one.
   */
  get fence(): number {
    return this.#fence
  }

  /**
   * Whether a holder died, and no later holder has called `markConsistent()`: the guarded data may
   * be half-changed.
   */
  get ownerDied(): boolean {
    return this.#ownerDied
  }

  /** Whether it was released. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /**
   * Releases the lock.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: it was released before. ERR_PEER_DIED, ERR_LOST:
   *   the connection broke, and the lock was lost then
   */
  async release(): Promise<void> {
    if (this.#isReleased) throw new CrossmemError('ERR_LOST_OWNERSHIP', 'this guard was released before')
    this.#isReleased = true
    await this.#lender.unlock(this.#fence)
  }

  /**
   * Says that the guarded data is whole again, and clears `ownerDied`.
   *
   * @throws {CrossmemError} as `release`
   */
  async markConsistent(): Promise<void> {
    await this.#lender.markConsistent(this.#fence)
    this.#ownerDied = false
  }

  /** Releases the lock unless that was done already; `await using` calls this. */
  async [asyncDispose](): Promise<void> {
    if (!this.#isReleased) await this.release()
  }

  /** Shows what is held in `console.log`, or that it was released. */
  [inspection](...how: InspectionArguments): string {
    const { fence, ownerDied, isReleased } = this
    return showAs(`ManagedGuard${isReleased ? ' (released)' : ''}`, { fence, ownerDied }, ...how)
  }

  /** A condition has released the lock and taken it again. @internal */
  renew([fence, ownerDied]: Grant): void {
    this.#fence = fence
    this.#ownerDied = ownerDied
  }
}

stays(ManagedGuard, 'what is held stays with the process that holds it; send the lock')

/**
 * A lock that a manager owns: processes of several machines can use it. A connection holds it, so
 * if a process is killed or the network is cut, the next one gets it.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const lock = await manager.lock()
 * const guard = await lock.lock({ timeout: 1000 })
 * console.log(guard.ownerDied, guard.fence, await lock.isLocked()) // false 1 true
 * await guard.release()
 * await manager.close()
 * ```
 */
export class ManagedLock extends Managed {
  /**
   * Waits for the lock.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_TIMEOUT: `timeout` ms have passed
   * @throws the signal's reason, if `signal` is aborted
   */
  async lock(options?: WaitOptions): Promise<ManagedGuard> {
    const undo = ([fence]: Grant): void => void this.#unlock(fence).catch(() => undefined)
    return this.#guard(await this.askAndWait('lock', () => [], plain<Grant>, options, undo))
  }

  /** Takes the lock if it is free, and never waits. `undefined`: it is held. */
  async tryLock(): Promise<ManagedGuard | undefined> {
    const grant = await this.ask('tryLock', () => [], plain<Grant | undefined>)
    return grant && this.#guard(grant)
  }

  /**
   * Runs `act` with the lock, and releases it when its result is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `lock`
   * @throws what `act` throws
   */
  async withLock<Result>(
    act: (guard: ManagedGuard) => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<Result> {
    checkFunction('the callback', act)
    const guard = await this.lock(options)
    try {
      return await act(guard)
    } finally {
      await guard[asyncDispose]()
    }
  }

  /** Whether a client holds it at this instant. */
  isLocked(): Promise<boolean> {
    return this.ask('isLocked', () => [], plain<boolean>)
  }

  #guard(grant: Grant): ManagedGuard {
    const lender = {
      unlock: (fence: number) => this.#unlock(fence),
      markConsistent: (fence: number) => this.ask('markConsistent', () => [fence], nothing),
    }
    return new ManagedGuard(lender, grant)
  }

  #unlock(fence: number): Promise<void> {
    return this.ask('unlock', () => [fence], nothing)
  }
}

/**
 * A condition variable that a manager owns, with its lock.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const condition = await manager.condition()
 * const guard = await condition.lock()
 * console.log(await condition.notify(guard)) // 0
 * await guard.release()
 * await manager.close()
 * ```
 */
export class ManagedCondition extends ManagedLock {
  /**
   * Releases the lock, waits for a notification, and takes the lock again, also after an error.
   * The guard stays the same, with a higher `fence`.
   *
   * @param guard that of `lock()`
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_LOST_OWNERSHIP: the guard was released. ERR_TIMEOUT: `timeout` ms have passed
   * @throws the signal's reason, if `signal` is aborted
   */
  async wait(guard: ManagedGuard, options?: WaitOptions): Promise<void> {
    checkWait(options)
    const read = plain<[code: string | undefined, ...Grant]>
    const [code, ...grant] = await this.askAndWait(
      'wait',
      () => [fenceOf(guard)],
      result => {
        const answer = read(result)
        // Before an abort is told: the lock is held again.
        guard.renew([answer[1], answer[2]])
        return answer
      },
      options,
      undefined,
      true,
    )
    if (grant.length > 0 && code === 'ERR_TIMEOUT')
      throw timedOut('waiting for a notification', options?.timeout ?? 0)
  }

  /**
   * Waits until `predicate` returns something truthy: it is called with the lock held, at once and
   * after every notification.
   *
   * @returns what `predicate` returned
   * @throws {CrossmemError} as `wait`
   * @throws the signal's reason, if `signal` is aborted
   * @throws what `predicate` throws
   */
  async waitFor<Result>(
    guard: ManagedGuard,
    predicate: () => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<NonNullable<Result>> {
    checkFunction('the predicate', predicate)
    const { timeout } = checkWait(options)
    const deadline = now() + timeout
    for (;;) {
      const result = await predicate()
      if (result) return result
      await this.wait(guard, { ...options, timeout: Math.max(0, deadline - now()) })
    }
  }

  /**
   * Ends up to `count` of the waits that are pending now. Resolves with how many were ended.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the guard was released
   */
  notify(guard: ManagedGuard, count = 1): Promise<number> {
    return this.ask('notify', () => [fenceOf(guard), checkCount('count', count, 1)], plain<number>)
  }

  /** Ends all waits that are pending now, as `notify`. */
  notifyAll(guard: ManagedGuard): Promise<number> {
    return this.notify(guard, 2 ** 31 - 1)
  }
}

function fenceOf(guard: ManagedGuard): number {
  if (typeof guard?.fence === 'number') return guard.fence
  throw refused('the first argument is the guard of the condition')
}

/**
 * Permits that a manager owns. A permit is a connection's: if that breaks, the permit returns.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const slots = await manager.boundedSemaphore(2)
 * const permit = await slots.acquire()
 * console.log(await slots.value()) // 1
 * await permit.release()
 * await manager.close()
 * ```
 */
export class ManagedSemaphore extends Managed {
  /**
   * Waits for a permit.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_TIMEOUT: `timeout` ms have passed
   * @throws the signal's reason, if `signal` is aborted
   */
  async acquire(options?: WaitOptions): Promise<ManagedPermit> {
    const undo = (): void => void this.release().catch(() => undefined)
    await this.askAndWait('acquire', () => [], plain<boolean>, options, undo)
    return this.#permit()
  }

  /** Takes a permit if one is free, and never waits. */
  async tryAcquire(): Promise<ManagedPermit | undefined> {
    return (await this.ask('tryAcquire', () => [], plain<boolean>)) ? this.#permit() : undefined
  }

  /**
   * Gives back permits of this connection. If it has fewer, new ones are added.
   *
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there would be more than the semaphore may have
   */
  release(count = 1): Promise<void> {
    return this.ask('release', () => [checkCount('count', count, 1)], nothing)
  }

  /** How many permits are free. */
  value(): Promise<number> {
    return this.ask('value', () => [], plain<number>)
  }

  #permit(): ManagedPermit {
    return new ManagedPermit(
      () => this.release(),
      () => this.ask('consume', () => [], nothing),
    )
  }
}

/**
 * A permit of a manager's semaphore, until it is released or used up.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const items = await manager.semaphore(2)
 * const permit = await items.acquire()
 * await permit.consume()
 * console.log(permit.isReleased, await items.value()) // true 1
 * await manager.close()
 * ```
 */
export class ManagedPermit implements AsyncDisposable {
  readonly #release: () => Promise<void>
  readonly #consume: () => Promise<void>
  #isReleased = false

  /** @internal */
  constructor(release: () => Promise<void>, consume: () => Promise<void>) {
    this.#release = release
    this.#consume = consume
  }

  /** Whether it was released or used up. */
  get isReleased(): boolean {
    return this.#isReleased
  }

  /**
   * Gives it back.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: that was done before
   */
  async release(): Promise<void> {
    this.#end()
    return this.#release()
  }

  /**
   * Uses it up: the semaphore doesn't get it back.
   *
   * @throws {CrossmemError} as `release`
   */
  async consume(): Promise<void> {
    this.#end()
    return this.#consume()
  }

  /** Gives it back unless that was done already; `await using` calls this. */
  async [asyncDispose](): Promise<void> {
    if (!this.#isReleased) await this.release()
  }

  #end(): void {
    if (this.#isReleased) throw new CrossmemError('ERR_LOST_OWNERSHIP', 'this permit was released before')
    this.#isReleased = true
  }
}

stays(ManagedPermit, 'a permit stays with the process that holds it; send the semaphore')

/**
 * An event that a manager owns.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const ready = await manager.event()
 * await ready.set()
 * await ready.wait()
 * console.log(await ready.isSet()) // true
 * await manager.close()
 * ```
 */
export class ManagedEvent extends Managed {
  /** Sets it: all waits end. */
  set(): Promise<void> {
    return this.ask('set', () => [], nothing)
  }

  /** Clears it: later waits wait. */
  clear(): Promise<void> {
    return this.ask('clear', () => [], nothing)
  }

  /** Whether it is set. */
  isSet(): Promise<boolean> {
    return this.ask('isSet', () => [], plain<boolean>)
  }

  /**
   * Waits until it is set.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_TIMEOUT: `timeout` ms have passed
   * @throws the signal's reason, if `signal` is aborted
   */
  wait(options?: WaitOptions): Promise<void> {
    return this.askAndWait('wait', () => [], nothing, options)
  }
}

/** The state of a manager's barrier. */
export interface BarrierState {
  /** How many meet. */
  parties: number
  /** How many have come. */
  waiting: number
  /** Whether it is broken. */
  isBroken: boolean
}

/**
 * A barrier that a manager owns. It breaks when a party that waits is killed.
 *
 * @example
 * ```js
 * import { Manager } from 'crossmem/manager'
 *
 * const manager = await Manager.start()
 * const barrier = await manager.barrier(2)
 * console.log(await Promise.all([barrier.wait(), barrier.wait()])) // [ 0, 1 ]
 * await manager.close()
 * ```
 */
export class ManagedBarrier extends Managed {
  /**
   * Waits until all parties have come. Resolves with how many came before.
   *
   * @throws {CrossmemError} ERR_CLOSED: this proxy was closed. ERR_INVALID_ARG: an argument is
   *   refused. ERR_BROKEN_BARRIER: it is broken, or breaks. ERR_TIMEOUT: `timeout` ms have passed,
   *   which breaks it
   * @throws the signal's reason, if `signal` is aborted, which breaks it
   */
  wait(options?: WaitOptions): Promise<number> {
    return this.askAndWait('wait', () => [], plain<number>, options)
  }

  /** Breaks it: every party that waits or comes gets ERR_BROKEN_BARRIER, until `reset()`. */
  abort(): Promise<void> {
    return this.ask('abort', () => [], nothing)
  }

  /** Mends it. Parties that wait get ERR_BROKEN_BARRIER. */
  reset(): Promise<void> {
    return this.ask('reset', () => [], nothing)
  }

  /** How many parties it has, how many wait, whether it is broken. */
  state(): Promise<BarrierState> {
    return this.ask('state', () => [], plain<BarrierState>)
  }
}

defineProxy('Lock', ManagedLock as new (anchor: Anchor) => Managed)
defineProxy('RLock', ManagedLock as new (anchor: Anchor) => Managed)
defineProxy('Condition', ManagedCondition as new (anchor: Anchor) => Managed)
defineProxy('Semaphore', ManagedSemaphore as new (anchor: Anchor) => Managed)
defineProxy('Event', ManagedEvent as new (anchor: Anchor) => Managed)
defineProxy('Barrier', ManagedBarrier as new (anchor: Anchor) => Managed)
