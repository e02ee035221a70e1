import { join } from 'node:path'
import * as workerpool from 'workerpool'
import { packageVersion } from '../../harness/package-version.js'
import type { Package } from '../pool.js'

export const peer: Package = {
  version: packageVersion('workerpool'),
  start(workers, option) {
    const pool = workerpool.pool(join(__dirname, 'workerpool-worker.js'), {
      workerType: option as 'thread' | 'process',
      minWorkers: workers,
      maxWorkers: workers,
      forkOpts: { serialization: 'advanced' },
    })
    return {
      // Its promises aren't those of the language.
      run: async (task, argument) => pool.exec(task, [argument]),
      close: () => pool.terminate(true),
    }
  },
}
