import { CrossmemError } from '../errors.js'
import { show } from './show.js'

/**
 * Checks that `length` elements from `offset` on are among `size`.
 *
 * @param what the elements, in the plural
 */
export function checkSpan(offset: unknown, length: number, size: number, what: string): void {
  if (!Number.isSafeInteger(offset)) {
    throw new CrossmemError('ERR_INVALID_ARG', `offset is a whole number of ${what}, not ${show(offset)}`)
  }
  if ((offset as number) >= 0 && (offset as number) + length <= size) return
  throw new CrossmemError(
    'ERR_OUT_OF_RANGE',
    `${length} ${what} from ${offset} on are out of range: there are ${size}`,
  )
}
