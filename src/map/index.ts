// First, so that a runtime that is too old, or can't load the addon, is told why.
import '../node-version.js'

export type { KeyPart, MapKey } from './keys.js'
export { type MapRange, type MapSetOptions, SharedMap, type SharedMapOptions } from './shared-map.js'
