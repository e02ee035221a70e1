import { CrossmemError } from '../errors.js'
import type { NumericDType, ScalarInput } from '../nd/index.js'
import {
  asyncDispose,
  checkCount,
  checkOptions,
  type InspectionArguments,
  inspection,
  type OptionNames,
  show,
  showAs,
  stays,
} from '../util/index.js'
import { RemoteArrays } from './arrays.js'
import { RemoteBarrier, type RemoteBarrierOptions } from './barrier.js'
import { dialOf, ofCluster, type RedisClient } from './client.js'
import { RemoteCondition } from './condition.js'
import { RemoteEvent, type RemoteEventOptions } from './event.js'
import { RemoteJoinableQueue } from './joinable-queue.js'
import { RemoteMutex } from './mutex.js'
import { namedLocks, type RemoteLocks } from './named-locks.js'
import { RemoteQueue, type RemoteQueueOptions } from './queue.js'
import type { Home, RemoteObject } from './remote-object.js'
import { RemoteRwLock } from './rw-lock.js'
import { RemoteSemaphore, type RemoteSemaphoreOptions } from './semaphore.js'
import { Sessions } from './sessions.js'
import { RemoteValue } from './value.js'

/** How to connect. */
export interface ConnectOptions {
  /**
   * A client of `ioredis`, `iovalkey`, `redis` or `@redis/client`, which need not be connected. The
   * connections are crossmem's own, of the same settings; the client stays the program's.
   */
  client: RedisClient
  /**
   * What the keys and channels of all objects begin with. Programs that share objects have the same
   * prefix. Default: `crossmem`.
   */
  prefix?: string
  /**
   * Milliseconds after which a machine that has vanished without a word counts as dead, 1000 to
   * 3600000. A server that is away for longer ends the session, too. Default: 10000.
   */
  lease?: number
}

const CONNECT_OPTIONS: OptionNames<ConnectOptions> = { client: true, prefix: true, lease: true }

/** What holds for the objects of a connection, and not for those of one machine. */
export interface Semantics {
  /** Waiters and messages are served in the order in which the server hears of them. */
  readonly order: 'arrival at the server'
  /** A holder is dead once its connection has ended, or its lease has run out. */
  readonly death: 'connection ends or lease runs out'
  /** Milliseconds. */
  readonly lease: number
  /**
   * What is left after a crash of the server: nothing, or what its file of appended commands has.
   * Only `put` with `durable` waits for that file.
   */
  readonly durability: 'none' | 'append-only file'
}

/**
 * Connects to a server.
 *
 * @example
 * ```ts
 * import { connect } from 'crossmem/redis'
 * import { Redis } from 'ioredis'
 *
 * await using far = await connect({ client: new Redis(), prefix: 'app' })
 * await using guard = await far.mutex('ledger').lock()
 * ```
 *
 * @throws {CrossmemError} ERR_INVALID_ARG: an option is refused. ERR_DISCONNECTED: no server
 *   answers. ERR_PERMISSION: it refuses the client. ERR_UNSUPPORTED: it is older than Redis 7, or
 *   in cluster mode
 */
export async function connect(options: ConnectOptions): Promise<RemoteConnection> {
  const {
    client,
    prefix = 'crossmem',
    lease = 10_000,
  } = checkOptions<ConnectOptions>(options, CONNECT_OPTIONS)
  const dial = dialOf(client)
  if (typeof prefix !== 'string' || prefix === '' || /[{}\s]/.test(prefix)) {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `prefix is a string without braces and spaces, not ${show(prefix)}`,
    )
  }
  checkCount('lease', lease, 1000, 3_600_000)
  const sessions = await Sessions.open({ dial, prefix, lease })
  try {
    const session = await sessions.get()
    const info = `${await session.command('INFO', 'server')}\n${await session.command('INFO', 'persistence')}`
    return new RemoteConnection(sessions, { ...checkServer(info), lease })
  } catch (error) {
    await sessions.close()
    throw error
  }
}

/** A connection to a server, which makes handles of its objects. It keeps the process alive. */
export class RemoteConnection implements AsyncDisposable {
  /** Arrays, which each machine fetches once. */
  readonly arrays: RemoteArrays
  /** Locks by any name. */
  readonly locks: RemoteLocks
  /** What holds here, and not on one machine. */
  readonly semantics: Semantics
  readonly #home: Home

