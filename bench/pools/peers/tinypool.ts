import { packageVersion } from '../../harness/package-version.js'
import { type Package, TASKS } from '../pool.js'

export const peer: Package = {
  version: packageVersion('tinypool'),
  async start(workers, option) {
    const { Tinypool } = await import('tinypool')
    const pool = new Tinypool({
      filename: TASKS,
      runtime: option as 'worker_threads' | 'child_process',
      serialization: 'advanced',
      minThreads: workers,
      maxThreads: workers,
    })
    return { run: (name, argument) => pool.run(argument, { name }), close: () => pool.destroy() }
  },
}
