// The first file that is loaded: it says which Node is needed before an old one meets syntax or
// modules that it doesn't know.

import { CrossmemError } from './errors.js'

const OLDEST_NODE = 20

// Bun and Deno name the Node version that they are like.
if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  throw new CrossmemError(
    'ERR_UNSUPPORTED_PLATFORM',
    `crossmem needs Node ${OLDEST_NODE} or later, and this is ${process.version}`,
  )
}
