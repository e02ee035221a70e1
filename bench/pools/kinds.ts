import { NEVER } from './terms.js'

/** A pool that is measured. */
export interface PoolKind {
  /** VERSION stands for the version that the program reports. */
  name: string
  does: string
  /** The package and the option that bench/pools/program.ts takes, or pools.py. */
  program: [name: string, option: string]
  language: 'Node' | 'Python'
  workers: 'processes' | 'threads'
  /** What it is measured at. Default: everything. */
  only?: Order
}

/** What the programs are asked to do. */
export type Order = 'nothing' | 'map' | 'pass' | 'ready' | 'death'

export const CROSSMEM = 'crossmem: Pool'
export const SHARED = 'crossmem: Pool, SharedArray'
export const FORKS = 'bare forks'

const processes = { language: 'Node', workers: 'processes' } as const
const threads = { language: 'Node', workers: 'threads' } as const
const python = { language: 'Python', workers: 'processes' } as const

const ADVANCED = "serialization: 'advanced'"

export const POOL_KINDS: PoolKind[] = [
  {
    name: CROSSMEM,
    does: 'apply() and map() of a Pool of processes, with its defaults',
    program: ['crossmem', 'process'],
    ...processes,
  },
  {
    name: SHARED,
    does: 'apply() with a SharedArray, whose elements are not copied at all',
    program: ['crossmem', 'shared'],
    ...processes,
    only: 'pass',
  },
  {
    name: 'crossmem: Pool, threads',
    does: "the same with kind: 'thread'",
    program: ['crossmem', 'thread'],
    ...threads,
  },
  {
    name: FORKS,
    does: 'child_process.fork() as often as there are workers, process.send() of a task to each',
    program: ['forks', ''],
    ...processes,
    only: 'ready',
  },
  {
    name: 'tinypool VERSION, processes',
    does: `run() with runtime: 'child_process', ${ADVANCED}`,
    program: ['tinypool', 'child_process'],
    ...processes,
  },
  {
    name: 'workerpool VERSION, processes',
    does: `exec() with workerType: 'process', ${ADVANCED}`,
    program: ['workerpool', 'process'],
    ...processes,
  },
  {
    name: 'poolifier VERSION, cluster',
    does: `execute() of a FixedClusterPool, ${ADVANCED}`,
    program: ['poolifier', 'cluster'],
    ...processes,
  },
  {
    name: 'jest-worker VERSION, processes',
    does: 'a method of a Worker',
    program: ['jest-worker', 'processes'],
    ...processes,
  },
  {
    name: 'multiprocess-pool VERSION',
    does: 'apply() of a Pool; values travel as JSON',
    program: ['multiprocess-pool', ''],
    ...processes,
  },
  {
    name: 'VERSION: multiprocessing.Pool',
    does: 'apply_async() and map(); arrays are those of NumPy',
    program: ['multiprocessing', ''],
    ...python,
  },
  {
    name: 'VERSION: ProcessPoolExecutor',
    does: 'submit() and map() of concurrent.futures; arrays are those of NumPy',
    program: ['concurrent.futures', ''],
    ...python,
  },
  {
    name: 'piscina VERSION, threads',
    does: 'run()',
    program: ['piscina', 'copy'],
    ...threads,
  },
  {
    name: 'piscina VERSION, threads, move',
    does: 'run() with the array in the transfer list, and move() of the result',
    program: ['piscina', 'move'],
    ...threads,
    only: 'pass',
  },
  {
    name: 'tinypool VERSION, threads',
    does: "run() with runtime: 'worker_threads'",
    program: ['tinypool', 'worker_threads'],
    ...threads,
  },
  {
    name: 'workerpool VERSION, threads',
    does: "exec() with workerType: 'thread'",
    program: ['workerpool', 'thread'],
    ...threads,
  },
  {
    name: 'poolifier VERSION, threads',
    does: 'execute() of a FixedThreadPool',
    program: ['poolifier', 'thread'],
    ...threads,
  },
  {
    name: 'jest-worker VERSION, threads',
    does: 'a method of a Worker with enableWorkerThreads',
    program: ['jest-worker', 'threads'],
    ...threads,
  },
]

export const NEVER_NS = NEVER * 1e6
