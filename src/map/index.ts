export type { KeyPart, MapKey } from './keys.js'
export { type MapRange, type MapSetOptions, SharedMap, type SharedMapOptions } from './shared-map.js'
