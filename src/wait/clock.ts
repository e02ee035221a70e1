import { performance } from 'node:perf_hooks'
import * as timers from 'node:timers'

// The clock and the timers as they were when this package was loaded. Test runners replace them
// with fakes that stand still; processes that wait for each other go on.

/** Milliseconds of a clock that never goes back. */
export const now: () => number = performance.now.bind(performance)
export const { setTimeout, clearTimeout, setImmediate } = timers
