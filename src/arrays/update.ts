import { CrossmemError } from '../errors.js'

/** What the callback of an `update()`, and of an array's `withLock()`, is told. */
export interface UpdateContext {
  /** A holder died inside: the data may be half-changed, and this update is the one that repairs it. */
  ownerDied: boolean
}

/** An update ends when its callback returns, and a promise is no result yet. */
export function refusePromise(result: unknown): void {
  if (!(result instanceof Promise)) return
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    'update() ended before its asynchronous callback; make it synchronous, or use withLock()',
  )
}
