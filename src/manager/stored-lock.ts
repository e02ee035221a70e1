import { CrossmemError } from '../errors.js'
import { Line } from './line.js'
import { type Call, type Client, integer, type Methods, Stored, timeoutOf } from './stored.js'

/** What a holder is told: its number, and whether an earlier holder died. */
type Grant = [fence: number, ownerDied: boolean]

export class StoredLock extends Stored {
  readonly kind: 'Lock' | 'RLock' | 'Condition'
  readonly methods: Methods<never> = lockMethods
  #holder: { client: Client; fence: number; count: number } | undefined
  /** It only grows. */
  #fence = 0
  #ownerDied = false
  readonly #line = new Line()

  constructor(kind: 'Lock' | 'RLock' | 'Condition') {
    super()
    this.kind = kind
  }

  override *children(): Iterable<Stored> {}

  override state(): object {
    return { isLocked: this.isLocked, waiting: this.#line.length, fence: this.#fence }
  }

  get isLocked(): boolean {
    return this.#holder !== undefined
  }

  tryLock({ client }: Call): Grant | undefined {
    if (this.kind === 'RLock' && this.#holder?.client === client) {
      this.#holder.count++
      return [this.#fence, this.#ownerDied]
    }
    return this.#holder ? undefined : this.#grant(client)
  }

  lock(call: Call, token: unknown, timeout: unknown): unknown {
    return this.tryLock(call) ?? this.#line.join(call, token, timeoutOf(timeout), undefined)
  }

  unlock(call: Call, fence: unknown): void {
    const holder = this.checkHeld(call, fence)
    if (--holder.count === 0) this.#release()
  }

  markConsistent(call: Call, fence: unknown): void {
    this.checkHeld(call, fence)
    this.#ownerDied = false
  }

  /** The client is gone. */
  abandon(): void {
    this.#ownerDied = true
    this.#release()
  }

  /** For a condition: releases the lock, however often it is held. */
  suspend(call: Call, fence: unknown): void {
    this.checkHeld(call, fence)
    this.#release()
  }

  /** @throws {CrossmemError} ERR_LOST_OWNERSHIP */
  checkHeld({ client }: Call, fence: unknown): { count: number } {
    if (this.#holder?.client === client && this.#holder.fence === fence) return this.#holder
    throw new CrossmemError('ERR_LOST_OWNERSHIP', 'this guard was released before, or its connection broke')
  }

  #grant(client: Client): Grant {
    this.#holder = { client, fence: ++this.#fence, count: 1 }
    client.owned.add(this)
    return [this.#fence, this.#ownerDied]
  }

  #release(): void {
    this.#holder?.client.owned.delete(this)
    this.#holder = undefined
    const [next] = this.#line.shift() ?? []
    next?.resolve(this.#grant(next.call.client))
  }
}

const lockMethods: Methods<StoredLock> = {
  tryLock: (lock, call) => lock.tryLock(call),
  lock: (lock, call, token, timeout) => lock.lock(call, token, timeout),
  unlock: (lock, call, fence) => lock.unlock(call, fence),
  markConsistent: (lock, call, fence) => lock.markConsistent(call, fence),
  isLocked: lock => lock.isLocked,
}

export class StoredCondition extends StoredLock {
  override readonly methods = conditionMethods
  readonly #waiting = new Line()

  constructor() {
    super('Condition')
  }

  override state(): object {
    return { ...super.state(), waitingForNotification: this.#waiting.length }
  }

  /**
   * Releases the lock, waits for a notification, and takes the lock again, also if the wait fails.
   * Resolves with whether it was notified, and the new grant.
   */
  async wait(call: Call, fence: unknown, token: unknown, timeout: unknown): Promise<unknown> {
    this.suspend(call, fence)
    let code: string | undefined
    try {
      await this.#waiting.join(call, token, timeoutOf(timeout), undefined)
    } catch (error) {
      if (call.client.isGone) throw error
      code = (error as CrossmemError).code
    }
    const grant = (await this.lock(call, undefined, undefined)) as Grant
    return [code, ...grant]
  }

  notify(call: Call, fence: unknown, count: unknown): number {
    // Only the holder may.
    this.checkHeld(call, fence)
    const most = integer(count, 1)
    let notified = 0
    for (; notified < most && this.#waiting.length > 0; notified++) {
      this.#waiting.shift()?.[0].resolve(undefined)
    }
    return notified
  }
}

const conditionMethods: Methods<StoredCondition> = {
  ...lockMethods,
  wait: (condition, call, fence, token, timeout) => condition.wait(call, fence, token, timeout),
  notify: (condition, call, fence, count) => condition.notify(call, fence, count),
}
