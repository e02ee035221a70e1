import { CrossmemError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions, isThenable, type OptionNames } from '../util/index.js'
import { offAbort, onAbort } from '../wait/index.js'
import type { Job } from './job.js'
import type { Mapping } from './map.js'
import { type CheckedTask, checkedTask, KEYLESS_OPTIONS, type TaskOptions } from './options.js'
import { type Bar, progressBar } from './progress-bar.js'

/** How many items each worker gets ahead, if `buffer` isn't given. */
const AHEAD_PER_WORKER = 16

/** Options of `imap`. */
export interface ImapOptions extends Omit<TaskOptions, 'key'> {
  /** Whether results come in the order of the items, or as they are there. Default: true. */
  ordered?: boolean
  /**
   * How many items are pulled from the source at most whose results weren't taken yet. Default: 16
   * for each worker.
   */
  buffer?: number
  /** How many items a worker gets at a time. Default: 1. */
  chunkSize?: number
  /** Whether to draw a bar on standard error, if that is a terminal. Default: false. */
  progress?: boolean
}

const IMAP_OPTIONS: OptionNames<ImapOptions> = {
  ...KEYLESS_OPTIONS,
  ordered: true,
  buffer: true,
  chunkSize: true,
  progress: true,
}

/** Items that were pulled together. */
interface Chunk {
  items: unknown[]
  job: Job
  outcome?: { results: unknown[] } | { error: unknown }
}

/**
 * Runs a function for each item of a source, which is pulled only as far as there is room. If that
 * ends early by an error, `pulled` of the error are the items whose results weren't yielded.
 */
export async function* imapItems(
  mapping: Mapping,
  source: unknown,
  given: ImapOptions | undefined,
): AsyncGenerator<unknown, void, void> {
  const options = checkOptions(given, IMAP_OPTIONS)
  const { ordered = true, chunkSize = 1, progress = false } = options
  const buffer = options.buffer ?? Math.max(mapping.runner.workers * AHEAD_PER_WORKER, chunkSize)
  checkBoolean('ordered', ordered)
  checkCount('chunkSize', chunkSize, 1)
  checkCount('buffer', buffer, chunkSize)
  const bar = checkBoolean('progress', progress) ? progressBar(mapping.run) : undefined
  const flow = new Flow(mapping, iteratorOf(source), checkedTask(options), {
    ordered,
    buffer,
    chunkSize,
  })
  try {
    yield* flow.results(bar)
  } finally {
    bar?.stop()
  }
}

/** What is between a source and the results. */
class Flow {
  readonly #mapping: Mapping
  readonly #iterator: Iterator<unknown> | AsyncIterator<unknown>
  readonly #task: CheckedTask
  readonly #how: { ordered: boolean; buffer: number; chunkSize: number }
  /** Items that were pulled and not given to the pool yet. */
  #loose: unknown[] = []
  /** Those that the pool has, in the order of the source; and those that are done, as they were. */
  readonly #chunks = new Set<Chunk>()
  readonly #done = new Set<Chunk>()
  /** How many items were pulled whose results weren't yielded. */
  #pulled = 0
  #isPulling = false
  #isExhausted = false
  #failure: { error: unknown } | undefined
  /** What the source threw, which comes behind the results of what it gave. */
  #sourceFailure: { error: unknown } | undefined
  /** The items that an error tells of. */
  #lost: unknown[] | undefined
  #wake: () => void = () => undefined

  constructor(
    mapping: Mapping,
    iterator: Iterator<unknown> | AsyncIterator<unknown>,
    task: CheckedTask,
    how: { ordered: boolean; buffer: number; chunkSize: number },
  ) {
    this.#mapping = mapping
    this.#iterator = iterator
    this.#task = task
    this.#how = how
  }

