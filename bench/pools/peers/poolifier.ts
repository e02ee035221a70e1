import { join } from 'node:path'
import { FixedClusterPool, FixedThreadPool } from 'poolifier'
import { packageVersion } from '../../harness/package-version.js'
import type { Package } from '../pool.js'

export const peer: Package = {
  version: packageVersion('poolifier'),
  start(workers, option) {
    const pool =
      option === 'cluster'
        ? new FixedClusterPool<unknown>(workers, join(__dirname, 'poolifier-cluster.js'), {
            settings: { serialization: 'advanced' },
          })
        : new FixedThreadPool<unknown>(workers, join(__dirname, 'poolifier-thread.js'))
    return { run: (task, argument) => pool.execute(argument, task), close: () => pool.destroy() }
  },
}
