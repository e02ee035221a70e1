import { inspect } from 'node:util'

/** Shows any value in an error message: short, and on one line. */
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
