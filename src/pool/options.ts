import type { ResourceLimits } from 'node:worker_threads'
import { CrossmemError } from '../errors.js'
import { type AnyFunction, checkModule, cpuCount, noClosures, type ProcessOptions } from '../process/index.js'
import {
  checkBoolean,
  checkCount,
  checkOptions,
  isAbortSignal,
  type OptionNames,
  show,
} from '../util/index.js'
import { checkTimeout } from '../wait/index.js'

/** The arguments of an export. */
export type ArgsOf<Module, Name extends keyof Module> = Module[Name] extends (...args: infer Args) => unknown
  ? Readonly<Args>
  : never

/** What `map` and `imap` give an export: its first argument. */
export type ItemOf<Module, Name extends keyof Module> = Module[Name] extends (
  item: infer Item,
  ...rest: never[]
) => unknown
  ? Item
  : never

/** The arguments of `apply`: those of the function may be left out if it needs none. */
export type ApplyArgs<Args> = Args extends readonly unknown[]
  ? [] extends Args
    ? [args?: Args, options?: TaskOptions]
    : [args: Args, options?: TaskOptions]
  : never

/** A module whose type isn't known. */
export type AnyModule = Record<string, AnyFunction>

/** How a pool is made. */
export interface PoolOptions extends Pick<ProcessOptions, 'cwd' | 'env' | 'execArgv'> {
  /**
   * Whether the workers are processes or threads of this process. Threads start sooner and share
   * this process's memory limits, working directory and death: a crash of one ends all. `cwd` and
   * `stopped` are for processes. Default: 'process'.
   */
  kind?: 'process' | 'thread'
  /** The limits of each thread, as those of `Worker` of `node:worker_threads`. Default: Node's. */
  resourceLimits?: ResourceLimits
  /** How many workers there are at most. Default: `cpuCount()`. */
  workers?: number
  /**
   * How many workers there are at least; the others are started when tasks wait. Default: all.
   */
  minWorkers?: number
  /** After how many idle milliseconds a worker above `minWorkers` ends. Default: 10000. */
  idleTimeout?: number
  /** After how many tasks a worker is replaced. Default: none. */
  maxTasksPerWorker?: number
  /**
   * Above how many bytes of memory a worker is replaced after a task: a process's resident set, or
   * a thread's heap and what belongs to it. Default: none.
   */
  maxRss?: number
  /** How often a task is run again if its worker died. Default: 0. */
  retries?: number
  /**
   * An export that each worker calls first, and its arguments. Default: none.
   */
  initializer?: string | readonly [run: string, ...args: unknown[]]
  /**
   * How many milliseconds a task has, once it was aborted, before its worker is killed. Default:
   * 1000.
   */
  grace?: number
  /**
   * How many tasks wait in the pool at most. The arguments of those above are encoded when there is
   * room for them. Default: no limit.
   */
  maxQueue?: number
  /**
   * What becomes of a worker that is stopped (SIGSTOP) inside a task, where the system tells
   * (Linux): the pool waits until it continues, or kills it. Default: 'wait'.
   */
  stopped?: 'wait' | 'kill'
  /**
   * Whether large typed arrays in arguments and results travel in shared memory, as those of a
   * {@link Process} do. Arguments of tasks with `retries` are copied. Default: true.
   */
  share?: boolean
}

const POOL_OPTIONS: OptionNames<PoolOptions> = {
  kind: true,
  resourceLimits: true,
  workers: true,
  minWorkers: true,
  idleTimeout: true,
  maxTasksPerWorker: true,
  maxRss: true,
  retries: true,
  initializer: true,
  grace: true,
  maxQueue: true,
  stopped: true,
  share: true,
  cwd: true,
  env: true,
  execArgv: true,
}

/** Options of one task. */
export interface TaskOptions {
  /** Aborting it ends the task: it rejects with the signal's reason. */
  signal?: AbortSignal
  /**
   * After how many milliseconds, counted from the call, the task ends with ERR_TIMEOUT. Default:
   * none.
   */
  timeout?: number
  /**
   * A task goes before those of lower priority; for each step it overtakes at most a thousand
   * earlier tasks. Default: 0.
   */
  priority?: number
  /** Tasks with the same key run in the same worker, while that lives. Default: any worker. */
  key?: string | number
  /** How often the task is run again if its worker died. Default: that of the pool. */
  retries?: number
}

const TASK_OPTIONS: OptionNames<TaskOptions> = {
  signal: true,
  timeout: true,
  priority: true,
  key: true,
  retries: true,
}

/** The names of the options of tasks that have no key. */
export const KEYLESS_OPTIONS: OptionNames<Omit<TaskOptions, 'key'>> = {
  signal: true,
  timeout: true,
  priority: true,
  retries: true,
}

