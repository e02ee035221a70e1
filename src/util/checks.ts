import { CrossmemError } from '../errors.js'

/** A whole number between two, checked. */
export function checkCount(what: string, count: unknown, least: number, most = 2 ** 31 - 1): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= least && count <= most) return count
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `${what} is a whole number from ${least} to ${most}, not ${String(count)}`,
  )
}
