import { join } from 'node:path'
import { root } from '../helpers/paths.js'

/** What processes see of the workers of a pool: from the built package, whose memory these read. */
export const { workersOf } = require(join(root, 'dist', 'modules.js')).load('pool/onlookers.js') as {
  workersOf(
    pool: string,
    names: readonly string[],
  ): { name: string; task: { id: number; run: string } | undefined }[]
}
