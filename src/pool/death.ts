import { CrossmemError } from '../errors.js'
import type { Ending } from './host.js'
import type { Job } from './job.js'

/** How much of a worker's standard error an error has. */
const LINES = 20

/** The error of a task whose worker died: ERR_WORKER_DIED. */
export interface WorkerDied extends CrossmemError {
  readonly code: 'ERR_WORKER_DIED'
  /** The exit code of the worker; `null` if a signal ended it. */
  readonly exitCode: number | null
  /** The signal that ended it; `null` if it ended by itself. */
  readonly signal: string | null
  /**
   * Whether memory was the reason: the kernel counted another kill for lack of memory since the
   * worker started, and the worker ended by SIGKILL; or V8 said that its heap is full, and aborted.
   */
  readonly outOfMemory: boolean
  /** The number of the task. */
  readonly task: number
  /** How many workers had begun the task. */
  readonly attempts: number
}

export function workerDied(job: Job, name: string, pid: number | undefined, ending: Ending): CrossmemError {
  const { id, attempts, call } = job
  const { exitCode, signal, outOfMemory } = ending
  const times = attempts > 1 ? `, the last of ${attempts} that began it` : ''
  const why = outOfMemory ? ', out of memory' : ''
  const message = `worker "${name}" (${pid}) ${howEnded(ending)}${why} in task ${id} (${call.run})${times}`
  const facts = { exitCode, signal, outOfMemory, task: id, attempts }
  return Object.assign(new CrossmemError('ERR_WORKER_DIED', message), facts)
}

/** The error of a pool whose workers can't start. */
export function cannotStart(name: string, failures: number, ending: Ending, error: unknown): unknown {
  if (error !== undefined) return error
  if (ending.cause !== undefined) return ending.cause
  const { exitCode, signal, outOfMemory, lastErrors } = ending
  const lines = lastErrors.trimEnd().split('\n').slice(-LINES).join('\n')
  const said = lines ? `; it wrote:\n${lines}` : ' and wrote nothing on its standard error'
  const message = `${failures} workers in a row ended before they were ready; the last one, "${name}", ${howEnded(ending)}${said}`
  return Object.assign(new CrossmemError('ERR_WORKER_DIED', message), { exitCode, signal, outOfMemory })
}

const howEnded = ({ exitCode, signal }: Ending): string =>
  signal === null ? `ended with exit code ${exitCode}` : `was killed by ${signal}`
