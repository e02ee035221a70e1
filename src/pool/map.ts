import { AsyncResource } from 'node:async_hooks'
import { CrossmemError } from '../errors.js'
import { checkBoolean, checkCount, checkFunction, checkOptions, type OptionNames } from '../util/index.js'
import type { Job, Runner } from './job.js'
import type { Mode } from './messages.js'
import { type CheckedTask, checkedTask, KEYLESS_OPTIONS, type TaskOptions } from './options.js'
import { progressBar } from './progress-bar.js'

/** How many chunks each worker gets, if the size of chunks isn't given. */
const CHUNKS_PER_WORKER = 4

/** Options of `map` and `starMap`. A time-out counts for all items together. */
export interface MapOptions extends Omit<TaskOptions, 'key'> {
  /**
   * How many items a worker gets at a time. Default: as many that each worker gets four times.
   */
  chunkSize?: number
  /** Is called when a chunk is done: how many items are done, and how many there are. */
  onProgress?: (done: number, total: number) => void
  /** Whether to draw a bar on standard error, if that is a terminal. Default: false. */
  progress?: boolean
}

/** What `map` and `imap` run. */
export interface Mapping {
  runner: Runner
  run: string
}

const MAP_OPTIONS: OptionNames<MapOptions> = {
  ...KEYLESS_OPTIONS,
  chunkSize: true,
  onProgress: true,
  progress: true,
}

/** Runs a function for each item, in chunks, and returns the results in the order of the items. */
export async function mapChunks(
  { runner, run }: Mapping,
  mode: Exclude<Mode, 'call'>,
  source: unknown,
  given: MapOptions | undefined,
): Promise<unknown[]> {
  const options = checkOptions(given, MAP_OPTIONS)
  const items = listOf(source)
  const {
    onProgress,
    progress = false,
    chunkSize = Math.ceil(items.length / (runner.workers * CHUNKS_PER_WORKER)) || 1,
  } = options
  checkCount('chunkSize', chunkSize, 1)
  if (onProgress !== undefined) checkFunction('onProgress', onProgress)
  checkBoolean('progress', progress)
  const tell = onProgress && AsyncResource.bind(onProgress)
  const checked: CheckedTask = checkedTask(options)
  if (checked.signal?.aborted) throw checked.signal.reason
  if (mode === 'starMap') checkLists(items)
  const bar = progress ? progressBar(run) : undefined
  bar?.update(0, items.length)
  const results = new Array<unknown>(items.length)
  const jobs: Job[] = []
  let done = 0
  const parts: Promise<void>[] = []
  for (let start = 0; start < items.length; start += chunkSize) {
    const args = items.slice(start, start + chunkSize)
    const job = runner.submit({ run, mode, args, options: checked })
    jobs.push(job)
    parts.push(
      (job.promise as Promise<unknown[]>).then(part => {
        for (let i = 0; i < part.length; i++) results[start + i] = part[i]
        done += part.length
        tell?.(done, items.length)
        bar?.update(done, items.length)
      }),
    )
  }
  try {
    await Promise.all(parts)
  } catch (error) {
    for (const job of jobs) job.stop(error)
    await Promise.allSettled(parts)
    throw error
  } finally {
    bar?.stop()
  }
  return results
}

function listOf(source: unknown): unknown[] {
  if (Array.isArray(source)) return source
  if (typeof (source as Iterable<unknown> | null)?.[Symbol.iterator] === 'function') {
    return Array.from(source as Iterable<unknown>)
  }
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    'map takes an iterable of items; for an async iterable take imap',
  )
}

function checkLists(items: readonly unknown[]): void {
  if (items.every(item => Array.isArray(item))) return
  throw new CrossmemError('ERR_INVALID_ARG', 'each item of starMap is an array of arguments')
}
