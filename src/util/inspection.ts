import type { InspectOptions, inspect } from 'node:util'

/**
 * The method that `console.log` of Node, Bun and Deno calls, in place of listing the properties.
 */
export const inspection = Symbol.for('nodejs.util.inspect.custom')

/** What the method gets. */
export type InspectionArguments = [depth: number, options: InspectOptions, show: typeof inspect]

/** `Mutex { name: 'm', isLocked: false }`, or `Mutex (closed) { name: 'm' }`. */
export function showAs(title: string, state: object, ...[depth, options, show]: InspectionArguments): string {
  return depth < 0 ? `[${title}]` : `${title} ${show(state, options)}`
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
