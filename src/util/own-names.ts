/** Whether an object's own enumerable names are these, in this order. */
export function hasOnly(object: object, names: readonly string[]): boolean {
  let at = 0
  for (const key in object) if (key !== names[at++]) return false
  return at === names.length && areOwn(object, names[at - 1])
}

/**
 * Whether all names are an object's own that a loop over it came to, of which this is the last one:
 * a loop comes to inherited names after all own ones.
 */
export const areOwn = (object: object, last: string | undefined): boolean =>
  last === undefined || Object.hasOwn(object, last)
