import { readFileSync } from 'node:fs'
import { now } from '../wait/index.js'
import type { Job } from './job.js'
import type { PoolStats, WorkerInfo, WorkerStats } from './stats.js'
import { Stopwatch } from './times.js'

/** What the ledger asks of a worker. */
interface Counted extends WorkerInfo {
  readonly state: string
  readonly tasks: number
  readonly readyAt: number | undefined
  readonly posted: ReadonlyMap<number, Job>
}

/** Counts what becomes of tasks, and how long they take. */
export class Ledger {
  readonly #ended = { done: 0, failed: 0, cancelled: 0 }
  readonly #wait = new Stopwatch()
  readonly #run = new Stopwatch()
  /** How long workers that are gone were ready: milliseconds. */
  #readyTime = 0

  /** A function has ended, and its task's caller is told. */
  ran(job: Job, milliseconds: number): void {
    this.#run.record(milliseconds)
    this.#wait.record(Math.max(0, now() - job.since - milliseconds))
  }

  settled({ outcome }: Job): void {
    if (outcome) this.#ended[outcome]++
  }

  buried({ readyAt }: Counted): void {
    if (readyAt !== undefined) this.#readyTime += now() - readyAt
  }

  stats(jobs: number, workers: readonly Counted[], isThread: boolean): PoolStats {
    const readyTime = workers.reduce(
      (sum, { readyAt }) => sum + (readyAt === undefined ? 0 : now() - readyAt),
      this.#readyTime,
    )
    const shown = workers.map(worker => statsOf(worker, isThread))
    const running = workers.filter(runsTask).length
    return {
      waiting: jobs - running,
      running,
      ...this.#ended,
      wait: this.#wait.times(),
      run: this.#run.times(),
      utilisation: readyTime === 0 ? 0 : Math.min(1, this.#run.sum / readyTime),
      workers: shown,
    }
  }
}

function statsOf(worker: Counted, isThread: boolean): WorkerStats {
  const { name, pid, state, tasks } = worker
  const isReady = state === 'ready'
  return {
    name,
    pid,
    state: isReady ? (runsTask(worker) ? 'running' : 'idle') : state === 'starting' ? state : 'leaving',
    tasks,
    rss: isThread ? undefined : residentSet(pid),
  }
}

function runsTask({ posted }: Counted): boolean {
  for (const { posting } of posted.values()) if (posting?.isRunning) return true
  return false
}

function residentSet(pid: number | undefined): number | undefined {
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024
  } catch {
    return undefined
  }
}
