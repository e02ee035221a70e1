import { join } from 'node:path'
import { root } from '../packages/set.mjs'

/** Where programs of other platforms are kept. */
export const home = join(root, 'target', 'tools', 'cross')
