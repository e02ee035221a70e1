import { CrossmemError } from './errors.js'

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds; 0 tries once. Default: without limit. */
  timeout?: number
}

/** Longest the addon waits in one call, so that `worker.terminate()` gets through. In milliseconds. */
const SLICE = 100

/**
 * Waits on this thread until `attempt(slice)` gives something truthy.
 *
 * @throws {CrossmemError} ERR_TIMEOUT, ERR_INVALID_ARG
 */
export function waitSync<Result>(
  attempt: (sliceMs: number) => Result,
  doing: string,
  { timeout = Number.POSITIVE_INFINITY }: WaitOptions = {},
): Result {
  if (typeof timeout !== 'number' || Number.isNaN(timeout) || timeout < 0) {
    throw new CrossmemError(
      'ERR_INVALID_ARG',
      `timeout is a number of milliseconds from 0 up, not ${String(timeout)}`,
    )
  }
  const deadline = performance.now() + timeout
  let slice = Math.min(SLICE, timeout)
  for (;;) {
    const result = attempt(Math.ceil(slice))
    if (result) return result
    slice = Math.min(SLICE, deadline - performance.now())
    if (slice <= 0) {
      throw new CrossmemError('ERR_TIMEOUT', `${doing}: another process was still inside after ${timeout} ms`)
    }
  }
}
