import { AsyncLocalStorage } from 'node:async_hooks'
import { CrossmemError } from '../errors.js'
import { shared } from '../native/index.js'
import { show } from '../util/index.js'

/** The task that calls, as `currentTask()` returns it. */
export interface CurrentTask {
  /** Its number in the pool; `undefined` outside of a pool's tasks. */
  readonly id: number | undefined
  /** Aborts when the task is to end, with the reason. The function then has the pool's `grace`. */
  readonly signal: AbortSignal
  /**
   * Tells how far the task is: `progress` of the {@link Task} that `apply` returned yields it.
   *
   * @param total how much there is in all, if the task knows
   * @param note what else to tell; a value that a queue carries
   * @throws {CrossmemError} ERR_INVALID_ARG: it can't be sent
   */
  progress(done: number, total?: number, note?: unknown): void
  /** Asks that the worker isn't replaced after this task. */
  keep(): void
}

/** What all copies of this package in this environment know of the tasks that run. */
const tasks = shared('tasks', () => new AsyncLocalStorage<CurrentTask>())

/**
 * The task that runs the caller. Outside of a pool's tasks, its signal never aborts, and it tells
 * no pool, so that functions of a pool can be called as any others.
 */
export const currentTask = (): CurrentTask => tasks.getStore() ?? noTask

/** Runs a function as a task. */
export const runAs = <Result>(task: CurrentTask, run: () => Result): Result => tasks.run(task, run)

const noTask: CurrentTask = {
  id: undefined,
  signal: new AbortController().signal,
  progress: checkProgress,
  keep: () => undefined,
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkProgress(done: unknown, total?: unknown): void {
  for (const number of [done, total]) {
    if (number === undefined ? number === done : typeof number !== 'number') {
      throw new CrossmemError('ERR_INVALID_ARG', `progress takes numbers, not ${show(number)}`)
    }
  }
}
