import type { Job } from './job.js'
import { WaitingLine } from './waiting.js'

/** Tasks above `maxQueue`: they wait to be accepted. */
export class Lobby {
  readonly #most: number
  readonly #line = new WaitingLine<Job>()
  /** Whether the pool was full since it was last told to be drained. */
  #wasFull = false

  constructor(most: number) {
    this.#most = most
  }

  /** Keeps a task out if that many wait already. Returns whether it does. */
  keepsOut(job: Job, waiting: number): boolean {
    const isFull = this.isFull(waiting)
    if (isFull) this.#line.add(job)
    if (waiting + 1 >= this.#most) this.#wasFull = true
    return isFull
  }

  /** Whether callers had better wait. */
  isFull(waiting: number): boolean {
    return waiting >= this.#most || this.#line.length > 0
  }

  /** The tasks for which there is room now. */
  *letIn(waiting: () => number): Generator<Job> {
    while (waiting() < this.#most) {
      const job = this.#line.takeFirst()
      if (!job) return
      yield job
    }
  }

  /** Whether callers that waited may go on; says so once. */
  isDrained(waiting: number): boolean {
    if (!this.#wasFull || this.#line.length > 0 || waiting > this.#most / 2) return false
    this.#wasFull = false
    return true
  }

  remove(job: Job): void {
    this.#line.remove(job)
  }
}
