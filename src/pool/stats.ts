import type { Times } from './times.js'

/** A worker, as events and `stats()` tell of it. */
export interface WorkerInfo {
  /** Its name, which its error output has, too. */
  readonly name: string
  /** Its process ID; that of this process if it is a thread. */
  readonly pid: number | undefined
}

/** A worker, as `stats()` tells of it. */
export interface WorkerStats extends WorkerInfo {
  /**
   * - `'starting'`: it loads the module
   * - `'idle'`, `'running'`: it waits for a task, or runs one
   * - `'leaving'`: it ends after its task
   */
  readonly state: 'starting' | 'idle' | 'running' | 'leaving'
  /** How many tasks it has ended. */
  readonly tasks: number
  /** Its resident set in bytes; `undefined` of a thread, and where the system isn't Linux. */
  readonly rss: number | undefined
}

/** What `stats()` returns. */
export interface PoolStats {
  /** Tasks that no worker has begun. */
  readonly waiting: number
  /** Tasks that a worker runs now. */
  readonly running: number
  /** Tasks that ended with a result. */
  readonly done: number
  /** Tasks whose function threw, or whose worker died. */
  readonly failed: number
  /** Tasks that were aborted, timed out or cancelled. */
  readonly cancelled: number
  /** How long ended tasks took beside their function: waiting, and the ways there and back. */
  readonly wait: Times
  /** How long the functions of ended tasks took. */
  readonly run: Times
  /** The part of their time, 0 to 1, that workers spent in tasks that have ended. */
  readonly utilisation: number
  /** The workers that haven't ended. */
  readonly workers: readonly WorkerStats[]
}
