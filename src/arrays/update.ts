import { CrossmemError } from '../errors.js'
import { isThenable } from '../util/index.js'

/** The second argument of the callback of `update()`, and of an NDArray's `withLock()`. */
export interface UpdateContext {
  /**
   * Whether a holder died inside: the data may be half-changed, and this update has to repair it.
   */
  ownerDied: boolean
}

/** Refuses an asynchronous callback: an update ends when its callback returns. */
export function refusePromise(result: unknown): void {
  if (!isThenable(result)) return
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    'update() ended before its asynchronous callback; make it synchronous, or use withLock()',
  )
}
