import { dirname } from 'node:path'

/** The package's top folder, wherever this runs from. */
export const root = dirname(require.resolve('crossmem/package.json'))
