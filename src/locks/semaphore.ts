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
import { checkCount, checkOptions, type OptionNames } from '../util/index.js'
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { within } from './guard.js'
import { type Permit, Permits } from './permit.js'

/** The default of `max`. */
const MOST = 2 ** 31 - 1

/** How to make a semaphore. */
export interface SemaphoreOptions extends CreateOptions {
  /**
   * The most permits there can be; a release beyond it is refused. If it equals the initial
   * permits, this is Python's `BoundedSemaphore`. Default: 2147483647.
   */
  max?: number
}

const SEMAPHORE_OPTIONS: OptionNames<SemaphoreOptions> = { ...CREATE_OPTIONS, max: true }

/**
 * A number of permits that processes share: Python's `Semaphore`, and with `max` its
 * `BoundedSemaphore`. A permit belongs to the thread that acquired it; if that thread dies, the
 * semaphore gets the permit back.
 *
 * @example
 * ```js
 * import { Semaphore } from 'crossmem'
 *
 * const slots = Semaphore.create(null, 2, { max: 2 })
 * const permit = await slots.acquire()
 * console.log(slots.value, slots.max) // 1 2
 * permit.release()
 * console.log(await slots.withPermit(() => slots.value)) // 1
 * slots.close()
 * ```
 */
export class Semaphore extends Handle<'Semaphore'> {
  readonly #permits: Permits

  private constructor(segment: Segment) {
    super(segment, 'Semaphore', {
      disarm: [nativeLocks.giveUpAcquiring],
      needsOthers: (_, handle) => nativeLocks.permitsHeld(handle) === 0,
    })
    this.#permits = Permits.of(this.object)
  }

  /** @internal */
  static attach(segment: Segment): Semaphore {
    return new Semaphore(segment)
  }

  /**
   * Creates a semaphore.
   *
   * @param name `null` picks a random name
   * @param permits free permits at first, 0 to `max`; default: 1
   * @throws {CrossmemError} ERR_EXISTS: the name is taken. ERR_INVALID_NAME, ERR_INVALID_ARG: an
   *   argument is refused. ERR_NO_SPACE: shared memory is full. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static create(name: string | null, permits = 1, options?: SemaphoreOptions): Semaphore {
    return new Semaphore(createObject('Semaphore', name, options, checkPermits(permits, options)))
  }

  /**
   * Opens a semaphore that exists.
   *
   * @throws {CrossmemError} ERR_NOT_FOUND: no object has the name. ERR_WRONG_KIND: the object isn't
   *   a Semaphore. ERR_WRONG_DOMAIN: another domain made the object. ERR_INVALID_NAME: the name is
   *   refused. ERR_PERMISSION: the object is another user's. ERR_LIMIT: a limit of the domain or
   *   the system is reached
   */
  static open(name: string): Semaphore {
    return new Semaphore(Segment.open(name, 'Semaphore'))
  }

  /**
   * Opens the semaphore once it exists: waits until a process has created it.
   *
   * @throws {CrossmemError} as `open`, but not ERR_NOT_FOUND. ERR_TIMEOUT: `timeout` ms have
   *   passed. ERR_INVALID_ARG: an option is refused
   * @throws the signal's reason, if `signal` is aborted
   */
  static async whenCreated(name: string, options?: WaitOptions): Promise<Semaphore> {
    return whenCreated(name, () => Semaphore.open(name), options)
  }

  /**
   * Opens the semaphore if it exists, else creates it: processes that share it may start in any
   * order.
   *
   * @throws {CrossmemError} as `open` and `create`, but neither ERR_NOT_FOUND nor ERR_EXISTS.
   *   ERR_INVALID_ARG: it exists with another `max`
   */
  static openOrCreate(name: string, permits = 1, options?: SemaphoreOptions): Semaphore {
    const [, max] = checkPermits(permits, options)
    const semaphore = openOrCreate(
      options,
      () => Semaphore.open(name),
      () => Semaphore.create(name, permits, options),
    )
    if (semaphore.max === max) return semaphore
    throw existsAs(semaphore, `with at most ${semaphore.max} permits, not ${max}`)
  }

  /**
   * Waits for a permit without blocking the event loop.
   *
   * @returns the permit, which releases itself at the end of a `using` block
   * @throws {CrossmemError} ERR_TIMEOUT: `timeout` ms have passed. ERR_INVALID_ARG: an option is
   *   refused. ERR_CLOSED: the handle is closed. ERR_NOT_FOUND: the object was unlinked during the
   *   wait. ERR_PEER_DIED: the last other process that could release a permit has gone during the
   *   wait
   * @throws the signal's reason, if `signal` is aborted
   */
  async acquire(options?: WaitOptions): Promise<Permit> {
    return this.object.wait(this.#open.spec, options)
  }

  /**
   * Waits for a permit, and blocks this thread meanwhile.
   *
   * @returns the permit, which releases itself at the end of a `using` block
   * @throws {CrossmemError} as `acquire`
   */
  acquireSync(options?: SyncWaitOptions): Permit {
    return this.object.waitSync(this.#open.spec, options)
  }

  /**
   * Takes a permit if one is free. Never waits.
   *
   * @returns the permit, or `undefined`
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  tryAcquire(): Permit | undefined {
    return this.#open.attempt(TRY)
  }

  /**
   * Waits for a permit as `acquire` does, runs `act`, and releases the permit when the result of
   * `act` is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `acquire`. ERR_INVALID_ARG: `act` is no function
   * @throws what `act` throws
   */
  withPermit<Result>(
    act: (permit: Permit) => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<Result> {
    return within(() => this.acquire(options), act)
  }

  /**
   * Releases permits: first those that this thread holds, the oldest first. If `count` is more, the
   * rest are new permits.
   *
   * @param count default: 1
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there would be more than `max` permits; none was
   *   released. ERR_INVALID_ARG: `count` is no integer from 1 to 2147483647. ERR_TIMEOUT: a stopped
   *   process is inside a call to the semaphore; none was released. ERR_CLOSED: the handle is
   *   closed
   */
  release(count = 1): void {
    this.#open.releaseMany(checkCount('count', count, 1))
  }

  /**
   * Free permits at this instant, with those that dead threads held.
   *
   * @throws {CrossmemError} ERR_TIMEOUT: a stopped process is inside a call to the semaphore.
   *   ERR_CLOSED: the handle is closed
   */
  get value(): number {
    return nativeLocks.freePermits(this.object.handle)
  }

  /**
   * The most permits there can be.
   *
   * @throws {CrossmemError} ERR_CLOSED: the handle is closed
   */
  get max(): number {
    return nativeSegments.objectParams(this.object.handle)[1] as number
  }

  get #open(): Permits {
    void this.object
    return this.#permits
  }
}

/** The permits at first and at the most, checked. */
function checkPermits(permits: number, options: SemaphoreOptions | undefined): [free: number, max: number] {
  const { max = MOST } = checkOptions(options, SEMAPHORE_OPTIONS)
  checkCount('max', max, 1)
  return [checkCount('permits', permits, 0, max), max]
}
