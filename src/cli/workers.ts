import type { Inspection } from '../domain.js'
import { agent, table } from './format.js'

/** A worker of a pool. */
export interface WorkerInfo {
  /** Its name, as `stats()` of the pool and its error output have it. */
  name: string
  /** `null`: the system hasn't started it yet. */
  pid: number | null
  thread: number
  state: 'starting' | 'idle' | 'running' | 'stopped'
  /** What it runs, and since when, as ISO 8601 has times. */
  task: { id: number; run: string; since: string } | null
}

/** The workers of a pool. Their memory is opened, which joins the domain. */
export async function workersIn({ objects }: Inspection, pool: string): Promise<WorkerInfo[]> {
  // Only here: most commands need no pool.
  const { workersOf } = await import('../pool/index.js')
  const memory = objects.filter(({ kind, present, doomed }) => kind === 'SharedMemory' && present && !doomed)
  return workersOf(
    pool,
    memory.map(({ name }) => name),
  ).map(({ name, pid = null, thread, state, task }) => ({
    name,
    pid,
    thread,
    state,
    task: task ? { ...task, since: task.since.toISOString() } : null,
  }))
}

/** The workers as a table, with how long each task has run. */
export function workersText(workers: readonly WorkerInfo[], room: number | undefined): string {
  const columns = [
    { heading: 'WORKER' },
    { heading: 'AGENT' },
    { heading: 'STATE' },
    { heading: 'TASK', isRight: true },
    { heading: 'FUNCTION', isCut: true },
    { heading: 'FOR', isRight: true },
  ]
  const rows = workers.map(({ name, pid, thread, state, task }) => [
    name,
    pid === null ? '-' : agent({ pid, thread, alive: true }),
    state,
    ...(task ? [String(task.id), task.run, lasted(task.since)] : ['-', '-', '-']),
  ])
  return table(columns, rows, room).join('\n')
}

/** "12s" */
const lasted = (since: string): string =>
  `${Math.max(0, Math.floor((Date.now() - Date.parse(since)) / 1000))}s`
