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
import { type SyncWaitOptions, TRY, type WaitOptions } from '../wait/index.js'
import { within } from './guard.js'
import { type Permit, Permits } from './permit.js'

/** Most permits of a semaphore without a `max`. */
const MOST = 2 ** 31 - 1

/** How to make a semaphore. */
export interface SemaphoreOptions extends CreateOptions {
  /**
   * There are never more permits: releasing beyond it is refused. With `max` equal to the permits at first this is Python's
   * `BoundedSemaphore`. Default: 2147483647.
   */
  max?: number
}

/**
 * A number of permits that processes share. A permit belongs to the thread that acquired it: when that one dies, it
 * returns. Python's `Semaphore`, and with `max` its `BoundedSemaphore`.
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
   * @param name `null` makes a random one
   * @param permits free permits at first, 0 to `max`; default: 1
   * @throws {CrossmemError} ERR_EXISTS, ERR_INVALID_NAME, ERR_INVALID_ARG, ERR_NO_SPACE, ERR_LIMIT
   */
  static create(name: string | null, permits = 1, options?: SemaphoreOptions): Semaphore {
    const max = checkCount('max', options?.max ?? MOST, 1)
    return new Semaphore(
      createObject('Semaphore', name, options, [checkCount('permits', permits, 0, max), max]),
    )
  }

  /** @throws {CrossmemError} ERR_NOT_FOUND, ERR_WRONG_KIND, ERR_WRONG_DOMAIN, ERR_INVALID_NAME, ERR_PERMISSION, ERR_LIMIT */
  static open(name: string): Semaphore {
    return new Semaphore(Segment.open(name, 'Semaphore'))
  }

  /**
   * Opens it if it exists, else creates it; both sides may start in any order.
   *
   * @throws {CrossmemError} as both, and ERR_INVALID_ARG if it exists with another `max`
   */
  static openOrCreate(name: string, permits = 1, options?: SemaphoreOptions): Semaphore {
    const semaphore = openOrCreate(
      () => Semaphore.open(name),
      () => Semaphore.create(name, permits, options),
    )
    const max = options?.max ?? MOST
    if (semaphore.max === max) return semaphore
    throw existsAs(semaphore, `with at most ${semaphore.max} permits, not ${max}`)
  }

  /**
   * Waits for a permit without blocking the event loop.
   *
   * @throws {CrossmemError} ERR_TIMEOUT, ERR_CLOSED, ERR_NOT_FOUND (unlinked meanwhile), ERR_PEER_DIED (everyone else who
   *   could release one has gone meanwhile), or the signal's reason
   */
  async acquire(options?: WaitOptions): Promise<Permit> {
    return this.object.wait(this.#open.spec, options)
  }

  /**
   * Waits for a permit on this thread.
   *
   * @throws {CrossmemError} as `acquire`
   */
  acquireSync(options?: SyncWaitOptions): Permit {
    return this.object.waitSync(this.#open.spec, options)
  }

  /** Takes a permit if one is free; `undefined` otherwise. */
  tryAcquire(): Permit | undefined {
    return this.#open.look(TRY)
  }

  /** Runs `act` while holding a permit. */
  withPermit<Result>(
    act: (permit: Permit) => Result | Promise<Result>,
    options?: WaitOptions,
  ): Promise<Result> {
    return within(this.acquire(options), act)
  }

  /**
   * Gives back permits: those that this thread holds, the oldest first; the rest are new ones.
   *
   * @param count default: 1
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there would be more than `max`; nothing was released. ERR_INVALID_ARG
   */
  release(count = 1): void {
    this.#open.releaseMany(checkCount('count', count, 1))
  }

  /** Free permits at this instant. */
  get value(): number {
    return nativeLocks.freePermits(this.object.handle)
  }

  /** There are never more permits. */
  get max(): number {
    return nativeSegments.objectParams(this.object.handle)[1] as number
  }

  get #open(): Permits {
    void this.object
    return this.#permits
  }
}
