import { binding } from './addon.js'

// A process may load this package twice: two libraries have a copy each, or a test runner resets
// its modules. If the copies have one addon, they are one agent, so they have one reactor and one
// object for each segment between them. What they share is kept with the addon: it outlives them.

const SHARED = Symbol.for('crossmem.shared')
const kept = binding as { [SHARED]?: Map<string, unknown> }

/** What all copies of this package in this environment have under that name. */
export function shared<T>(name: string, make: () => T): T {
  kept[SHARED] ??= new Map()
  const all = kept[SHARED]
  if (!all.has(name)) all.set(name, make())
  return all.get(name) as T
}
