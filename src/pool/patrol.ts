import { readFileSync } from 'node:fs'
import { now, setTimeout } from '../wait/index.js'
import type { PoolWorker } from './worker.js'

/** How often, in milliseconds, workers are looked at while one has tasks ahead. */
const TICK = 20

/** How often otherwise, and how long a worker tells nothing before the system is asked about it. */
const LONG = 100

/** What a patrol tells. */
export interface Watcher {
  /** A worker is long in a task, or was stopped: others may run what it hasn't begun. */
  isSlow(worker: PoolWorker): void
  /** A worker was stopped, or goes on. */
  changed(worker: PoolWorker): void
  /** A worker has had no task for so many milliseconds. */
  isIdle(worker: PoolWorker, ms: number): void
}

/** Looks at workers from time to time, as long as there is something to look at. */
export class Patrol {
  readonly #workers: ReadonlySet<PoolWorker>
  readonly #watcher: Watcher
  readonly #looksAtIdle: boolean
  #timer: NodeJS.Timeout | undefined

  /** @param looksAtIdle whether idle workers may have to end */
  constructor(workers: ReadonlySet<PoolWorker>, looksAtIdle: boolean, watcher: Watcher) {
    this.#workers = workers
    this.#looksAtIdle = looksAtIdle
    this.#watcher = watcher
  }

  /** There may be something to look at. */
  begin(): void {
    if (this.#timer) return
    const wait = this.#nextLook()
    if (wait === undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#look()
      this.begin()
    }, wait)
    this.#timer.unref()
  }

  #nextLook(): number | undefined {
    let wait: number | undefined
    for (const { posted, state, isStopped } of this.#workers) {
      if (posted.size > 1) return TICK
      if (posted.size > 0 || isStopped || (this.#looksAtIdle && state === 'ready')) wait = LONG
    }
    return wait
  }

  #look(): void {
    const time = now()
    for (const worker of [...this.#workers]) {
      const quiet = time - worker.lastNews
      // While it has its tasks: the system is asked about no worker that has none.
      if (quiet > LONG || worker.isStopped) this.#ask(worker)
      if (worker.posted.size === 0) this.#watcher.isIdle(worker, quiet)
      else if (quiet > TICK / 2) this.#watcher.isSlow(worker)
    }
  }

  #ask(worker: PoolWorker): void {
    const stopped = worker.posted.size > 0 || worker.isStopped ? isStopped(worker.pid) : false
    if (stopped === worker.isStopped) return
    worker.isStopped = stopped
    this.#watcher.changed(worker)
  }
}

/** Whether a process is stopped, or traced; false where the system doesn't tell. */
export function isStopped(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}
