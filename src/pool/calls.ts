import { EventEmitter } from 'node:events'
import type { FunctionNames, ResultOf } from '../process/index.js'
import type { PoolEvents } from './events.js'
import { type ImapOptions, imapItems } from './imap.js'
import { Job, type Runner } from './job.js'
import { type MapOptions, mapChunks } from './map.js'
import {
  type ApplyArgs,
  type ArgsOf,
  checkList,
  checkRun,
  checkTask,
  type ItemOf,
  type TaskOptions,
} from './options.js'
import { Task } from './task.js'

/** What a pool does for its own process, and for clients in others. */
export abstract class PoolCalls<Module extends object> extends EventEmitter<PoolEvents> {
  /** @internal */
  protected abstract get runner(): Runner

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
        options: checkTask(options),
      }
      return new Task(this.runner.submit(call))
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
    return mapChunks({ runner: this.runner, run: checkRun(run) }, 'map', items, options) as Promise<
      ResultOf<Module, Name>[]
    >
  }

  /** As `map`, but each item is a list of arguments. */
  async starMap<Name extends FunctionNames<Module>>(
    run: Name,
    items: Iterable<ArgsOf<Module, Name>>,
    options?: MapOptions,
  ): Promise<ResultOf<Module, Name>[]> {
    return mapChunks({ runner: this.runner, run: checkRun(run) }, 'starMap', items, options) as Promise<
      ResultOf<Module, Name>[]
    >
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
    return imapItems({ runner: this.runner, run: checkRun(run) }, source, options) as AsyncGenerator<
      ResultOf<Module, Name>,
      void,
      void
    >
  }
}

function failed(run: string, error: unknown): Job {
  const job = new Job(0, { run, mode: 'call', args: [], options: checkTask(undefined) })
  job.reject(error)
  return job
}