/** Options of a pool, checked, with their defaults. */
export interface CheckedPool {
  module: string
  workers: number
  minWorkers: number
  idleTimeout: number
  maxTasksPerWorker: number
  maxRss: number
  retries: number
  initializer: readonly [run: string, ...args: unknown[]] | undefined
  grace: number
  maxQueue: number
  stopped: 'wait' | 'kill'
  share: boolean
  kind: 'process' | 'thread'
  host: Pick<PoolOptions, 'cwd' | 'env' | 'execArgv' | 'resourceLimits'>
}

/** Options of a task, checked, with their defaults. */
export interface CheckedTask {
  signal: AbortSignal | undefined
  timeout: number
  priority: number
  key: string | undefined
  /** `undefined`: as often as the pool says. */
  retries: number | undefined
}

const { POSITIVE_INFINITY } = Number

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkPool(target: unknown, given: PoolOptions | undefined): CheckedPool {
  const options = checkOptions(given, POOL_OPTIONS)
  const workers = checkCount('workers', options.workers ?? cpuCount(), 1, 1000)
  const { stopped = 'wait', cwd, env, execArgv, idleTimeout = 10_000, grace = 1000 } = options
  const { resourceLimits } = options
  const kind = checkKind(options)
  if (stopped !== 'wait' && stopped !== 'kill')
    throw refused(`stopped is 'wait' or 'kill', not ${show(stopped)}`)
  return {
    module: checkModule(target),
    workers,
    minWorkers: checkCount('minWorkers', options.minWorkers ?? workers, 0, workers),
    idleTimeout: checkTime('idleTimeout', idleTimeout),
    maxTasksPerWorker: checkLimit('maxTasksPerWorker', options.maxTasksPerWorker),
    maxRss: checkLimit('maxRss', options.maxRss),
    retries: checkCount('retries', options.retries ?? 0, 0),
    initializer: checkInitializer(options.initializer),
    grace: checkTime('grace', grace),
    maxQueue: checkLimit('maxQueue', options.maxQueue),
    stopped,
    share: checkBoolean('share', options.share ?? true),
    kind,
    host: { cwd, env, execArgv, resourceLimits },
  }
}

function checkKind({ kind = 'process', cwd, resourceLimits }: PoolOptions): CheckedPool['kind'] {
  if (kind !== 'process' && kind !== 'thread')
    throw refused(`kind is 'process' or 'thread', not ${show(kind)}`)
  if (kind === 'thread' && cwd !== undefined) {
    throw refused('cwd is for processes: threads have the working directory of their process')
  }
  if (kind === 'process' && resourceLimits !== undefined) {
    throw refused("resourceLimits is for threads: give a process execArgv: ['--max-old-space-size=…']")
  }
  return kind
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export const checkTask = (options: TaskOptions | undefined): CheckedTask =>
  checkedTask(checkOptions(options, TASK_OPTIONS))

/** The values of the options of a task. The caller has checked the names. */
export function checkedTask(options: TaskOptions): CheckedTask {
  const { signal, key, priority = 0, retries } = options
  if (signal !== undefined && !isAbortSignal(signal)) throw refused('signal is an AbortSignal')
  if (typeof priority !== 'number' || !Number.isFinite(priority)) {
    throw refused(`priority is a finite number, not ${show(priority)}`)
  }
  if (key !== undefined && typeof key !== 'string' && typeof key !== 'number') {
    throw refused(`key is a string or a number, not ${show(key)}`)
  }
  return {
    signal,
    timeout: checkTimeout({ timeout: options.timeout }),
    priority,
    key: key === undefined ? undefined : String(key),
    retries: retries === undefined ? undefined : checkCount('retries', retries, 0),
  }
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkRun(run: unknown): string {
  if (typeof run === 'string') return run
  throw refused(
    typeof run === 'function'
      ? noClosures('the first argument')
      : `the first argument is the name of an export, not ${show(run)}`,
  )
}

/** @throws {CrossmemError} ERR_INVALID_ARG */
export function checkList(what: string, list: unknown): readonly unknown[] {
  if (Array.isArray(list)) return list
  throw refused(`${what} is an array, not ${show(list)}`)
}

function checkInitializer(initializer: unknown): CheckedPool['initializer'] {
  if (initializer === undefined) return undefined
  const list = typeof initializer === 'string' ? [initializer] : initializer
  if (Array.isArray(list) && typeof list[0] === 'string') return list as [string]
  throw refused(
    `initializer is the name of an export, or an array of that and its arguments, not ${show(initializer)}`,
  )
}

/** A number from 1 up; without one there is no limit. */
function checkLimit(what: string, limit: number = POSITIVE_INFINITY): number {
  if (typeof limit === 'number' && limit >= 1) return limit
  throw refused(`${what} is a number from 1 up, not ${show(limit)}`)
}

function checkTime(what: string, ms: unknown): number {
  if (typeof ms === 'number' && ms >= 0) return ms
  throw refused(`${what} is a number of milliseconds from 0 up, not ${show(ms)}`)
}

const refused = (message: string): CrossmemError => new CrossmemError('ERR_INVALID_ARG', message)
