import { SharedMemory } from '../memory/index.js'
import { isStopped } from './patrol.js'
import { WORKER_BYTES, WorkerStatus } from './worker-status.js'

/** A worker, as any process of the domain sees it. */
export interface SeenWorker {
  /** Its name, as `stats()` of the pool tells it. */
  name: string
  /** Its process; `undefined` if none was started yet. */
  pid: number | undefined
  /** Its worker thread; 0 if it is a process of its own. */
  thread: number
  /** `starting`: it hasn't loaded the module. `stopped`: the system has stopped the process. */
  state: 'starting' | 'idle' | 'running' | 'stopped'
  /** The task that it is in: its number in the pool, the function, and when it began. */
  task: { id: number; run: string; since: Date } | undefined
}

/** The name of a worker's memory in the domain. */
export const memoryOf = (pool: string, worker: string): string => `${pool}.${worker}`

/**
 * The workers of a pool, by the memory that each of them has.
 *
 * @param names the names of all memory of the domain
 */
export function workersOf(pool: string, names: readonly string[]): SeenWorker[] {
  const own = memoryOf(pool, '')
  return names
    .filter(name => name.startsWith(own))
    .flatMap(name => seen(name, name.slice(own.length)) ?? [])
    .sort((a, b) => numberOf(a) - numberOf(b))
}

/** Workers of a pool are numbered in the order in which they were started. */
const numberOf = ({ name }: SeenWorker): number => Number(/\d+$/.exec(name)?.[0] ?? 0)

/** `undefined`: it has ended meanwhile, or this is the memory of something else. */
function seen(name: string, worker: string): SeenWorker | undefined {
  try {
    const memory = SharedMemory.open(name)
    try {
      if (memory.byteLength !== WORKER_BYTES) return undefined
      const { pid, thread, isReady, task } = new WorkerStatus(memory).read()
      const state = isReady ? (task ? 'running' : 'idle') : 'starting'
      return { name: worker, pid, thread, state: isStopped(pid) ? 'stopped' : state, task }
    } finally {
      memory.close()
    }
  } catch {
    return undefined
  }
}
