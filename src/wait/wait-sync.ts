import { now } from './clock.js'
import { checkTimeout, type SyncWaitOptions, timedOut } from './options.js'

/**
 * Longest the addon waits in one call, so that `worker.terminate()` gets through. In milliseconds.
 */
const SLICE = 100

/**
 * Waits on this thread until `attempt(sliceMs)` gives something else than `undefined`.
 *
 * @throws {CrossmemError} ERR_TIMEOUT, ERR_INVALID_ARG
 */
export function waitSync<Result>(
  attempt: (sliceMs: number) => Result | undefined,
  doing: string,
  options?: SyncWaitOptions,
): Result {
  const timeout = checkTimeout(options)
  const deadline = now() + timeout
  let slice = Math.min(SLICE, timeout)
  for (;;) {
    const result = attempt(Math.ceil(slice))
    if (result !== undefined) return result
    slice = Math.min(SLICE, deadline - now())
    if (slice <= 0) throw timedOut(doing, timeout)
  }
}
