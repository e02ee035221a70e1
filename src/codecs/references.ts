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
