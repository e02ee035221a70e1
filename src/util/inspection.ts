import type { InspectOptions, inspect } from 'node:util'

/**
 * The method that `console.log` of Node, Bun and Deno calls, in place of listing the properties.
 */
export const inspection = Symbol.for('nodejs.util.inspect.custom')

/** How many items of an array are shown. */
const MOST_ITEMS = 10

/** What the method gets. */
export type InspectionArguments = [depth: number, options: InspectOptions, show: typeof inspect]

/**
 * `Mutex { name: 'm', isLocked: false }`, or `Mutex (closed) { name: 'm' }`: one line, whatever is
 * in it.
 */
export function showAs(title: string, state: object, ...[depth, options, show]: InspectionArguments): string {
  const { maxArrayLength } = options
  const fewer = Math.min(maxArrayLength ?? Number.POSITIVE_INFINITY, MOST_ITEMS)
  const how = { ...options, compact: true, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: fewer }
  return depth < 0 ? `[${title}]` : `${title} ${show(state, how)}`
}

/** Some getters of an object, without those that it doesn't have or that throw. */
export function readable<T extends object>(of: T, getters: readonly string[]): object {
  const state: Record<string, unknown> = {}
  for (const key of getters) {
    if (!(key in of)) continue
    try {
      state[key] = (of as Record<string, unknown>)[key]
    } catch {
      // What can't be read now is left out: showing an object must not fail.
    }
  }
  return state
}
