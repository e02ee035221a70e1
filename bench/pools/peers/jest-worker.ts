import { Worker } from 'jest-worker'
import { packageVersion } from '../../harness/package-version.js'
import { type Package, TASKS } from '../pool.js'
import type { TaskName } from '../tasks.js'

type Methods = Record<TaskName, (argument: unknown) => Promise<unknown>>

export const peer: Package = {
  version: packageVersion('jest-worker'),
  start(numWorkers, option) {
    const enableWorkerThreads = option === 'threads'
    const farm = new Worker(TASKS, { numWorkers, enableWorkerThreads }) as Worker & Methods
    return { run: (task, argument) => farm[task](argument), close: () => farm.end() }
  },
}
