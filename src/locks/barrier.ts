import { CrossmemError } from '../errors.js'
import { nativeLocks, nativeSegments } from '../native/index.js'
import {
  type CreateOptions,
  createObject,
  existsAs,
  Handle,
  openOrCreate,
  Segment,
} from '../objects/index.js'
import { checkCount } from '../util/index.js'
import { checkWait, type SyncWaitOptions, type WaitOptions } from '../wait/index.js'
import { Leading, Party } from './party.js'

/** How to make a barrier. */
export interface BarrierOptions extends CreateOptions {
  /**
   * What the last one to arrive does before all go on, if it uses this handle. If it throws, the barrier breaks. It may be
   * asynchronous for `wait()`.
   */
  action?: () => unknown
}

/**
 * A meeting point for a number of parties: each waits until all have come. Python's `Barrier`. When one of those who wait
 * dies, times out or is aborted, it is broken: they and all who come later get ERR_BROKEN_BARRIER until `reset()`.
 */
export class Barrier extends Handle<'Barrier'> {
  readonly #action: (() => unknown) | undefined

  private constructor(segment: Segment, action?: () => unknown) {
    super(segment, 'Barrier', { disarm: [nativeLocks.giveUpBarrier], needsOthers: () => true })
    this.#action = action
  }

  /** @internal */
  static attach(segment: Segment): Barrier {
    return new Barrier(segment)
  }

  /**
   * @param name `null` makes a random one
   * @param parties how many meet, 1 to 4294967295
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, parties: number, options?: BarrierOptions): Barrier {
    const action = checkAction(options)
    return new Barrier(
      createObject('Barrier', name, options, [checkCount('parties', parties, 1, 2 ** 32 - 1)]),
      action,
    )
  }

  /**
   * @param options.action as in `create`
   * @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT
   */
  static open(name: string, options?: Pick<BarrierOptions, 'action'>): Barrier {
    const action = checkAction(options)
    return new Barrier(Segment.open(name, 'Barrier'), action)
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another number of parties
   */
  static openOrCreate(name: string, parties: number, options?: BarrierOptions): Barrier {
    const barrier = openOrCreate(
      () => Barrier.open(name, options),
      () => Barrier.create(name, parties, options),
    )
    if (barrier.parties === parties) return barrier
    throw existsAs(barrier, `for ${barrier.parties} parties, not ${parties}`)
  }

  /**
   * Waits until all parties have come, without blocking the event loop.
   *
   * @returns how many had come before: 0 to `parties - 1`, each once
   * @throws {CrossmemError} ERR_BROKEN_BARRIER, ERR_TIMEOUT (which breaks it for the others), ERR_CLOSED, ERR_NOT_FOUND
   *   (unlinked meanwhile), ERR_PEER_DIED (everyone else has gone meanwhile), or the signal's reason
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { object } = this
    const party = new Party(object.handle, this.name)
    checkWait(options).signal?.throwIfAborted()
    // Arrives at once, not behind those of this thread who wait already.
    const { index, leads } = party.attempt(0) ?? (await object.wait(party, options))
    if (leads) {
      const leading = new Leading(object, party)
      try {
        await this.#action?.()
        leading.complete()
      } finally {
        leading.end()
      }
    }
    return index
  }

  /**
   * Waits on this thread until all parties have come. The action must be synchronous.
   *
   * @returns and throws as `wait`
   */
  waitSync(options?: SyncWaitOptions): number {
    const { object } = this
    const party = new Party(object.handle, this.name)
    const { index, leads } = object.waitSync(party, options)
    if (leads) {
      const leading = new Leading(object, party)
      try {
        if (this.#action?.() instanceof Promise) {
          throw new CrossmemError('ERR_INVALID_ARG', 'waitSync() needs a synchronous action')
        }
        leading.complete()
      } finally {
        leading.end()
      }
    }
    return index
  }

  /** Breaks the barrier: those who wait and those who come get ERR_BROKEN_BARRIER, until `reset()`. */
  abort(): void {
    const { object } = this
    nativeLocks.abortMeeting(object.handle)
    object.serveWaiters()
  }

  /** Makes it as new. Those who wait get ERR_BROKEN_BARRIER. */
  reset(): void {
    const { object } = this
    nativeLocks.resetBarrier(object.handle)
    object.serveWaiters()
  }

  /** How many meet. */
  get parties(): number {
    return nativeSegments.objectParams(this.object.handle)[0] as number
  }

  /** How many wait at this instant. */
  get waiting(): number {
    return nativeLocks.waitingAtBarrier(this.object.handle)
  }

  /** Whether it is broken at this instant. */
  get isBroken(): boolean {
    return nativeLocks.barrierIsBroken(this.object.handle)
  }
}

function checkAction(options: Pick<BarrierOptions, 'action'> | undefined): (() => unknown) | undefined {
  const action = options?.action
  if (action === undefined || typeof action === 'function') return action
  throw new CrossmemError('ERR_INVALID_ARG', 'action is a function')
}
