import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { CrossmemError } from '../errors.js'
import { callerOf, type FunctionNames, type ResultOf } from '../process/index.js'
import { asyncDispose, dispose, type InspectionArguments, inspection, showAs, stays } from '../util/index.js'
import { Dispatcher, type Emit } from './dispatcher.js'
import type { PoolEvents } from './events.js'
import { type ImapOptions, imapItems } from './imap.js'
import { Job } from './job.js'
import { type MapOptions, mapChunks } from './map.js'
import type { Setup } from './messages.js'
import {
  type AnyModule,
  type ApplyArgs,
  type ArgsOf,
  type CheckedPool,
  checkList,
  checkPool,
  checkRun,
  checkTask,
  type ItemOf,
  type PoolOptions,
  type TaskOptions,
} from './options.js'
import { Parcel } from './parcel.js'
import { ProcessHost } from './process-host.js'
import type { PoolStats } from './stats.js'
import { Task } from './task.js'
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
  extends EventEmitter<PoolEvents>
  implements Disposable, AsyncDisposable
{
  readonly #dispatcher: Dispatcher
  readonly #options: CheckedPool
  readonly #initial: Parcel | undefined

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
    this.#initial = run === undefined ? undefined : new Parcel(args)
    const setup: Setup = {
      target: { module: checked.module, caller },
      initializer: run === undefined ? undefined : { run, args: (this.#initial as Parcel).wire },
      tellsMemory: checked.maxRss < Number.POSITIVE_INFINITY,
    }
    const Host = checked.kind === 'thread' ? ThreadHost : ProcessHost
    const start = (name: string, args: readonly unknown[]) => new Host(name, args, checked.host)
    this.#dispatcher = new Dispatcher(`Pool-${++pools}`, checked, setup, start, this.#emitter())
    void this.#dispatcher.ended.then(() => this.#initial?.release())
  }

  /**
   * Runs a function in a worker.
   *
   * @param run the name of the export
   * @param args its arguments: what a Queue carries, and handles, which arrive open and are closed
   *   when the function has ended
   * @returns a promise of what it returns, which is also a handle of the call. It rejects with what
   *   the function throws. Else with a CrossmemError:
   *
   * - ERR_INVALID_ARG: there is no such export, an argument or the result can't be sent, or an
   *   option is refused
   * - ERR_WORKER_DIED: the worker died inside the function, see {@link WorkerDied}
   * - ERR_TIMEOUT: the time is over
   * - ERR_CLOSED: the pool is closed
   * - what the module or its initializer threw in each worker
   */
  apply<Name extends FunctionNames<Module>>(
    run: Name,
    ...rest: ApplyArgs<ArgsOf<Module, Name>>
  ): Task<ResultOf<Module, Name>>
  apply(run: string, args: readonly unknown[] = [], options?: TaskOptions): Task {
    try {
      const call = {
        run: checkRun(run),
        mode: 'call' as const,
        args: checkList('args', args),
        options: checkTask(options, this.#options.retries),
      }
      return new Task(this.#dispatcher.submit(call))
    } catch (error) {
      return new Task(failed(run, error))
    }
  }

  /**
   * Runs a function with each item, in chunks. Returns the results in the order of the items. If
   * one fails, the others are cancelled.
   *
   * @throws {CrossmemError} as `apply` rejects
   */
  async map<Name extends FunctionNames<Module>>(
    run: Name,
    items: Iterable<ItemOf<Module, Name>>,
    options?: MapOptions,
  ): Promise<ResultOf<Module, Name>[]> {
    return mapChunks(this.#mapping(run), 'map', items, options) as Promise<ResultOf<Module, Name>[]>
  }

  /** As `map`, but each item is a list of arguments. */
  async starMap<Name extends FunctionNames<Module>>(
    run: Name,
    items: Iterable<ArgsOf<Module, Name>>,
    options?: MapOptions,
  ): Promise<ResultOf<Module, Name>[]> {
    return mapChunks(this.#mapping(run), 'starMap', items, options) as Promise<ResultOf<Module, Name>[]>
  }

  /**
   * Runs a function with each item of a source, which may be async, and yields the results. The
   * source is pulled only as far as there is room. If an item fails, the error is thrown when its
   * turn comes, and what was pulled after it is cancelled.
   *
   * @throws {CrossmemError} as `apply` rejects. `pulled` of any error is an array of the items that
   *   were pulled and whose results weren't yielded; an item that the source still owes is added
   *   when it comes
   */
  imap<Name extends FunctionNames<Module>>(
    run: Name,
    source: Iterable<ItemOf<Module, Name>> | AsyncIterable<ItemOf<Module, Name>>,
    options?: ImapOptions,
  ): AsyncGenerator<ResultOf<Module, Name>, void, void> {
    return imapItems(this.#mapping(run), source, options) as AsyncGenerator<
      ResultOf<Module, Name>,
      void,
      void
    >
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
    this.#dispatcher.keep(1)
    await this.#dispatcher.ended
    this.#dispatcher.keep(-1)
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

  /** Emits in the context of the pool's maker. What a listener throws doesn't reach the pool. */
  #emitter(): Emit {
    return AsyncResource.bind((name, ...args) => {
      queueMicrotask(() => void this.emit(name as never, ...(args as never)))
    })
  }

  #mapping(run: unknown) {
    const { workers, retries } = this.#options
    return { dispatcher: this.#dispatcher, run: checkRun(run), workers, retries }
  }
}

stays(Pool, 'it belongs to the process that made it')

function failed(run: string, error: unknown): Job {
  const job = new Job(0, { run, mode: 'call', args: [], options: checkTask({}, 0) })
  job.reject(error)
  return job
}
