import type { WorkerInfo } from './stats.js'

/** How a worker ended. */
export interface WorkerEnd extends WorkerInfo {
  /** Its exit code; `null` if a signal ended it. */
  readonly exitCode: number | null
  /** The signal that ended it; `null` if it ended by itself. */
  readonly signal: string | null
}

/** The events of a pool, and what their listeners get. */
export interface PoolEvents {
  /** A worker has loaded the module. */
  ready: [worker: WorkerInfo]
  /** A worker has ended, whatever the reason. */
  exit: [worker: WorkerEnd]
  /**
   * A worker that has tasks is stopped (SIGSTOP). Those that it hasn't begun go to others. Only
   * where the system tells (Linux).
   */
  stopped: [worker: WorkerInfo]
  /** A worker that was stopped goes on. */
  continued: [worker: WorkerInfo]
  /** The pool had as many tasks waiting as `maxQueue`, and now has at most half of it. */
  drain: []
}
