import { CrossmemError } from '../errors.js'
import { nativeLocks, nativeSegments } from '../native/index.js'
import {
  CREATE_OPTIONS,
  type CreateOptions,
  createObject,
  existsAs,
  Handle,
  openOrCreate,
  Segment,
  whenCreated,
} from '../objects/index.js'
import { checkCount, checkFunction, checkOptions, isThenable, type OptionNames } from '../util/index.js'
import {
  checkWait,
  loopIsStarved,
  loopTurn,
  type SyncWaitOptions,
  TRY,
  throwIfAborted,
  WAIT_OPTIONS,
  type WaitOptions,
} from '../wait/index.js'
import { Leading, Party } from './party.js'

/** How to make a barrier. */
export interface BarrierOptions extends CreateOptions {
  /**
   * Called by the last party to arrive, before all go on, if that party waits through this handle.
   * If it throws, the barrier breaks. It may be asynchronous if the party waits with `wait()`.
   */
  action?: () => unknown
}

const OPEN_OPTIONS: OptionNames<Pick<BarrierOptions, 'action'>> = { action: true }
const AWAIT_OPTIONS: OptionNames<Pick<BarrierOptions, 'action'> & WaitOptions> = {
  ...OPEN_OPTIONS,
  ...WAIT_OPTIONS,
}
const BARRIER_OPTIONS: OptionNames<BarrierOptions> = { ...CREATE_OPTIONS, ...OPEN_OPTIONS }

/**
 * A meeting point for a number of parties, each of which waits until all have come: Python's
 * `Barrier`. If a waiting party dies, times out or is aborted, the barrier breaks: every party that
 * waits, and every party that comes later, gets ERR_BROKEN_BARRIER until `reset()`.
 *
 * @example
 * ```js
 * import { Barrier } from 'crossmem'
 *
 * const start = Barrier.create(null, 2, { action: () => console.log('go') }) // go
 * console.log(await Promise.all([start.wait(), start.wait()])) // [ 0, 1 ]
 * start.close()
 * ```
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
   * Creates a barrier at which no party waits.
   *
   * @param name `null` picks a random name
   * @param parties how many meet, 1 to 4294967295
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, parties: number, options?: BarrierOptions): Barrier {
    const action = checkAction(checkOptions(options, BARRIER_OPTIONS))
    return new Barrier(createObject('Barrier', name, options, [checkParties(parties)]), action)
  }

  /**
   * Opens a barrier that exists.
   *
   * @param options.action as in `create`, for this handle
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   a Barrier. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string, options?: Pick<BarrierOptions, 'action'>): Barrier {
    const action = checkAction(checkOptions(options, OPEN_OPTIONS))
    return new Barrier(Segment.open(name, 'Barrier'), action)
  }

  /**
   * Opens the barrier once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(
    name: string,
    options?: Pick<BarrierOptions, 'action'> & WaitOptions,
  ): Promise<Barrier> {
    const { action, ...wait } = checkOptions(options, AWAIT_OPTIONS)
    checkAction({ action })
    return whenCreated(name, () => Barrier.open(name, { action }), wait)
  }

  /**
   * Opens the barrier if it exists, else creates it: processes that share it may start in any
   * order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another number of parties
   */
  static openOrCreate(name: string, parties: number, options?: BarrierOptions): Barrier {
    checkParties(parties)
    const action = checkAction(checkOptions(options, BARRIER_OPTIONS))
    const barrier = openOrCreate(
      options,
      () => new Barrier(Segment.open(name, 'Barrier'), action),
      () => Barrier.create(name, parties, options),
    )
    if (barrier.parties === parties) return barrier
    throw existsAs(barrier, `for ${barrier.parties} parties, not ${parties}`)
  }

  /**
   * Waits until all parties have come, without blocking the event loop.
   *
   * @returns how many parties came before: 0 to `parties - 1`, each number once
   * @throws {CrossmemError} ERR_BROKEN_BARRIER: the barrier is broken, or breaks. ERR_TIMEOUT:
   *   `timeout` ms have passed, or a stopped process is inside a call to the barrier; either breaks
   *   the barrier. ERR_INVALID_ARG: an option is refused. ERR_CLOSED: the handle is closed.
   *   ERR_NOT_FOUND: the object was unlinked during the wait. ERR_PEER_DIED: the last other process
   *   has gone during the wait
   * @throws the signal's reason, if `signal` is aborted: during the wait, which breaks the barrier,
   *   or before it, which doesn't
   * @throws what the action throws
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { object } = this
    const party = new Party(object.handle, this.name)
    throwIfAborted(checkWait(options).signal)
    // Arrives at once, not behind the waits of this environment that began earlier.
    const { index, leads } = party.attempt(TRY) ?? (await object.wait(party, options))
    if (leads) {
      const leading = new Leading(object, party)
      try {
        await this.#action?.()
        leading.complete()
      } finally {
        leading.end()
      }
      if (loopIsStarved()) await loopTurn()
    }
    return index
  }

  /**
   * Waits as `wait` does, and blocks this thread meanwhile. The action must be synchronous.
   *
   * @returns as `wait`
   * @throws {CrossmemError} as `wait`. ERR_INVALID_ARG: the action is asynchronous, which breaks
   *   the barrier
   */
  waitSync(options?: SyncWaitOptions): number {
    const { object } = this
    const party = new Party(object.handle, this.name)
    const { index, leads } = object.waitSync(party, options)
    if (leads) {
      const leading = new Leading(object, party)
      try {
        if (isThenable(this.#action?.())) {
          throw new CrossmemError('ERR_INVALID_ARG', 'waitSync() needs a synchronous action')
        }
        leading.complete()
      } finally {
        leading.end()
      }
    }
    return index
  }

  /**
   * Breaks the barrier: every party that waits or comes gets ERR_BROKEN_BARRIER, until `reset()`.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  abort(): void {
    const { object } = this
    nativeLocks.abortMeeting(object.handle)
    object.serveWaiters()
  }

  /**
   * Makes the barrier as new. Every party that waits gets ERR_BROKEN_BARRIER.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed. ERR_TIMEOUT: a stopped process is
   *   inside a call to the barrier
   */
  reset(): void {
    const { object } = this
    nativeLocks.resetBarrier(object.handle)
    object.serveWaiters()
  }

  /**
   * How many parties meet.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get parties(): number {
    return nativeSegments.objectParams(this.object.handle)[0] as number
  }

  /**
   * How many parties wait at this instant: 0 if the barrier is broken.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get waiting(): number {
    return nativeLocks.waitingAtBarrier(this.object.handle)
  }

  /**
   * Whether the barrier is broken at this instant, as it is once a party that waits has died.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get isBroken(): boolean {
    return nativeLocks.barrierIsBroken(this.object.handle)
  }
}

const checkParties = (parties: number): number => checkCount('parties', parties, 1, 2 ** 32 - 1)

function checkAction({ action }: Pick<BarrierOptions, 'action'>): (() => unknown) | undefined {
  if (action !== undefined) checkFunction('action', action)
  return action
}
