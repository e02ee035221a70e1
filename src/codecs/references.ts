/** An open object of crossmem, as a value shows it. */
export interface Handle {
  toJSON(): object
}

/**
 * Whether a value is a handle. It may be one of another copy of this package, so its class doesn't
 * count.
 */
export function isHandle(value: object): value is Handle {
  const { crossmem } = value as { crossmem?: unknown }
  if (typeof crossmem !== 'string') return false
  const { name, toJSON } = value as { name?: unknown; toJSON?: unknown }
  return typeof name === 'string' && typeof toJSON === 'function'
}

/**
 * Whether a value is an object with properties only. Built-in objects of other kinds have another
 * tag.
 */
export const isRecord = (value: object): boolean =>
  Object.prototype.toString.call(value) === '[object Object]'

/** Copies a value that holds handles, with references instead of them. */
export function withReferences(value: unknown, copies = new Map<object, object>()): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known) return known
  const keep = <Copy extends object>(copy: Copy): Copy => {
    copies.set(value, copy)
    return copy
  }
  if (isHandle(value)) return keep(value.toJSON())
  if (value instanceof Map) {
    const copy = keep(new Map())
    for (const [key, item] of value) copy.set(withReferences(key, copies), withReferences(item, copies))
    return copy
  }
  if (value instanceof Set) {
    const copy = keep(new Set())
    for (const item of value) copy.add(withReferences(item, copies))
    return copy
  }
  const isArray = Array.isArray(value)
  if (!isArray && !isRecord(value)) return value
  // Without a prototype, `__proto__` is a key like any other.
  const copy = keep(isArray ? new Array(value.length) : Object.create(null)) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) copy[key] = withReferences(item, copies)
  return copy
}
