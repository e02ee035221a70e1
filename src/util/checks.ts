import { CrossmemError } from '../errors.js'
import { show } from './show.js'

/** Checks that `count` is an integer from `least` to `most`, and returns it. */
export function checkCount(what: string, count: unknown, least: number, most = 2 ** 31 - 1): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= least && count <= most) return count
  throw new CrossmemError(
    'ERR_INVALID_ARG',
    `${what} is a whole number from ${least} to ${most}, not ${show(count)}`,
  )
}

/** Checks that `callback` is a function. Its call may come much later. */
export function checkFunction(what: string, callback: unknown): void {
  if (typeof callback === 'function') return
  throw new CrossmemError('ERR_INVALID_ARG', `${what} is a function, not ${show(callback)}`)
}

/** Checks that `value` is a boolean, and returns it. */
export function checkBoolean(what: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new CrossmemError('ERR_INVALID_ARG', `${what} is true or false, not ${show(value)}`)
}
