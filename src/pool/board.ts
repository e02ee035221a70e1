import type { SharedMemory } from '../memory/index.js'

/** How many tasks a worker can have at a time, the one that it runs and those behind it. */
export const PLACES = 64

/** How long its words are. */
export const BOARD_BYTES = PLACES * Int32Array.BYTES_PER_ELEMENT

// A task's state lies in the lowest bits of its word, its number above. A worker's tasks are
// numbered in order; a place is used again for a task 64 numbers later.
const FREE = 0
const POSTED = 1
const RUNNING = 2
const CONDEMNED = 3
const BITS = 2

/**
 * What a pool and one of its workers agree on about the tasks that the worker has: a word for each,
 * which both change by compare-and-swap only.
 *
 * | from | to | by | means |
 * | --- | --- | --- | --- |
 * | any | posted | pool | the worker may begin the task |
 * | posted | running | worker | it begins the task |
 * | posted | free | pool | the pool has the task back, and the worker will pass over it |
 * | running | free | worker | the task's result is in the pipe; the worker may begin the next task |
 * | running | condemned | pool | the worker begins no task any more, and will be killed |
 *
 * So the pool kills a worker only inside the task that is to end. If the worker dies, the words
 * tell what it had:
 *
 * | dead after the store | its task |
 * | --- | --- |
 * | posted | was not begun: another worker gets it |
 * | running, without a result in the pipe | died with it |
 * | running, with a result in the pipe | is done |
 * | free | is done, or the pool has it |
 * | condemned | as running |
 *
 * If the pool dies, its workers die, too, and the board goes with the last of them.
 */
export class Board {
  readonly #words: Int32Array

  constructor({ buffer }: SharedMemory) {
    this.#words = new Int32Array(buffer, 0, PLACES)
  }

  /** Gives the worker a task. */
  post(task: number): void {
    Atomics.store(this.#words, task % PLACES, word(task, POSTED))
  }

  /** Begins a task. Returns false if the pool has taken it back. */
  begin(task: number): boolean {
    return this.#change(task, POSTED, RUNNING) === word(task, POSTED)
  }

  /** Ends a task whose result was sent. Returns false if the worker is to be killed. */
  finish(task: number): boolean {
    return this.#change(task, RUNNING, FREE) !== word(task, CONDEMNED)
  }

  /** Takes a task back. Returns false if the worker has begun it. */
  takeBack(task: number): boolean {
    return this.#change(task, POSTED, FREE) === word(task, POSTED)
  }

  /** Keeps the worker from beginning another task. Returns false if it doesn't run this one now. */
  condemn(task: number): boolean {
    return this.#change(task, RUNNING, CONDEMNED) === word(task, RUNNING)
  }

  /** Whether the worker has begun a task and not ended it. */
  isRunning(task: number): boolean {
    const now = Atomics.load(this.#words, task % PLACES)
    return now === word(task, RUNNING) || now === word(task, CONDEMNED)
  }

  #change(task: number, from: number, to: number): number {
    const next = to === FREE ? FREE : word(task, to)
    return Atomics.compareExchange(this.#words, task % PLACES, word(task, from), next)
  }
}

const word = (task: number, state: number): number => (task << BITS) | state