  async *results(bar: Bar | undefined): AsyncGenerator<unknown, void, void> {
    const { signal } = this.#task
    const abort = (reason: unknown): void => this.#fail(reason)
    if (signal?.aborted) abort(signal.reason)
    else if (signal) onAbort(signal, abort)
    let yielded = 0
    try {
      for (;;) {
        if (this.#failure) throw this.#failure.error
        this.#pull()
        const chunk = this.#next()
        if (!chunk?.outcome) {
          if (this.#isExhausted && this.#pulled === 0) {
            if (this.#sourceFailure) throw this.#sourceFailure.error
            return
          }
          await new Promise<void>(resolve => (this.#wake = resolve))
          continue
        }
        if ('error' in chunk.outcome) throw chunk.outcome.error
        this.#chunks.delete(chunk)
        this.#done.delete(chunk)
        const left = [...chunk.outcome.results]
        while (left.length > 0) {
          this.#pulled--
          bar?.update(++yielded, yielded + this.#pulled)
          yield left.shift()
        }
      }
    } catch (error) {
      this.#lost = [...[...this.#chunks].flatMap(({ items }) => items), ...this.#loose]
      tell(error, this.#lost)
      throw error
    } finally {
      if (signal) offAbort(signal, abort)
      await this.#end()
    }
  }

  /** Pulls what there is room for. */
  #pull(): void {
    while (!this.#isPulling && !this.#isExhausted && !this.#failure && this.#pulled < this.#how.buffer) {
      try {
        const step = this.#iterator.next()
        if (isThenable(step)) this.#await(step)
        else this.#take(step)
      } catch (error) {
        this.#endWith(error)
      }
    }
  }

  /** The source threw. */
  #endWith(error: unknown): void {
    this.#isExhausted = true
    this.#sourceFailure = { error }
    if (!this.#lost) this.#submit()
    this.#wake()
  }

  #await(step: PromiseLike<IteratorResult<unknown>>): void {
    this.#isPulling = true
    step.then(
      result => {
        this.#isPulling = false
        this.#take(result)
        this.#wake()
      },
      error => {
        this.#isPulling = false
        this.#endWith(error)
      },
    )
  }

  #take({ done, value }: IteratorResult<unknown>): void {
    if (done) this.#isExhausted = true
    else if (this.#lost) this.#lost.push(value)
    else {
      this.#pulled++
      this.#loose.push(value)
    }
    if (this.#lost) return
    const { chunkSize, buffer } = this.#how
    if (done || this.#loose.length === chunkSize || this.#pulled === buffer) this.#submit()
  }

  #submit(): void {
    const items = this.#loose
    if (items.length === 0) return
    this.#loose = []
    const { runner, run } = this.#mapping
    const job = runner.submit({ run, mode: 'map', args: items, options: this.#task })
    const chunk: Chunk = { items, job }
    this.#chunks.add(chunk)
    const settle = (outcome: Chunk['outcome']): void => {
      chunk.outcome = outcome
      this.#done.add(chunk)
      this.#wake()
    }
    job.promise.then(
      results => settle({ results: results as unknown[] }),
      error => settle({ error }),
    )
  }

  #next(): Chunk | undefined {
    const [chunk] = this.#how.ordered ? this.#chunks : this.#done
    return chunk
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake()
  }

  /** Cancels what is under way, and ends the source. */
  async #end(): Promise<void> {
    this.#lost ??= []
    const reason = this.#failure?.error ?? new DOMException('This operation was aborted', 'AbortError')
    for (const { job } of this.#chunks) job.stop(reason)
    await Promise.allSettled([...this.#chunks].map(({ job }) => job.promise))
    if (this.#isExhausted) return
    const ended = this.#iterator.return?.()
    // The source may be inside a pull that never ends.
    if (this.#isPulling) Promise.resolve(ended).catch(() => undefined)
    else await ended
  }
}

function iteratorOf(source: unknown): Iterator<unknown> | AsyncIterator<unknown> {
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = Object(source) as Partial<
    AsyncIterable<unknown> & Iterable<unknown>
  >
  if (typeof later === 'function') return later.call(source as AsyncIterable<unknown>)
  if (typeof now === 'function') return now.call(source as Iterable<unknown>)
  throw new CrossmemError('ERR_INVALID_ARG', 'imap takes an iterable of items, or an async iterable')
}

/** An error that is no object, or frozen, can't tell. */
function tell(error: unknown, pulled: unknown[]): void {
  if (typeof error !== 'object' || error === null) return
  Reflect.defineProperty(error, 'pulled', { value: pulled, configurable: true, writable: true })
}
