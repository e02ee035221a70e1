// What a worker of a pool runs.

import { isMainThread, threadId } from 'node:worker_threads'
import type { SharedMemory } from '../memory/index.js'
import { handlesMade, isMadeAfter } from '../objects/index.js'
import type { AnyHandle } from '../open.js'
import { isKept, loadAll, pack, packError, packResult, type Run } from '../process/index.js'
import type { Pipe } from '../queues/index.js'
import { isThenable } from '../util/index.js'
import { Board } from './board.js'
import { checkProgress, runAs } from './current-task.js'
import type { After, Mode, News, Order, Setup, Wire } from './messages.js'
import { fromWire, isLarge, plainWire } from './wire.js'
import { WorkerStatus } from './worker-status.js'

type Call = Extract<Order, ['call', ...unknown[]]>

/**
 * To wake the pool takes longer than a short task. So while short tasks follow each other, the pool
 * is woken once for so many of them, and not later than so many milliseconds after the first. If a
 * long task follows, the pool looks for itself what it was told.
 */
const TOGETHER = { tasks: 16, within: 0.5 }

/** Serves a pool until it says that no task follows, or is gone. */
export async function serve(pipe: Pipe, memory: SharedMemory, setup: Setup): Promise<never> {
  const orders = pipe as Pipe<Order>
  const status = new WorkerStatus(memory)
  const worker = new Server(pipe as Pipe<News>, new Board(memory), status, setup)
  try {
    const functions = await loadAll(setup.target)
    if (setup.initializer) {
      const { run, args } = setup.initializer
      await functions(run)(...fromWire(args).list)
    }
    status.ready(threadId)
    // It ends when the pool is gone.
    worker.run(functions).catch(() => process.exit())
  } catch (error) {
    await pipe.send(['refused', packError(error)])
    return process.exit(1)
  }
  try {
    await pipe.send(['ready'])
    for (;;) {
      let order: Order | undefined = await orders.recv()
      for (; order !== undefined; order = orders.tryRecv()) worker.obey(order)
    }
  } catch {
    // The pool is gone.
    return process.exit()
  }
}

class Server {
  readonly #pipe: Pipe<News>
  readonly #board: Board
  readonly #status: WorkerStatus
  readonly #setup: Setup
  readonly #calls: Call[] = []
  #isEnding = false
  #wake: () => void = () => undefined
  /** The task that runs, and what aborts it. */
  #current: { task: number; abort: (reason: unknown) => void } | undefined
  /** Results that the pool was told without being woken. */
  #untold = { tasks: 0, since: 0 }
  /** Handles in results that the pool hasn't opened yet. */
  readonly #held = new Map<number, () => void>()

  constructor(pipe: Pipe<News>, board: Board, status: WorkerStatus, setup: Setup) {
    this.#pipe = pipe
    this.#board = board
    this.#status = status
    this.#setup = setup
  }

