import { AsyncResource } from 'node:async_hooks'
import { CrossmemError } from '../errors.js'
import { nativeSegments } from '../native/index.js'
import { open, type Reference } from '../open.js'
import { callerOf } from '../process/index.js'
import { asyncDispose, dispose, type InspectionArguments, inspection, showAs } from '../util/index.js'
import { PoolCalls } from './calls.js'
import type { PoolClient } from './client.js'
import { Clients } from './clients.js'
import { Dispatcher, type Emit } from './dispatcher.js'
import { keepAlive } from './keeper.js'
import type { Setup } from './messages.js'
import { type AnyModule, type CheckedPool, checkPool, type PoolOptions } from './options.js'
import { Parcel } from './parcel.js'
import { ProcessHost } from './process-host.js'
import type { PoolStats } from './stats.js'
import { ThreadHost } from './thread-host.js'

let pools = 0

/**
 * Processes that run functions of a module: Python's `multiprocessing.Pool`. If a worker dies, only
 * the task that it ran is lost, and its caller is told at once.
 *
 * @example
 * ```js
 * import { Pool } from 'crossmem'
 *
 * const module = new URL('data:text/javascript,export const square = n => n * n')
 * const pool = new Pool(module, { workers: 2 })
 * console.log(await pool.apply('square', [7])) // 49
 * console.log(await pool.map('square', [1, 2, 3])) // [ 1, 4, 9 ]
 * pool.close()
 * await pool.join()
 * ```
 */
export class Pool<Module extends object = AnyModule>
  extends PoolCalls<Module>
  implements Disposable, AsyncDisposable
{
  readonly #dispatcher: Dispatcher
  readonly #options: CheckedPool
  readonly #initial: Parcel | undefined
  /** In the domain. */
  readonly #name = nativeSegments.randomName()
  #clients: Clients | undefined

  /**
   * Starts the workers. What goes wrong in them is told by the tasks.
   *
   * @param target the module: a URL, a path (a relative one is seen from the file that calls), or
   *   the name of a package
   * @throws {CrossmemError} ERR_INVALID_ARG: an option is refused. ERR_PERMISSION: this process may
   *   start no other
   */
  constructor(target: string | URL, options?: PoolOptions) {
    super()
    const caller = callerOf(Pool as never)
    const checked = checkPool(target, options)
    const [run, ...args] = checked.initializer ?? []
    this.#options = checked
    this.#initial = run === undefined ? undefined : new Parcel(args, checked.share)
    const setup: Setup = {
      target: { module: checked.module, caller },
      initializer: run === undefined ? undefined : { run, args: (this.#initial as Parcel).wire },
      tellsMemory: checked.maxRss < Number.POSITIVE_INFINITY,
      shares: checked.share,
    }
    const Host = checked.kind === 'thread' ? ThreadHost : ProcessHost
    const start = (name: string, args: readonly unknown[]) => new Host(name, args, checked.host)
    this.#dispatcher = new Dispatcher(`Pool-${++pools}`, this.#name, checked, setup, start, this.#emitter())
    void this.#dispatcher.ended.then(() => {
      this.#initial?.release()
      this.#clients?.close()
    })
  }

  /** What marks a reference to a pool. */
  get crossmem(): 'Pool' {
    return 'Pool'
  }

  /**
   * The pool's name in its domain, by which other processes give it tasks. The pool takes them from
   * the first call on.
   *
   * @throws {CrossmemError} ERR_CLOSED. ERR_NO_SPACE, ERR_LIMIT: there is no room for that
   */
  get name(): string {
    if (this.#dispatcher.isClosed)
      throw new CrossmemError('ERR_CLOSED', 'the pool was closed and takes no more tasks')
    this.#clients ??= new Clients(this.#dispatcher, this.#name, this.#options)
    return this.#clients.name
  }

  /**
   * What is sent in its place: `open()` makes a {@link PoolClient} of it in another process or
   * thread.
   *
   * @throws {CrossmemError} as `name`
   */
  toJSON(): { crossmem: 'Pool'; name: string } {
    return { crossmem: this.crossmem, name: this.name }
  }

  /**
   * A client of the pool of another process or thread.
   *
   * @param pool the pool's name, or a reference to it
   * @throws {CrossmemError} ERR_NOT_FOUND: it is closed, or its process is gone. Else as `open()`
   */
  static open<Module extends object = AnyModule>(pool: string | Reference): PoolClient<Module> {
    const { name } = typeof pool === 'string' ? { name: pool } : pool
    return open({ crossmem: 'Pool', name }) as PoolClient<Module>
  }

  /**
   * Whether as many tasks wait as `maxQueue` says: those that come now are accepted later. The
   * event 'drain' tells when half of them are gone.
   */
  get needsDrain(): boolean {
    return this.#dispatcher.isFull
  }

  /** What the pool does and did: counts, times in milliseconds, and its workers. */
  stats(): PoolStats {
    return this.#dispatcher.stats()
  }

  /** Takes no more tasks. The workers end when all tasks have. */
  close(): void {
    this.#dispatcher.close()
  }

  /** Ends all workers now. Tasks that haven't ended reject with ERR_CLOSED. */
  terminate(): void {
    this.#dispatcher.terminate(new CrossmemError('ERR_CLOSED', 'the pool was terminated'))
  }

  /**
   * Waits until all workers have ended.
   *
   * @throws {CrossmemError} ERR_BUSY: the pool was not closed
   */
  async join(): Promise<void> {
    if (!this.#dispatcher.isClosed) {
      throw new CrossmemError('ERR_BUSY', 'the pool takes tasks: call close() or terminate() before join()')
    }
    keepAlive(1)
    await this.#dispatcher.ended
    keepAlive(-1)
  }

  /** Terminates the pool at the end of a `using` block. */
  [dispose](): void {
    this.terminate()
  }

  /** As `using`, but also waits until the workers have ended. */
  async [asyncDispose](): Promise<void> {
    this.terminate()
    await this.join()
  }

  /** Shows the module and the workers in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    const { module, workers } = this.#options
    return showAs('Pool', { module, workers }, ...how)
  }

  /** @internal */
  protected override get runner(): Dispatcher {
    return this.#dispatcher
  }

  /** Emits in the context of the pool's maker. What a listener throws doesn't reach the pool. */
  #emitter(): Emit {
    return AsyncResource.bind((name, ...args) => {
      queueMicrotask(() => void this.emit(name as never, ...(args as never)))
    })
  }
}
