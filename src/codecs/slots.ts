import { typedArrayName } from '../util/index.js'

// The built-in methods read internal slots, so they work for objects of other realms and of
// subclasses.

const { source, flags } = Object.getOwnPropertyDescriptors(RegExp.prototype)

export const timeOf = (date: object): number => Date.prototype.getTime.call(date)
export const entriesOf = (map: object): [unknown, unknown][] => [...Map.prototype.entries.call(map)]
export const itemsOf = (set: object): unknown[] => [...Set.prototype.values.call(set)]
export const sourceOf = (regexp: object): string => source.get?.call(regexp) as string
export const flagsOf = (regexp: object): string => flags.get?.call(regexp) as string

/** The name of the built-in class of a view. */
export const viewName = (view: object): string => typedArrayName(view) ?? 'DataView'

/** The primitive value of a boxed one. */
export function unbox(boxed: object): unknown {
  for (const { prototype } of [Number, String, Boolean, BigInt]) {
    try {
      return (prototype as { valueOf(this: unknown): unknown }).valueOf.call(boxed)
    } catch {}
  }
  return undefined
}
