export { offAbort, onAbort } from './aborts.js'
export {
  checkBeforeLook,
  checkTimeout,
  checkWait,
  type SyncWaitOptions,
  timedOut,
  type WaitOptions,
} from './options.js'
export { begin, end, watch } from './reactor.js'
export { point, WaitQueue } from './wait-queue.js'
export { waitSync } from './wait-sync.js'
export { type Attempt, MINE, POLITELY, TRY, type Wanted } from './wanted.js'
