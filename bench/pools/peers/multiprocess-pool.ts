import { join } from 'node:path'
import { Pool } from 'multiprocess-pool'
import { packageVersion } from '../../harness/package-version.js'
import type { Package } from '../pool.js'

/** It calls what a module is, not an export of it. */
const TASK = join(__dirname, 'multiprocess-pool-task.js')

export const peer: Package = {
  version: packageVersion('multiprocess-pool'),
  start(workers) {
    const pool = new Pool(workers)
    return {
      run: (task, argument) => pool.apply({ task, argument }, TASK),
      close: () => pool.terminate(),
    }
  },
}
