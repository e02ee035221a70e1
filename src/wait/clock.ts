import { performance } from 'node:perf_hooks'
import * as timers from 'node:timers'

// The clock and the timers as they were when this package was loaded. Test runners replace them
// with fakes that stand still; processes that wait for each other go on.

/** Milliseconds of a clock that never goes back. */
export const now: () => number = performance.now.bind(performance)
export const { clearTimeout, setInterval, setImmediate } = timers

/** A timer of more milliseconds would end at once. */
export const LONGEST_TIMER = 2 ** 31 - 1

const { setTimeout: startTimer } = timers

/** As that of Node, but a longer time than timers take is cut to the longest. */
export const setTimeout = (act: () => void, milliseconds: number): NodeJS.Timeout =>
  startTimer(act, Math.min(milliseconds, LONGEST_TIMER))
