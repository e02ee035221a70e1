import type { Target } from '../process/index.js'

/**
 * A list of values on its way: itself, if all of them are plain numbers, strings and the like; many
 * numbers as a typed array; else encoded.
 */
export type Wire = readonly unknown[] | Float64Array | Uint8Array

/** How a task calls its function: once; once for each item; or with each item as its arguments. */
export type Mode = 'call' | 'map' | 'starMap'

/** What a worker is told when it starts. */
export interface Setup {
  target: Omit<Target, 'run'>
  /** The export to call first, with its arguments. */
  initializer: { run: string; args: Wire } | undefined
  /** Whether the worker tells how much memory it has. */
  tellsMemory: boolean
  /** Whether large arrays in results travel in shared memory. */
  shares: boolean
}

/** From the pool. Tasks have the numbers of the worker's board. */
export type Order =
  | [is: 'call', task: number, id: number, run: string, mode: Mode, args: Wire, sender: number | null]
  | [is: 'abort', task: number, reason: Wire]
  /** The objects in the result are open in the pool. */
  | [is: 'release', task: number]
  /** No task follows. */
  | [is: 'end']

/** From the worker. */
export type News =
  | [is: 'ready']
  | [is: 'refused', error: Uint8Array]
  | [is: 'progress', task: number, done: number, total: number | null, note: Wire]
  /**
   * Of a call that is made once, an encoded value is the result itself. The worker keeps objects in
   * it open until it may release them.
   */
  | [is: 'returned', task: number, value: Wire, after: After, isHeld: boolean]
  | [is: 'failed', task: number, error: Uint8Array, after: After]

/** The state of a worker after a task. */
export type After = [
  /** How long the task took, in milliseconds. */
  ms: number,
  /** Whether the task asked for the worker to stay. */
  keeps: boolean,
  /** Bytes of memory that the worker has; 0 if the pool doesn't ask. */
  rss: number,
]
