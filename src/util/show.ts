import { inspect } from 'node:util'

/** A value in an error message: short and on one line, whatever it is. */
export function show(value: unknown): string {
  const text = inspect(value, {
    depth: 1,
    maxArrayLength: 8,
    maxStringLength: 80,
    compact: true,
    breakLength: Number.POSITIVE_INFINITY,
    customInspect: false,
  })
  return text.length > 150 ? `${text.slice(0, 150)}…` : text
}
