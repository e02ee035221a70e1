// At once: its timers must be the runtime's, and not the fakes of a test runner.
import './clock.js'

export { offAbort, onAbort, throwIfAborted } from './aborts.js'
export { clearTimeout, LONGEST_TIMER, now, setImmediate, setInterval, setTimeout } from './clock.js'
export {
  checkBeforeAttempt,
  checkBeforeAttemptSync,
  checkTimeout,
  checkWait,
  SYNC_WAIT_OPTIONS,
  type SyncWaitOptions,
  timedOut,
  WAIT_OPTIONS,
  type WaitOptions,
} from './options.js'
export { begin, end, watch } from './reactor.js'
export { afterTurn, loopIsStarved, loopTurn } from './turns.js'
export { point, WaitQueue } from './wait-queue.js'
export { type Attempt, HELD_HERE, IN_TURN, TRY, type WaitSpec } from './wait-spec.js'
export { waitSync } from './wait-sync.js'
