import { CrossmemError } from '../errors.js'
import { type InspectionArguments, inspection, showAs, stays } from '../util/index.js'
import { checkTimeout, clearTimeout, setTimeout, timedOut } from '../wait/index.js'
import type { Job, Progress } from './job.js'

/** What a task does. */
export type TaskState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

/**
 * What `apply` returns: a promise of the function's result, and what is known of the call
 * meanwhile. It has the methods of Python's `AsyncResult`, too.
 *
 * @example
 * ```js
 * import { Pool } from 'crossmem'
 *
 * const module = new URL('data:text/javascript,export const add = (a, b) => a + b')
 * const pool = new Pool(module, { workers: 1 })
 * const task = pool.apply('add', [40, 2])
 * console.log(await task, task.state, task.successful()) // 42 done true
 * pool.close()
 * await pool.join()
 * ```
 */
export class Task<Result = unknown> implements Promise<Result> {
  /** Always `'Task'`. */
  readonly [Symbol.toStringTag] = 'Task'
  readonly #job: Job

  /** @internal */
  constructor(job: Job) {
    this.#job = job
  }

  /** Its number in the pool, from 1 up. */
  get id(): number {
    return this.#job.id
  }

  /**
   * - `'waiting'`: no worker has begun it
   * - `'running'`: a worker has begun it. If it runs in a pool of another process, that is known
   *   some tenths of a second later
   * - `'done'`: it has a result
   * - `'failed'`: the function threw, or the worker died
   * - `'cancelled'`: it was aborted, timed out or cancelled
   */
  get state(): TaskState {
    const { outcome, posting, isKnownToRun } = this.#job
    return outcome ?? (posting?.isRunning || isKnownToRun ? 'running' : 'waiting')
  }

  /**
   * What the function tells by `currentTask().progress()` from now on, until the task has ended.
   * A slow reader gets all of it.
   */
  get progress(): AsyncIterable<Progress> {
    return { [Symbol.asyncIterator]: () => progressOf(this.#job) }
  }

  /**
   * Ends the task. If a worker has begun it, its `currentTask().signal` aborts; if the function
   * hasn't ended after the pool's `grace`, its worker is killed. The task rejects with the reason
   * once the function doesn't run any more. If it has ended, this does nothing.
   *
   * @param reason default: an `AbortError`
   */
  cancel(reason: unknown = new DOMException('This operation was aborted', 'AbortError')): void {
    this.#job.stop(reason)
  }

  /** Whether it has ended. */
  ready(): boolean {
    return this.#job.outcome !== undefined
  }

  /**
   * Whether it has ended with a result.
   *
   * @throws {CrossmemError} ERR_BUSY: it hasn't ended
   */
  successful(): boolean {
    if (this.ready()) return this.#job.outcome === 'done'
    throw new CrossmemError('ERR_BUSY', `task ${this.id} has not ended; await it first`)
  }

  /**
   * The result. Throws as the task rejects, or ERR_TIMEOUT; the task goes on then.
   *
   * @param timeout milliseconds to wait at most; default: without limit
   * @throws {CrossmemError} ERR_TIMEOUT. ERR_INVALID_ARG: `timeout` is refused
   */
  async get(timeout?: number): Promise<Result> {
    await this.#within(timeout)
    if (!this.ready()) throw timedOut(`the result of task ${this.id}`, timeout as number)
    return this.#job.promise as Promise<Result>
  }

  /**
   * Waits until it has ended, or the time is over.
   *
   * @param timeout milliseconds to wait at most; default: without limit
   * @throws {CrossmemError} ERR_INVALID_ARG: `timeout` is refused
   */
  async wait(timeout?: number): Promise<void> {
    await this.#within(timeout)
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a promise.
  then<A = Result, B = never>(
    onFulfilled?: ((value: Result) => A | PromiseLike<A>) | null,
    // biome-ignore lint/suspicious/noExplicitAny: callbacks name the type, as with any promise.
    onRejected?: ((reason: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return (this.#job.promise as Promise<Result>).then(onFulfilled, onRejected)
  }

  // biome-ignore lint/suspicious/noExplicitAny: as in `then`.
  catch<B = never>(onRejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<Result | B> {
    return this.then(undefined, onRejected)
  }

  finally(onSettled?: (() => void) | null): Promise<Result> {
    return (this.#job.promise as Promise<Result>).finally(onSettled)
  }

  /** Shows number, function and state in `console.log`. */
  [inspection](...how: InspectionArguments): string {
    const { id, state } = this
    return showAs('Task', { id, run: this.#job.call.run, state }, ...how)
  }

  async #within(timeout: number | undefined): Promise<void> {
    const most = checkTimeout({ timeout })
    if (this.ready()) return
    let timer: NodeJS.Timeout | undefined
    let end: () => void = () => undefined
    await new Promise<void>(resolve => {
      end = resolve
      this.#job.atEnd(end)
      if (most < Number.POSITIVE_INFINITY) timer = setTimeout(end, most)
    })
    this.#job.notAtEnd(end)
    clearTimeout(timer)
  }
}

stays(Task, 'it belongs to the pool that runs it; await it, and send its result')

async function* progressOf(job: Job): AsyncGenerator<Progress> {
  const heard: (Progress | undefined)[] = []
  let wake: () => void = () => undefined
  const hear = (progress: Progress | undefined): void => {
    heard.push(progress)
    wake()
  }
  if (job.outcome) return
  job.listen(hear)
  try {
    for (;;) {
      if (heard.length === 0) await new Promise<void>(resolve => (wake = resolve))
      const next = heard.shift()
      if (!next) return
      yield next
    }
  } finally {
    job.unlisten(hear)
  }
}
