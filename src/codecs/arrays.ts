import { inspect } from 'node:util'

/** Up to this length, listing an array's keys is faster than having it shown. */
const FEW = 100

/** Whether an array is its items: it has neither holes nor named properties. */
export function isList(array: readonly unknown[]): boolean {
  const { length } = array
  for (let i = 0; i < length; i++) if (array[i] === undefined && !(i in array)) return false
  if (length > FEW && showsItemsOnly(array)) return true
  return Object.keys(array).length === length
}

/**
 * Whether `inspect` shows no named properties, which it finds without a list of all indices. A
 * runtime that shows arrays in another way gets `false`.
 */
const showsItemsOnly = (array: readonly unknown[]): boolean =>
  inspect(array, { customInspect: false, depth: 0, maxArrayLength: 0 }) ===
  `[ ... ${array.length} more items ]`