  /** @internal */
  constructor(sessions: Sessions, facts: Pick<Semantics, 'durability' | 'lease'>) {
    this.#home = { sessions, open: new Set<RemoteObject>() }
    this.arrays = new RemoteArrays(this.#home)
    this.locks = namedLocks(this.#home)
    this.semantics = Object.freeze({
      order: 'arrival at the server',
      death: 'connection ends or lease runs out',
      ...facts,
    })
  }

  /**
   * A queue of values. Its options count if this call's use makes the queue.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG
   */
  queue<T = unknown>(name: string, options?: RemoteQueueOptions<T>): RemoteQueue<T> {
    return new RemoteQueue<T>(this.#home, name, options)
  }

  /**
   * A queue of tasks whose completion can be awaited. Its options count if this call's use makes
   * the queue.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG
   */
  joinableQueue<T = unknown>(name: string, options?: RemoteQueueOptions<T>): RemoteJoinableQueue<T> {
    return new RemoteJoinableQueue<T>(this.#home, name, options)
  }

  /**
   * A mutex, which exists from its first use on.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME
   */
  mutex(name: string): RemoteMutex {
    return new RemoteMutex(this.#home, name)
  }

  /**
   * A lock for many readers or one writer.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME
   */
  rwLock(name: string): RemoteRwLock {
    return new RemoteRwLock(this.#home, name)
  }

  /**
   * A semaphore.
   *
   * @param permits free permits at first, if this call's use makes the semaphore; default: 1
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG
   */
  semaphore(name: string, permits?: number, options?: RemoteSemaphoreOptions): RemoteSemaphore {
    return new RemoteSemaphore(this.#home, name, permits, options)
  }

  /**
   * An event.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG
   */
  event(name: string, options?: RemoteEventOptions): RemoteEvent {
    return new RemoteEvent(this.#home, name, options)
  }

  /**
   * A condition, with its lock.
   *
   * @throws {CrossmemError} ERR_INVALID_NAME
   */
  condition(name: string): RemoteCondition {
    return new RemoteCondition(this.#home, name)
  }

  /**
   * A barrier.
   *
   * @param parties how many meet, 1 to 100000
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG
   */
  barrier(name: string, parties: number, options?: RemoteBarrierOptions): RemoteBarrier {
    return new RemoteBarrier(this.#home, name, parties, options)
  }

  /**
   * One number.
   *
   * @param dtype default: float64
   * @param initial the number at first, if this call's use makes the value; default: 0
   * @throws {CrossmemError} ERR_INVALID_NAME, ERR_INVALID_ARG. ERR_UNSUPPORTED: the dtype is
   *   complex
   */
  value<D extends NumericDType = 'float64'>(
    name: string,
    dtype?: D,
    initial?: ScalarInput<D>,
  ): RemoteValue<D> {
    return new RemoteValue<D>(this.#home, name, dtype, initial)
  }

  /**
   * Closes all handles of this connection, and the connection. What was held counts as its holder's
   * death. Calling it again does nothing.
   */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#home.open].map(object => object.close()))
    await this.#home.sessions.close()
  }

  /** Closes it at the end of an `await using` block. */
  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Shows the facts in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    return showAs('RemoteConnection', { ...this.semantics }, ...how)
  }
}

stays(RemoteConnection, 'every process makes its own; send the name of the object')

/** The oldest version whose scripts can do what these need. */
const OLDEST = 7

function checkServer(info: string): Pick<Semantics, 'durability'> {
  const [, version = '0'] = /redis_version:(\S+)/.exec(info) ?? []
  if (!(Number.parseInt(version, 10) >= OLDEST)) {
    throw new CrossmemError(
      'ERR_UNSUPPORTED',
      `the server is version ${version}; Redis 7 or Valkey 8 or later is needed`,
    )
  }
  if (/redis_mode:cluster/.test(info)) throw ofCluster()
  return { durability: /aof_enabled:1/.test(info) ? 'append-only file' : 'none' }
}
