import { CrossmemError } from '../errors.js'
import { checkCount, checkFunction, checkOptions, type OptionNames } from '../util/index.js'
import { RemoteGuard, within } from './guard.js'
import { LOCKS, LockLine } from './lock-line.js'
import type { Home } from './remote-object.js'
import { Script } from './script.js'
import type { Ask, RemoteWaitOptions } from './waiting.js'

/** The default of `max`. */
const MOST = 2 ** 31 - 1

/** How a semaphore is made. */
export interface RemoteSemaphoreOptions {
  /** The most permits there can be; a release beyond it is refused. Default: 2147483647. */
  max?: number
}

const SEMAPHORE_OPTIONS: OptionNames<RemoteSemaphoreOptions> = { max: true }

const freeScript = new Script(
  'makes room',
  `${LOCKS}
if be('Semaphore') then redis.call('HSET', K, 'permits', ARGV[3], 'max', ARGV[4]) end
bury()
serve()
return redis.call('HGET', K, 'permits') - redis.call('HLEN', HOLDERS)`,
)

const addScript = new Script(
  'makes room',
  `${LOCKS}
if be('Semaphore') then redis.call('HSET', K, 'permits', ARGV[3], 'max', ARGV[4]) end
bury()
local free = redis.call('HGET', K, 'permits') - redis.call('HLEN', HOLDERS)
local count, fresh = tonumber(ARGV[5]), tonumber(ARGV[5])
for i = 6, #ARGV do
  if redis.call('HEXISTS', HOLDERS, SESSION .. ' ' .. ARGV[i]) == 1 then fresh = fresh - 1 end
end
if free + count > tonumber(redis.call('HGET', K, 'max')) then return 0 end
for i = 6, #ARGV do redis.call('HDEL', HOLDERS, SESSION .. ' ' .. ARGV[i]) end
redis.call('HINCRBY', K, 'permits', fresh)
serve()
return 1`,
)

/**
 * A permit of a semaphore at a server, until it is released or used up. If the connection that
 * holds it ends before, the semaphore gets it back.
 */
export class RemotePermit extends RemoteGuard {
  readonly #semaphore: RemoteSemaphore

  /** @internal */
  constructor(semaphore: RemoteSemaphore, fence: number) {
    super(semaphore, fence, false)
    this.#semaphore = semaphore
  }

  /**
   * Uses the permit up: the semaphore doesn't get it back, not even when this connection ends.
   *
   * @throws {CrossmemError} ERR_LOST_OWNERSHIP: the permit was released, lost or used up before.
   *   ERR_DISCONNECTED: the connection was lost
   */
  async consume(): Promise<void> {
    await this.#semaphore.useUp(this)
  }
}

/** A number of permits at a server, which are given in the order of arrival. */
export class RemoteSemaphore extends LockLine {
  readonly #permits: readonly [number, number]

  /** @internal */
  constructor(home: Home, name: string, permits = 1, options?: RemoteSemaphoreOptions) {
    const { max = MOST } = checkOptions(options, SEMAPHORE_OPTIONS)
    checkCount('max', max, 1)
    const both = [checkCount('permits', permits, 0, max), max] as const
    super(home, name, 'Semaphore', both)
    this.#permits = both
  }

  /**
   * Waits for a permit.
   *
   * @throws {CrossmemError} as `RemoteMutex.lock`. ERR_INVALID_ARG: the semaphore exists with
   *   another `max`
   * @throws the signal's reason, if `signal` is aborted
   */
  async acquire(options?: RemoteWaitOptions): Promise<RemotePermit> {
    return this.askAndWait(this.#ask, options)
  }

  /**
   * Takes a permit if one is free.
   *
   * @returns the permit, or `undefined`
   * @throws {CrossmemError} as `RemoteMutex.tryLock`
   */
  async tryAcquire(): Promise<RemotePermit | undefined> {
    return this.askOnce(this.#ask)
  }

  /**
   * Waits for a permit, runs `act`, and releases the permit when the result of `act` is settled.
   *
   * @returns what `act` returns
   * @throws {CrossmemError} as `RemoteMutex.withLock`
   * @throws what `act` throws
   */
  async withPermit<Result>(
    act: (permit: RemotePermit) => Result | Promise<Result>,
    options?: RemoteWaitOptions,
  ): Promise<Result> {
    checkFunction('the callback', act)
    return within(await this.acquire(options), act)
  }

  /** Takes a permit back. @internal */
  override async release(guard: RemoteGuard): Promise<void>
  /**
   * Releases permits: first those that this handle holds, the oldest first. If `count` is more, the
   * rest are new permits.
   *
   * @param count default: 1
   * @throws {CrossmemError} ERR_OUT_OF_RANGE: there would be more than `max` permits; none was
   *   released. ERR_INVALID_ARG: `count` is no integer from 1 to 2147483647. ERR_CLOSED,
   *   ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  override async release(count?: number): Promise<void>
  override async release(what: RemoteGuard | number = 1): Promise<void> {
    if (typeof what === 'object' && what !== null) return super.release(what)
    const count = checkCount('count', what, 1)
    const session = await this.session()
    const guards = this.guards.filter(guard => this.holdingOf(guard).session === session).slice(0, count)
    const numbers = guards.map(guard => String(this.holdingOf(guard).number))
    const args = [...this.#permits.map(String), String(count), ...numbers]
    if ((await this.run(session, addScript, args)) === 1) {
      for (const guard of guards) this.spent(guard)
      return
    }
    throw new CrossmemError(
      'ERR_OUT_OF_RANGE',
      `"${this.name}" would have more than ${this.max} permits; none was released`,
    )
  }

  /**
   * Free permits at this instant, with those that dead connections held.
   *
   * @throws {CrossmemError} ERR_CLOSED, ERR_DISCONNECTED, ERR_READ_ONLY, ERR_PERMISSION, ERR_SERVER
   */
  get value(): Promise<number> {
    return this.call(freeScript, ...this.#permits.map(String)) as Promise<number>
  }

  /** The most permits there can be. */
  get max(): number {
    return this.#permits[1]
  }

  /** @internal */
  useUp(permit: RemotePermit): Promise<void> {
    return this.consume(permit)
  }

  get #ask(): Ask<RemotePermit> {
    return this.ask('p', 'acquiring', fence => new RemotePermit(this, fence))
  }
}
