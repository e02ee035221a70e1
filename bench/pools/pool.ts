import { join } from 'node:path'
import type { TaskName } from './tasks.js'

/** The module with the tasks. */
export const TASKS = join(__dirname, 'tasks.js')

/** A pool of some package, with the package's defaults where a row doesn't say otherwise. */
export interface Pool {
  run(task: TaskName, argument?: unknown): Promise<unknown>
  /** The squares of numbers, by the package's own map. */
  map?(numbers: number[]): Promise<number[]>
  /** Whether the array that comes back is the next one that is passed. Default: false. */
  passesOn?: boolean
  close(): unknown
}

/** How to use a package. `option` tells its rows apart. */
export interface Package {
  version: string
  start(workers: number, option: string): Pool | Promise<Pool>
}
