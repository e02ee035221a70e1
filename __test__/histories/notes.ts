import type { Operation } from './queue-model.js'
import type { SmallQueue } from './small-queue.js'

/** Processes that make a history together, and calls of each. */
export const PROCESSES = 4
export const CALLS = 6
/**
 * The process that comes after them and takes what is left: as many messages as there can be, and
 * one refusal.
 */
export const LAST = PROCESSES
const PER_PAGE = PROCESSES * CALLS + 1

// Words of the memory; then comes a page for each process.
const TIME = 0
const ARRIVALS = 1
const PAGES = 2

// Words of a call on its page.
const INVOKED = 0
const RETURNED = 1
const PUSHED = 2
const ANSWER = 3
const WORDS = 4

const REFUSED = -(2 ** 31)

/**
 * Shared memory where each process notes its calls, so that those of the killed ones are known,
 * too.
 */
export class Notes {
  static readonly LENGTH = PAGES + (PROCESSES + 1) * PER_PAGE * WORDS
  readonly #words: Int32Array

  constructor(words: Int32Array) {
    this.#words = words
  }

  clear(): void {
    this.#words.fill(0)
  }

  /** How many were there before. */
  arrive(): number {
    return Atomics.add(this.#words, ARRIVALS, 1)
  }

  get arrivals(): number {
    return Atomics.load(this.#words, ARRIVALS)
  }

  /** Notes a call; `message` is 0 for a pop. */
  note(process: number, number: number, message: number, call: () => number | undefined): number | undefined {
    const words = this.#call(process, number)
    words[PUSHED] = message
    words[INVOKED] = this.#tick()
    const answer = call()
    words[ANSWER] = answer ?? REFUSED
    words[RETURNED] = this.#tick()
    return answer
  }

  /** Whether all have come, so that none waits for a killed one. */
  get hasBegun(): boolean {
    return this.arrivals >= PROCESSES
  }

  isInside(process: number): boolean {
    return this.#callsOf(process).some(([invoked, returned]) => invoked !== 0 && returned === 0)
  }

  history(): Operation[] {
    return [...'ABCDE'].flatMap((process, i) =>
      this.#callsOf(i)
        .filter(([invoked]) => invoked !== 0)
        .map(call => ({ process, ...operation(call) })),
    )
  }

  /** Beginnings and ends have one order in all processes. */
  #tick(): number {
    return Atomics.add(this.#words, TIME, 1) + 1
  }

  #callsOf(process: number): Int32Array[] {
    return Array.from({ length: PER_PAGE }, (_, number) => this.#call(process, number))
  }

  #call(process: number, number: number): Int32Array {
    const at = PAGES + (process * PER_PAGE + number) * WORDS
    return this.#words.subarray(at, at + WORDS)
  }
}

function operation([invoked = 0, returned = 0, pushed = 0, answer]: Int32Array): Omit<Operation, 'process'> {
  const what = pushed ? 'push' : 'pop'
  if (returned === 0) return { what, message: pushed || undefined, invoked, returned: Infinity }
  if (answer === REFUSED) return { what: pushed ? 'full' : 'empty', invoked, returned }
  return { what, message: answer, invoked, returned }
}

/** A queue whose calls are noted as those of one process. */
export class NotedQueue {
  readonly #queue: SmallQueue
  readonly #notes: Notes
  readonly #process: number
  #calls = 0

  constructor(queue: SmallQueue, notes: Notes, process: number) {
    this.#queue = queue
    this.#notes = notes
    this.#process = process
  }

  push(message: number): void {
    const push = () => (this.#queue.tryPush(message) ? message : undefined)
    this.#notes.note(this.#process, this.#calls++, message, push)
  }

  pop(): number | undefined {
    return this.#notes.note(this.#process, this.#calls++, 0, () => this.#queue.tryPop())
  }

  /** Takes what is left, but no more than there can be. */
  drain(): void {
    while (this.pop() !== undefined && this.#calls < PER_PAGE);
  }
}
