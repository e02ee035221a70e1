import { shared } from '../native/index.js'

/** When handles were made, as the number of those before; for all copies of this package. */
const births = shared('births', () => ({ count: 0, numbers: new WeakMap<object, number>() }))

/** How many handles this environment has made. */
export const handlesMade = (): number => births.count

/** Each class of handles calls it when it makes one. */
export function noteBirth(handle: object): void {
  births.numbers.set(handle, births.count++)
}

/** Whether a handle was made when this environment had made so many already. */
export const isMadeAfter = (handle: object, count: number): boolean =>
  (births.numbers.get(handle) ?? -1) >= count
