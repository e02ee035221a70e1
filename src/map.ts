// First, so that a runtime that is too old, or can't load the addon, is told why.
import './node-version.js'
import './wait/index.js'

export {
  type KeyPart,
  type MapKey,
  type MapRange,
  type MapSetOptions,
  SharedMap,
  type SharedMapOptions,
} from './map/index.js'
