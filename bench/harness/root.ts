import { dirname } from 'node:path'

/** The top folder of the package. */
export const root = dirname(require.resolve('crossmem/package.json'))
