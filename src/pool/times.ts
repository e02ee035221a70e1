import { createHistogram } from 'node:perf_hooks'

/** How long things took: milliseconds; 0 where nothing was measured. */
export interface Times {
  /** How many were measured. */
  readonly count: number
  /** The shortest. */
  readonly min: number
  /** The average. */
  readonly mean: number
  /** Half of them took at most so long. */
  readonly p50: number
  /** 99 of 100 took at most so long. */
  readonly p99: number
  /** The longest. */
  readonly max: number
}

const NANOSECONDS = 1e6

/** Collects how long things take, in the same little memory however many there are. */
export class Stopwatch {
  readonly #histogram = createHistogram()
  #sum = 0

  /** What all of them took together: milliseconds. */
  get sum(): number {
    return this.#sum
  }

  record(milliseconds: number): void {
    this.#sum += milliseconds
    this.#histogram.record(Math.max(1, Math.round(milliseconds * NANOSECONDS)))
  }

  times(): Times {
    const { count, min, mean, max } = this.#histogram
    if (count === 0) return { count: 0, min: 0, mean: 0, p50: 0, p99: 0, max: 0 }
    const inMilliseconds = (ns: number): number => ns / NANOSECONDS
    return {
      count,
      min: inMilliseconds(min),
      mean: inMilliseconds(mean),
      p50: inMilliseconds(this.#histogram.percentile(50)),
      p99: inMilliseconds(this.#histogram.percentile(99)),
      max: inMilliseconds(max),
    }
  }
}