  obey(order: Order): void {
    if (order[0] === 'call') this.#calls.push(order)
    else if (order[0] === 'end') this.#isEnding = true
    else if (order[0] === 'abort') {
      const [, task, reason] = order
      if (this.#current?.task === task) this.#current.abort(fromWire(reason).list[0])
    } else {
      this.#held.get(order[1])?.()
      this.#held.delete(order[1])
    }
    this.#wake()
  }

  /** Runs tasks one by one. */
  async run(functions: (run: string) => Run): Promise<never> {
    for (;;) {
      const call = this.#calls.shift()
      if (!call) {
        if (this.#isEnding && this.#held.size === 0) return process.exit()
        this.#rouse()
        await new Promise<void>(resolve => (this.#wake = resolve))
        continue
      }
      const [, task, id, run] = call
      this.#status.begins(task, id, run)
      if (!this.#board.begin(task)) continue
      await this.#serve(call, functions)
      // The pool kills this process now, in place of the task.
      if (!this.#board.finish(task)) await new Promise(() => undefined)
    }
  }

  async #serve([, task, id, run, mode, args, sender]: Call, functions: (run: string) => Run): Promise<void> {
    const begun = performance.now()
    let keeps = false
    let controller: AbortController | undefined
    this.#current = {
      task,
      abort: reason => {
        controller ??= new AbortController()
        controller.abort(reason)
      },
    }
    const pipe = this.#pipe
    const context = {
      id,
      get signal() {
        controller ??= new AbortController()
        return controller.signal
      },
      progress: (done: number, total?: number, note?: unknown) => {
        checkProgress(done, total)
        const wire = plainWire([note]) ?? pack([note], { share: false }).bytes
        pipe.send(['progress', task, done, total ?? null, wire]).catch(() => undefined)
      },
      keep: () => {
        keeps = true
      },
    }
    const after = (): After => [performance.now() - begun, keeps, this.#setup.tellsMemory ? usedMemory() : 0]
    let handles: AnyHandle[] = []
    let news: News
    try {
      const arrived = fromWire(args, sender)
      handles = arrived.handles
      const before = handlesMade()
      const results = runAs(context, () => callAll(functions(run), mode, arrived.list))
      const list = Array.isArray(results) ? results : await results
      const { wire, handles: sent, release } = toWire(mode, list, this.#setup.shares)
      if (release) {
        // Of handles in the result, those that the function made: others have another owner.
        const open = [...handles, ...sent.filter(handle => isMadeAfter(handle, before))]
        handles = []
        this.#held.set(task, () => {
          close(open)
          release()
        })
      }
      news = ['returned', task, wire, after(), release !== undefined]
    } catch (error) {
      news = ['failed', task, packError(error), after()]
    }
    this.#current = undefined
    close(handles)
    await this.#tell(news, begun)
  }

  /** The pool has taken back what was behind the tasks that it was told of. */
  #rouse(): void {
    if (this.#untold.tasks === 0) return
    this.#untold.tasks = 0
    this.#pipe.rouse()
  }

  #tell(news: News, begun: number): Promise<unknown> | undefined {
    const untold = this.#untold
    if (untold.tasks === 0) untold.since = begun
    const isLate = performance.now() - untold.since > TOGETHER.within
    if (this.#calls.length > 0 && !isLate && ++untold.tasks < TOGETHER.tasks) {
      return this.#pipe.sendQuietly(news)
    }
    untold.tasks = 0
    return this.#pipe.send(news)
  }
}

/** The results of a call, as a list; of one without promises, at once. */
function callAll(run: Run, mode: Mode, list: unknown[]): unknown[] | Promise<unknown[]> {
  if (mode === 'call') {
    const result = run(...list)
    return isThenable(result) ? Promise.resolve(result).then(value => [value]) : [result]
  }
  return callEach(run, mode, list)
}

/** Not an async function: a loop takes longer in one. */
function callEach(run: Run, mode: Mode, list: unknown[]): unknown[] | Promise<unknown[]> {
  const results: unknown[] = []
  for (const item of list) {
    const result = mode === 'map' ? run(item) : run(...(item as unknown[]))
    if (isThenable(result)) return callRest(run, mode, list, results, result)
    results.push(result)
  }
  return results
}

/** Waits for the first promise, and calls the function with the items behind that one. */
async function callRest(
  run: Run,
  mode: Mode,
  list: unknown[],
  results: unknown[],
  first: PromiseLike<unknown>,
): Promise<unknown[]> {
  results.push(await first)
  for (const item of list.slice(results.length)) {
    const result = mode === 'map' ? run(item) : run(...(item as unknown[]))
    results.push(isThenable(result) ? await result : result)
  }
  return results
}

/** Results on their way, and how to give back what this worker keeps for them. */
function toWire(
  mode: Mode,
  results: unknown[],
  shares: boolean,
): { wire: Wire; handles: AnyHandle[]; release?: () => void } {
  const plain = plainWire(results)
  const isApart = shares && isLarge(plain)
  if (plain && !isApart) return { wire: plain, handles: [] }
  const value = isApart ? plain : mode === 'call' ? results[0] : results
  const { bytes, references, handles, release } = packResult(value, shares)
  const sent = { wire: bytes, handles: [...handles] as AnyHandle[] }
  return references.length > 0 ? { ...sent, release } : sent
}

function close(handles: AnyHandle[]): void {
  for (const handle of handles) if (!isKept(handle)) handle.close()
}

/** Bytes that this process has, or this thread. */
function usedMemory(): number {
  if (isMainThread) return process.memoryUsage.rss()
  const { heapTotal, external } = process.memoryUsage()
  return heapTotal + external
}
