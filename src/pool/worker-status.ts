import type { SharedMemory } from '../memory/index.js'
import { BOARD_BYTES, Board } from './board.js'

/** What a worker does now, as far as its memory tells. */
export interface Doing {
  /** `undefined`: no process was started yet. */
  pid: number | undefined
  /** Its worker thread; 0 if it is a process of its own. */
  thread: number
  /** Whether it has loaded the module. */
  isReady: boolean
  /** What it runs: the task's number in the pool, the function, and the time when it began. */
  task: { id: number; run: string; since: Date } | undefined
}

// Words behind those of the board, then the name of the function in UTF-8.
const [READY, PID, THREAD, TASK, ID, SINCE_LOW, SINCE_HIGH, RUN_BYTES, WORDS] = [0, 1, 2, 3, 4, 5, 6, 7, 8]
const RUN_OFFSET = BOARD_BYTES + WORDS * Int32Array.BYTES_PER_ELEMENT
const LONGEST_RUN = 64
const HALF = 2 ** 32

/** How often a reader tries to see one task whole, among short ones. */
const TRIES = 100

/** How long the memory of a worker is: its board, and its status. */
export const WORKER_BYTES = RUN_OFFSET + LONGEST_RUN

/**
 * What a worker tells onlookers about itself. Nobody waits for these words, and nothing depends on
 * them: the board says which tasks the worker has begun.
 *
 * The pool writes the process, the worker all else. It writes what it will run and then begins the
 * task on the board. So what was read of a task counts if the board says before and afterwards
 * that the worker is in it. If the worker dies, the pool removes the memory.
 */
export class WorkerStatus {
  readonly #board: Board
  readonly #words: Int32Array
  readonly #run: Uint8Array
  #lastRun: string | undefined

  constructor(memory: SharedMemory) {
    const { buffer } = memory
    this.#board = new Board(memory)
    this.#words = new Int32Array(buffer, BOARD_BYTES, WORDS)
    this.#run = new Uint8Array(buffer, RUN_OFFSET, LONGEST_RUN)
  }

  /** The system has started the worker. */
  started(pid: number | undefined): void {
    this.#set(PID, pid ?? 0)
  }

  /** The worker takes tasks. */
  ready(thread: number): void {
    this.#set(THREAD, thread)
    this.#set(READY, 1)
  }

  /** The worker is about to begin a task: its number on the board, and in the pool. */
  begins(task: number, id: number, run: string): void {
    const now = Date.now()
    this.#set(TASK, task)
    this.#set(ID, id)
    this.#set(SINCE_LOW, now)
    this.#set(SINCE_HIGH, now / HALF)
    if (run === this.#lastRun) return
    this.#lastRun = run
    this.#set(RUN_BYTES, new TextEncoder().encodeInto(run, this.#run).written)
  }

  read(): Doing {
    const pid = this.#get(PID)
    return {
      pid: pid === 0 ? undefined : pid,
      thread: this.#get(THREAD),
      isReady: this.#get(READY) === 1,
      task: this.#task(),
    }
  }

  #task(): Doing['task'] {
    for (let tries = 0; tries < TRIES; tries++) {
      const task = this.#get(TASK)
      if (!this.#board.isRunning(task)) return undefined
      const [id, low, high] = [ID, SINCE_LOW, SINCE_HIGH].map(at => this.#get(at) >>> 0) as [
        number,
        number,
        number,
      ]
      const run = new TextDecoder().decode(this.#run.slice(0, this.#get(RUN_BYTES)))
      if (this.#get(TASK) === task && this.#board.isRunning(task))
        return { id, run, since: new Date(high * HALF + low) }
    }
    return undefined
  }

  #get(at: number): number {
    return Atomics.load(this.#words, at)
  }

  #set(at: number, value: number): void {
    Atomics.store(this.#words, at, value)
  }
}
